#!/usr/bin/env bash
# Installs what xunjian needs on Debian 12 beside a Rust toolchain: the Postgres binaries for the
# private database (default), with `test` also what the checks use, with `api` also what
# deploy/api-check.sh uses, with `boards` what deploy/boards-check.sh uses (`test` brings that too where
# it can). Asks sudo for the packages only when packages are missing; running xunjian needs no privilege.
set -euo pipefail

case "${1:-run}" in
  run) packages=(postgresql-15 ca-certificates gcc libc6-dev) ;;
  test | api | boards) packages=(postgresql-15 ca-certificates gcc libc6-dev prometheus prometheus-alertmanager
    systemd docker-compose curl python3 python3-venv chromium fonts-wqy-microhei) ;;
  *) echo "usage: deploy/install.sh [run|test|api|boards]" >&2; exit 2 ;;
esac

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
# What asks the HTTP interface everything (deploy/api-check.sh), in a folder of its own.
schemathesis() {
  [ "${1:-run}" = api ] || return 0
  local folder
  folder=$(dirname "$0")/../target/schemathesis
  [ -x "$folder/bin/schemathesis" ] && return 0
  echo "installing schemathesis"
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check schemathesis==4.32.5
}

# What holds the boards to Grafana's schema (deploy/boards-check.sh), in a folder of its own. For the
# checks alone it may be missing, as on a machine that reaches no Python packages: they say so.
boards_schema() {
  local folder
  folder=$(dirname "$0")/../target/boards
  case "${1:-run}" in test | boards) ;; *) return 0 ;; esac
  "$folder/bin/python" -c 'import grafana_foundation_sdk' 2>/dev/null && return 0
  echo "installing grafana-foundation-sdk"
  rm -rf "$folder"
  python3 -m venv "$folder" &&
    "$folder/bin/pip" install --quiet --disable-pip-version-check grafana-foundation-sdk==0.0.21 ||
    { rm -rf "$folder"; [ "$1" = test ]; }
}

if [ ${#missing[@]} -eq 0 ]; then
  schemathesis "$@"
  boards_schema "$@"
  echo "nothing else to install"
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "run as root, or install sudo: needs ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi

echo "installing ${missing[*]}"
# xunjian keeps a cluster of its own; the package's default one would only take a port.
"${as_root[@]}" mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] ||
  echo "create_main_cluster = false" | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  -o Dpkg::Options::=--force-confold "${missing[@]}" >/dev/null
schemathesis "$@"
boards_schema "$@"
