#!/bin/sh
# Measures of a quarter beside one SQL aggregate, on a scratch Postgres that vanishes afterwards.
#
#   benches/measures.sh [ACCOUNTS] [POSTS] [ROUNDS] [VISIT_DAYS]     defaults: 100000 10000000 3 2
#
# Goals: the post measures in no more time than the aggregate, all measures in at most three times
# that; memory below 300 MB. TMPDIR needs 20 GB for a nation.
set -eu
cd "$(dirname "$0")/.."
. benches/scratch.sh
accounts=${1:-100000}
posts=${2:-10000000}
rounds=${3:-3}
visit_days=${4:-2}

cargo build --release --quiet --example measures --bin xunjian
built=${CARGO_TARGET_DIR:-target}/release
# Filled without fsync; nothing is written while it is measured.
start_scratch_postgres -c fsync=off -c shared_buffers=1GB -c max_wal_size=2GB -c jit=off
mkdir "$place/ours"
# A copy: what is measured must not change under another build.
cp "$built/xunjian" "$built/examples/measures" "$place/ours/"
"$place/ours/measures" --url "$url" --accounts "$accounts" --posts "$posts" \
    --rounds "$rounds" --visit-days "$visit_days" --program "$place/ours/xunjian" --place "$place/ours"
