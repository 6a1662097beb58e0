# Sourced by the benches: a scratch Postgres that vanishes with the script.
#
#   . benches/scratch.sh
#   start_scratch_postgres [-c NAME=VALUE]...     afterwards: $place, a folder; $url, the server
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
place=$(mktemp -d)
chmod 755 "$place"
as_server_user() {
    if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --clear-groups "$@"
    else "$@"; fi
}
stop_scratch_postgres() {
    (cd / && as_server_user "$bin/pg_ctl" -D "$place/data" -m immediate stop >/dev/null) || true
    rm -rf "$place"
}
start_scratch_postgres() {
    if [ "$(id -u)" = 0 ]; then chown postgres: "$place"; fi
    trap stop_scratch_postgres EXIT
    trap 'exit 1' INT TERM
    (cd / && as_server_user "$bin/initdb" -D "$place/data" -E UTF8 --locale=C.UTF-8 -A trust \
        -U postgres >/dev/null)
    (cd / && as_server_user "$bin/pg_ctl" -D "$place/data" -l "$place/log" -w \
        -o "-k $place -h '' $*" start >/dev/null)
    url="postgres://postgres@localhost/postgres?host=$place"
}
