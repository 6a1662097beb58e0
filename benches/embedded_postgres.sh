#!/bin/sh
# Measures the private Postgres against the same done by hand, and kills it.
#
#   benches/embedded_postgres.sh [REPEATS] [ROUNDS]     defaults: 5 repeats, 20 rounds
#
# Goals: first acknowledged write on a fresh folder <= 3 x (initdb + pg_ctl start);
# warm start <= 2 x pg_ctl start; 0 acknowledged rows lost in 20 rounds of kill -9, the daemon
# and the postmaster in turn. Medians; by hand and ours alternate. Fails if a goal is missed.
# Runs as root (the server then runs as user postgres) and as an ordinary user.
set -eu
cd "$(dirname "$0")/.."
repeats=${1:-5}
rounds=${2:-20}

cargo build --quiet --example embedded_postgres
ours=$(pwd)/target/debug/examples/embedded_postgres
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
place=$(mktemp -d)
chmod 755 "$place"
trap 'rm -rf "$place"' EXIT

as_server_user() {
    if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --clear-groups "$@"
    else "$@"; fi
}
now_ms() { echo $(($(date +%s%N) / 1000000)); }
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
by_hand() { (cd / && as_server_user "$bin/pg_ctl" -D "$hand/data" -o "-k $hand -h ''" \
    -l "$hand/log" -w "$@" >/dev/null); }

for repeat in $(seq "$repeats"); do
    hand=$place/hand$repeat
    mkdir "$hand"
    if [ "$(id -u)" = 0 ]; then chown postgres: "$hand"; fi
    began=$(now_ms)
    (cd / && as_server_user "$bin/initdb" -D "$hand/data" -k -E UTF8 --locale=C.UTF-8 -A trust \
        >/dev/null)
    by_hand start
    echo $(($(now_ms) - began)) >>"$place/cold_by_hand"
    by_hand -m fast stop
    "$ours" first-write "$place/ours$repeat" >>"$place/cold_ours"

    began=$(now_ms)
    by_hand start
    echo $(($(now_ms) - began)) >>"$place/warm_by_hand"
    by_hand -m fast stop
    "$ours" start "$place/ours$repeat" >>"$place/warm_ours"
    rm -rf "$hand" "$place/ours$repeat"
done

acknowledged=$place/acknowledged
touch "$acknowledged"
count() { wc -l <"$acknowledged"; }
# Waits until that many more rows are acknowledged than there were.
await_rows() {
    goal=$(($(count) + $1))
    until [ "$(count)" -ge "$goal" ]; do
        kill -0 "$writer" || { echo "the writer died"; exit 1; }
        sleep 0.02
    done
}
lost=0
for round in $(seq "$rounds"); do
    "$ours" write "$place/killed" $((round * 10000000)) >>"$acknowledged" 2>>"$place/errors" &
    writer=$!
    await_rows 200
    if [ $((round % 2)) = 0 ]; then
        kill -9 "$(head -n 1 "$place/killed/postgres/data/postmaster.pid")"
        await_rows 200      # the same daemon brings its server back
    fi
    kill -9 "$writer"
    wait "$writer" 2>/dev/null || true
    lost=$((lost + $("$ours" lost "$place/killed" "$acknowledged")))
done

failed=0
verdict() {    # what, ours, goal
    if [ "$2" -le "$3" ]; then said=met; else said=MISSED; failed=1; fi
    printf '%-34s %8s   goal <= %-8s %s\n' "$1" "$2" "$3" "$said"
}
cold=$(median "$place/cold_by_hand")
warm=$(median "$place/warm_by_hand")
echo "by hand: initdb + start $cold ms, warm start $warm ms ($repeats repeats)"
verdict "fresh to first write, ms" "$(median "$place/cold_ours")" $((3 * cold))
verdict "warm start, ms" "$(median "$place/warm_ours")" $((2 * warm))
verdict "lost of $(count) acknowledged rows" "$lost" 0
exit $failed
