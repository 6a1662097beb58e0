#!/bin/sh
# Records in .sqlx what Postgres says of every checked statement, so that builds need no database.
# With --check nothing is changed: it fails if the committed records are not what would be written.
#
# DATABASE_URL names a server on which a scratch database may be created, such as
# postgres://postgres@127.0.0.1:5432/postgres; without it a server of its own is started for the
# time of the run. Needs the Postgres programs, not sqlx-cli: the macros write their records
# themselves where SQLX_OFFLINE_DIR says.
set -eu

cd "$(dirname "$0")/.."
case "${1:-}" in
'' | --check) mode=${1:-} ;;
*)
    echo "usage: $0 [--check]" >&2
    exit 2
    ;;
esac

database=xunjian_prepare_$$
fresh=$(mktemp -d)
scratch_server=
finish() {
    if [ -n "$scratch_server" ]; then
        as_server_user "$programs/pg_ctl" -D "$scratch_server/data" -m immediate stop >/dev/null || true
        rm -rf "$scratch_server"
    else
        psql -qX "$server" -c "drop database if exists $database" >/dev/null || true
    fi
    rm -rf "$fresh"
}
trap finish EXIT
trap 'exit 1' INT TERM

# Postgres refuses root, who hands the server to its package's user.
as_server_user() {
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"
    else
        "$@"
    fi
}

start_server() {
    programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    scratch_server=$(mktemp -d)
    [ "$(id -u)" -ne 0 ] || chown postgres: "$scratch_server"
    (
        cd "$scratch_server"
        as_server_user "$programs/initdb" -D "$scratch_server/data" -A trust -U postgres >/dev/null
        as_server_user "$programs/pg_ctl" -D "$scratch_server/data" -w -l "$scratch_server/log" \
            -o "-c listen_addresses='' -c fsync=off -k $scratch_server" start >/dev/null
    )
    server="postgres://postgres@localhost/postgres?host=$scratch_server"
}

if [ -n "${DATABASE_URL:-}" ]; then
    server=$DATABASE_URL
else
    start_server
fi

psql -qX -v ON_ERROR_STOP=1 "$server" -c "create database $database"

# The database name is what stands between the last slash and a question mark.
case "$server" in
*\?*) parameters="?${server#*\?}" ;;
*) parameters= ;;
esac
base=${server%%\?*}
scratch="${base%/*}/$database$parameters"

for migration in src/store/migrations/*.sql; do
    psql -qX1 -v ON_ERROR_STOP=1 "$scratch" -f "$migration"
done

# The statements are looked at again only where the compiler reads the file again.
touch src/lib.rs
DATABASE_URL=$scratch SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$fresh cargo check --locked --lib

if [ "$mode" = --check ]; then
    if ! diff -r "$fresh" .sqlx; then
        echo "$0: .sqlx is not what the statements and the schema say; run $0" >&2
        exit 1
    fi
else
    mkdir -p .sqlx
    rm -f .sqlx/query-*.json
    cp "$fresh"/query-*.json .sqlx/
fi
