#!/bin/sh
# Measures of a quarter beside one SQL aggregate, on a scratch Postgres that vanishes afterwards.
#
#   benches/measures.sh [ACCOUNTS] [POSTS] [ROUNDS]     defaults: 100000 10000000 3
#
# Goals: the post measures in no more time than the aggregate; memory below 300 MB.
set -eu
cd "$(dirname "$0")/.."
. benches/scratch.sh
accounts=${1:-100000}
posts=${2:-10000000}
rounds=${3:-3}

cargo build --release --quiet --example measures
ours=${CARGO_TARGET_DIR:-target}/release/examples/measures
# Filled without fsync; nothing is written while it is measured.
start_scratch_postgres -c fsync=off -c shared_buffers=1GB -c max_wal_size=8GB -c jit=off
"$ours" --url "$url" --accounts "$accounts" \
    --posts "$posts" --rounds "$rounds"
