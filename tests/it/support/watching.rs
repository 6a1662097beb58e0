use std::fmt::Write as _;
use std::path::Path;

use xunjian::simulator::Simulator;

/// The settings of a daemon that watches a simulated city, all but `data_dir`, which must stand
/// before them: every host is led to the simulator, under this limit. `crawl` are further lines of
/// that table.
pub(crate) fn watching(simulator: &Simulator, crawl: &str, limit: &str) -> String {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut settings = format!(
        "platforms_dir = \"{}\"\nschemes_dir = \"{}\"\n\
         [evidence]\nfree_bytes_min = 0\n\
         [http]\nlisten = \"127.0.0.1:0\"\n\
         [crawl]\nidle_seconds_max = 1\ntargets_seconds = 1\n{crawl}\n\
         [fetch]\ntimeout_seconds = 2\nbreaker_failures = 1000000\n\
         retry_after_max_seconds = 1\ndefault_limit = {limit}\n",
        config.join("platforms").display(),
        config.join("schemes").display(),
    );
    let to = format!("\"{}\"", simulator.address());
    for (table, value) in [("limits", limit), ("connect_to", &to)] {
        writeln!(settings, "[fetch.{table}]").unwrap();
        for host in simulator.connect_to().keys() {
            writeln!(settings, "\"{host}\" = {value}").unwrap();
        }
    }
    settings
}
