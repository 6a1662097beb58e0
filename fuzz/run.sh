#!/usr/bin/env bash
# Runs every fuzz target for SECONDS each (default 600), one after the other; fails on a crash or on
# an input that takes more than a second.
#
#     fuzz/run.sh [SECONDS] [TARGET...]
#
# FUZZ_WALL_SECONDS: libFuzzer's own limit, which counts time on the wall (default 1; more on a busy
# machine: a second of processor time is held to in any case). FUZZ_SANITIZER: `none` (default) needs
# a stable compiler only; `address` is slower and uses what RUSTC_BOOTSTRAP unlocks.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds="${1:-600}"
shift || true
targets=("$@")
[ "${#targets[@]}" -gt 0 ] || targets=(html json feed datetime count ledger)
declare -A longest=([html]=32768 [json]=32768 [feed]=16384 [datetime]=128 [count]=64 [ledger]=16384)

command -v cargo-fuzz > /dev/null || cargo install cargo-fuzz --locked
export RUSTC_BOOTSTRAP=1
fuzz() { cargo fuzz "$@"; }
sanitizer="${FUZZ_SANITIZER:-none}"

python3 fuzz/seeds.py
fuzz build --sanitizer "$sanitizer"
failed=()
mkdir -p fuzz/artifacts
for target in "${targets[@]}"; do
  log="fuzz/artifacts/$target.log"
  if ! fuzz run --sanitizer "$sanitizer" "$target" -- -max_total_time="$seconds" \
    -timeout="${FUZZ_WALL_SECONDS:-1}" -rss_limit_mb=2048 -max_len="${longest[$target]}" \
    -dict="fuzz/words/$target.dict" -print_final_stats=1 > "$log" 2>&1; then
    failed+=("$target")
    tail -n 30 "$log"
  fi
  figure() { sed -n "s/^stat::$1: *//p" "$log"; }
  echo "$target: $(figure number_of_executed_units) executions, slowest $(figure slowest_unit_time_sec) s," \
    "memory $(figure peak_rss_mb) MB"
done
[ "${#failed[@]}" -eq 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
echo "no crash, no slow input"
