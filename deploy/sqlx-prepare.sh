#!/bin/sh
# Records in .sqlx what Postgres says of every checked statement, so that builds need no database.
# With --check nothing is changed: it fails if the committed records are not what would be written.
#
# DATABASE_URL names a server on which a scratch database may be created, such as
# postgres://postgres@127.0.0.1:5432/postgres. Needs psql, not sqlx-cli: the macros write their
# records themselves where SQLX_OFFLINE_DIR says.
set -eu

cd "$(dirname "$0")/.."
: "${DATABASE_URL:?set DATABASE_URL to a server on which a scratch database may be created}"

case "${1:-}" in
'' | --check) mode=${1:-} ;;
*)
    echo "usage: $0 [--check]" >&2
    exit 2
    ;;
esac

server=$DATABASE_URL
database=xunjian_prepare_$$
fresh=$(mktemp -d)
finish() {
    rm -rf "$fresh"
    psql -qX "$server" -c "drop database if exists $database" >/dev/null || true
}
trap finish EXIT
trap 'exit 1' INT TERM

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
