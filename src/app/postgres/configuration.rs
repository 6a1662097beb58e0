//! The server's configuration, written anew at every start.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;

use super::home::Home;

/// Only the socket's folder guards the server: nobody but its owner and root enters it.
const HBA: &str = "local all all trust\n";

const LOCAL: &str =
    "# Settings of your own for the private Postgres; they win. Read at its start.\n";

const MIB: u64 = 1 << 20;

/// Writes `postgresql.conf` and `hba.conf`, and `local.conf` only if it is missing.
pub(super) fn write(home: &Home, wal_compression: &str) -> anyhow::Result<()> {
    let text = text(home, memory_bytes(), wal_compression);
    replace(&home.path("postgresql.conf"), &text)?;
    replace(&home.path("hba.conf"), HBA)?;
    let local = home.path("local.conf");
    if local.exists() { Ok(()) } else { replace(&local, LOCAL) }
}

/// The server's user may read the file, whatever our mask says; its folder keeps others out.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o644)))
        .with_context(|| format!("writing {}", path.display()))
}

fn text(home: &Home, memory_bytes: u64, wal_compression: &str) -> String {
    // A sixteenth: the daemon and the page cache need the rest. The measured load gains nothing
    // from more (batching decides, not tuning).
    let shared_buffers = (memory_bytes / 16 / MIB).clamp(128, 512);
    let cache = (memory_bytes / 2 / MIB).max(256);
    let hba = quoted(&home.server_path("hba.conf"));
    let log = quoted(&home.server_path("log"));
    let socket = quoted(Path::new(&format!("\"{}\"", home.server_socket_dir().display())));
    format!(
        "# Written by xunjian at every start; your own settings belong in local.conf beside it.
hba_file = {hba}
listen_addresses = ''
port = 5432
unix_socket_directories = {socket}
unix_socket_permissions = 0700
max_connections = 48

# Nothing acknowledged is ever lost.
fsync = on
full_page_writes = on
synchronous_commit = on

shared_buffers = {shared_buffers}MB
effective_cache_size = {cache}MB
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
wal_compression = {wal_compression}
jit = off

timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_directory = {log}
log_filename = 'postgres-%Y%m%d-%H%M%S.log'
log_rotation_size = 10MB
log_rotation_age = 0
log_checkpoints = off
log_line_prefix = '%m [%p] '

include = 'local.conf'
"
    )
}

/// A string of the configuration file.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\\', "\\\\").replace('\'', "''"))
}

/// The memory this process may use: the machine's, or its control group's if that is less.
fn memory_bytes() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let kibibytes = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        kibibytes.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
    });
    let group = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let group = group.and_then(|text| text.trim().parse::<u64>().ok());
    let machine = machine.map_or(2048 * MIB, |kibibytes| kibibytes * 1024);
    group.map_or(machine, |group| group.min(machine))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_as_postgres_reads_them() {
        assert_eq!(quoted(Path::new("/a b/o'neil\\x")), r"'/a b/o''neil\\x'");
    }

    #[test]
    fn the_machine_has_memory() {
        assert!(memory_bytes() > 64 * MIB);
    }
}
