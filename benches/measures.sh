#!/bin/sh
# Measures of a quarter beside one SQL aggregate, on a scratch Postgres that vanishes afterwards.
#
#   benches/measures.sh [ACCOUNTS] [POSTS] [ROUNDS]     defaults: 100000 10000000 3
#
# Goals: the post measures in no more time than the aggregate; memory below 300 MB.
set -eu
cd "$(dirname "$0")/.."
accounts=${1:-100000}
posts=${2:-10000000}
rounds=${3:-3}

cargo build --release --quiet --example measures
ours=${CARGO_TARGET_DIR:-target}/release/examples/measures
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
place=$(mktemp -d)
chmod 755 "$place"
as_server_user() {
    if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --clear-groups "$@"
    else "$@"; fi
}
if [ "$(id -u)" = 0 ]; then chown postgres: "$place"; fi
finish() {
    (cd / && as_server_user "$bin/pg_ctl" -D "$place/data" -m immediate stop >/dev/null) || true
    rm -rf "$place"
}
trap finish EXIT
trap 'exit 1' INT TERM
(cd / && as_server_user "$bin/initdb" -D "$place/data" -E UTF8 --locale=C.UTF-8 -A trust \
    -U postgres >/dev/null)
# Filled without fsync; nothing is written while it is measured.
options="-k $place -h '' -c fsync=off -c shared_buffers=1GB -c max_wal_size=8GB -c jit=off"
(cd / && as_server_user "$bin/pg_ctl" -D "$place/data" -l "$place/log" -w -o "$options" start \
    >/dev/null)
"$ours" --url "postgres://postgres@localhost/postgres?host=$place" --accounts "$accounts" \
    --posts "$posts" --rounds "$rounds"
