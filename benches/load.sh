#!/bin/sh
# Figures at the size of a nation, on a scratch Postgres that vanishes afterwards.
#
#   benches/load.sh series [ACCOUNTS]             /metrics and /metrics/accounts     (100000)
#   benches/load.sh visits [ACCOUNTS] [VISITS]    claiming and storing visits        (100000 260000)
#   benches/load.sh crawl [ACCOUNTS] [SECONDS]    the daemon beside loopback hosts   (100000 300)
#   benches/load.sh whole [PAGES]                 from request to row, beside bare parts and Scrapy (4000)
#
# Each prints its ratios with their goals and fails if one is missed; benches/README.md says more.
set -eu
cd "$(dirname "$0")/.."
what=${1:?series, visits, crawl or whole}
shift
. benches/scratch.sh

cargo build --release --quiet --locked --example load
ours=${CARGO_TARGET_DIR:-target}/release/examples/load
# As Debian installs it, but for statistics of what is written; fsync as it is.
start_scratch_postgres -c shared_buffers=1GB -c max_wal_size=4GB -c track_io_timing=off
"$ours" "$what" "$url" "$place" "$@"
