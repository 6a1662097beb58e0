//! The daemon under a service manager: what it says on `NOTIFY_SOCKET`, and the shipped unit.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support;

/// Generous, since the daemon makes a database first and machines differ.
const WITHIN: Duration = Duration::from_secs(120);

struct Manager {
    socket: UnixDatagram,
}

impl Manager {
    /// The next thing said, or nothing for a second.
    fn hears(&self) -> Option<String> {
        let mut buffer = [0; 4096];
        match self.socket.recv(&mut buffer) {
            Ok(length) => Some(String::from_utf8(buffer[..length].to_vec()).unwrap()),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn hears_soon(&self, what: &str) -> Vec<String> {
        let began = Instant::now();
        let mut said = Vec::new();
        while began.elapsed() < WITHIN {
            let Some(one) = self.hears() else { continue };
            let found = one.lines().any(|line| line == what);
            said.push(one);
            if found {
                return said;
            }
        }
        panic!("{what} was not said: {said:?}");
    }
}

#[test]
fn the_daemon_says_when_it_is_ready_that_it_lives_and_that_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let settings = folder.path().join("xunjian.toml");
    let text = format!(
        "data_dir = {:?}\nplatforms_dir = {:?}\nschemes_dir = {:?}\n\
         [http]\nlisten = \"127.0.0.1:0\"\n[evidence]\nfree_bytes_min = 0\n",
        folder.path().join("data"),
        config.join("platforms"),
        config.join("schemes")
    );
    fs::write(&settings, text).unwrap();
    let path = folder.path().join("notify");
    let manager = Manager { socket: UnixDatagram::bind(&path).unwrap() };
    manager.socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let variables = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "400000")];
    let log = folder.path().join("log");
    let mut daemon = support::program(&settings, &variables)
        .arg("run")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let said = manager.hears_soon("READY=1");
    assert_eq!(
        said.len(),
        1,
        "nothing comes before, not from the database server either: {said:?}"
    );
    assert!(said[0].contains("STATUS="), "{said:?}");
    for _ in 0..3 {
        assert_eq!(manager.hears_soon("WATCHDOG=1").len(), 1);
    }
    let pid = Pid::from_raw(i32::try_from(daemon.id()).unwrap()).unwrap();
    // One that stands still is not heard any more.
    kill_process(pid, Signal::STOP).unwrap();
    while manager.hears().is_some() {}
    assert_eq!(manager.hears(), None);
    kill_process(pid, Signal::CONT).unwrap();
    manager.hears_soon("WATCHDOG=1");
    kill_process(pid, Signal::TERM).unwrap();
    let said = manager.hears_soon("STOPPING=1");
    assert!(said.iter().rev().skip(1).all(|one| one == "WATCHDOG=1\n"), "{said:?}");
    let ended = daemon.wait().unwrap();
    assert!(ended.success(), "{ended}: {}", fs::read_to_string(&log).unwrap());
}

#[test]
fn the_unit_is_well_formed_and_hardened() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = fs::read_to_string(root.join("deploy/xunjian.service")).unwrap();
    for line in ["Type=notify", "WatchdogSec=", "NoNewPrivileges=yes", "ProtectSystem=strict"] {
        assert!(shipped.lines().any(|one| one.starts_with(line)), "{line}");
    }
    // The program stands elsewhere here.
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("xunjian.service");
    fs::write(&unit, shipped.replace("/usr/local/bin/xunjian", "/bin/true")).unwrap();
    let analyze = |arguments: &[&str]| {
        let output = Command::new("systemd-analyze").args(arguments).arg(&unit).output();
        match output {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!("systemd-analyze is not installed: deploy/install.sh test")
            }
            output => output.unwrap(),
        }
    };
    let output = analyze(&["verify", "--man=no"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let about_us = said.lines().filter(|line| line.contains("xunjian")).collect::<Vec<_>>();
    assert!(output.status.success() && about_us.is_empty(), "{said}");
    // Exposure in tenths: 2.0 of 10 at most; an unhardened unit has 9.6.
    let output = analyze(&["security", "--offline=true", "--threshold=20", "--no-pager"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", said.lines().last().unwrap_or_default());
}
