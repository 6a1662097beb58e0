//! How programs of Postgres are spawned: unprivileged, alone, and never outliving us.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::home::Home;

/// A command that runs as the server's user, ends with the thread that spawned it, and inherits
/// nothing of our environment. The terminal's Ctrl-C does not reach it: it stops after us.
pub(super) fn server_command(home: &Home, program: &Path, death_signal: Signal) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null());
    if let Some(user) = home.user() {
        command.uid(user.uid).gid(user.gid);
    }
    let passage = home.passage();
    let parent = rustix::process::getpid();
    let prepare_child = move || {
        // After the change of user, which would reset it.
        rustix::process::set_parent_process_death_signal(Some(death_signal))?;
        // Had the parent died before that line, the signal would never come.
        if rustix::process::getppid() != Some(parent) {
            return Err(rustix::io::Errno::SRCH.into());
        }
        if let Some(handle) = &passage {
            rustix::io::fcntl_setfd(handle, rustix::io::FdFlags::empty())?;
        }
        Ok(())
    };
    #[expect(unsafe_code, reason = "a death signal can only be set between fork and exec")]
    // SAFETY: the closure makes three system calls and neither allocates nor locks.
    unsafe {
        command.pre_exec(prepare_child);
    }
    command
}
