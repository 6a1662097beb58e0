#!/usr/bin/env bash
# Everything that must hold before a change lands; continuous integration runs exactly this.
# Needs the packages of `deploy/install.sh test`. With XUNJIAN_CORPUS set to a folder of recorded
# answers (with its check.py), the extractors are measured against it as well.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s (%ss)\n' "$*" "$SECONDS"; }

step "format"
cargo fmt --all --check

step "lints"
cargo clippy --locked --all-targets -- -D warnings

step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items --quiet

step "saved statements are those of the source"
deploy/sqlx-prepare.sh --check

step "tests"
# Measurements are run by hand, so that their programs are linted above and not built here; but for the
# one that holds verdicts against a made-up city, which is a test as well. No page of the documentation
# holds code to run.
cargo test --locked --lib --bins --tests --example faults

step "configuration"
# The tests have built it: a build without what they need alone would build half of all once more.
target/debug/xunjian --config config/default.toml check

step "saved pages"
target/debug/xunjian --config config/default.toml platform test

step "Prometheus configuration and rules"
promtool check config --syntax-only deploy/prometheus/prometheus.yml
promtool check rules deploy/prometheus/rules/*.yml
promtool test rules deploy/prometheus/tests/*.yml

step "Alertmanager configuration"
amtool check-config deploy/alertmanager/alertmanager.yml

step "Compose file (its form; it is not run)"
XUNJIAN_POSTGRES_PASSWORD=x XUNJIAN_CONTACT=x XUNJIAN_GRAFANA_ADMIN_PASSWORD=x XUNJIAN_GRAFANA_PASSWORD=x \
  docker-compose -f deploy/compose.yaml config --quiet

step "boards against Grafana's schema"
if [ -x target/boards/bin/python ]; then
  deploy/boards-check.sh
else
  echo "not checked: deploy/install.sh boards installs the schema"
fi

step "HTTP interface against its own document"
if [ -x target/schemathesis/bin/schemathesis ]; then
  # Fewer examples than by hand: half a minute.
  EXAMPLES=10 deploy/api-check.sh >target/api-check.log || { cat target/api-check.log; exit 1; }
  grep -E '^ +[0-9]+ generated' target/api-check.log
else
  echo "not checked: deploy/install.sh api installs schemathesis"
fi

step "systemd unit"
# The program stands elsewhere here; the tests hold the unit to the same.
unit=$(mktemp -d)/xunjian.service
sed 's#/usr/local/bin/xunjian#/bin/true#' deploy/xunjian.service >"$unit"
systemd-analyze verify --man=no "$unit"
systemd-analyze security --offline=true --threshold=20 --no-pager "$unit" | tail -n 1

step "recorded answers"
if [ -n "${XUNJIAN_CORPUS:-}" ] && [ -f "$XUNJIAN_CORPUS/check.py" ]; then
  python3 "$XUNJIAN_CORPUS/check.py" --bin target/debug/xunjian | tail -n 15
else
  echo "not checked: XUNJIAN_CORPUS names no folder of recorded answers"
fi

step "all held"
