use std::path::Path;
use std::process::Command;

/// What a command said and how it ended.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) reason: String,
}

/// The program with a settings file and, from outside, nothing but `variables`.
pub(crate) fn program(settings: &Path, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xunjian"));
    command.arg("--config").arg(settings).env_clear().env("HOME", "/nowhere");
    command.envs(variables.iter().copied());
    command
}

/// Runs a command of the program to its end.
pub(crate) fn run(settings: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Said {
    let output = program(settings, variables).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: text(&output.stdout), reason: text(&output.stderr) }
}
