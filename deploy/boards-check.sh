#!/usr/bin/env bash
# Holds the boards to the schema that Grafana publishes (the Python package grafana-foundation-sdk), and
# tries that on boards with a mistake each, which it must find. Needs `deploy/install.sh boards`.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${BOARDS_PYTHON:-target/boards/bin/python}
[ -x "$python" ] || { echo "$0: $python is missing; run deploy/install.sh boards" >&2; exit 1; }

"$python" deploy/boards-check.py grafana/dashboards/*.json

bad=$(mktemp)
trap 'rm -f "$bad"' EXIT
while IFS='|' read -r is should_be; do
  sed "s|$is|$should_be|" grafana/dashboards/findings.json >"$bad"
  if cmp -s grafana/dashboards/findings.json "$bad"; then
    echo "$0: no board has $is" >&2
    exit 1
  fi
  if "$python" deploy/boards-check.py "$bad" 2>/dev/null; then
    echo "$0: the schema does not mind $is as $should_be" >&2
    exit 1
  fi
done <<'MISTAKES'
"type": "table"|"type": "tabel"
"showHeader": true|"showHeadr": true
"drawStyle": "bars"|"drawStyle": "barz"
"w": 24|"w": "24"
"decimals": 0|"decimals": "0"
"text": "待复核"|"txt": "待复核"
"type": "textbox"|"type": "textbx"
MISTAKES
