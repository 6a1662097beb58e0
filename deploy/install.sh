#!/usr/bin/env bash
# Installs what xunjian needs on Debian 12 beside a Rust toolchain: the Postgres binaries for the
# private database (default), with `test` also what the checks use, with `api` also what
# deploy/api-check.sh uses, with `boards` what deploy/boards-check.sh uses (`test` brings both too where
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
# Python packages of the checks, each in a folder of its own: what asks the HTTP interface everything
# (deploy/api-check.sh) and what holds the boards to Grafana's schema (deploy/boards-check.sh). For the
# checks alone they may be missing, as on a machine that reaches no Python packages: they say so.
python_package() { # NAME VERSION MODULE FOLDER WANTED GIVEN
  local folder
  folder=$(dirname "$0")/../target/$4
  case "$6" in test | "$5") ;; *) return 0 ;; esac
  "$folder/bin/python" -c "import $3" 2>/dev/null && return 0
  echo "installing $1"
  rm -rf "$folder"
  python3 -m venv "$folder" &&
    "$folder/bin/pip" install --quiet --disable-pip-version-check "$1==$2" ||
    { rm -rf "$folder"; [ "$6" = test ]; }
}
python_packages() {
  python_package schemathesis 4.32.5 schemathesis schemathesis api "${1:-run}"
  python_package grafana-foundation-sdk 0.0.21 grafana_foundation_sdk boards boards "${1:-run}"
}

if [ ${#missing[@]} -eq 0 ]; then
  python_packages "$@"
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
python_packages "$@"
