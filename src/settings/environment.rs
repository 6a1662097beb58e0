//! The one place that reads the environment of the process.

use std::env;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::layers::{PREFIX, variable_problem};
use crate::domain::{Problem, SourceText};

/// Where a settings file is looked for when none is named; the first that exists is taken.
const PLACES: [&str; 2] = ["config/default.toml", "/etc/xunjian/xunjian.toml"];

/// A settings file larger than this is not one.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The variables that begin with `XUNJIAN__`, and those of them that are not UTF-8.
pub(super) fn variables() -> (Vec<(String, String)>, Vec<Problem>) {
    let mut read = Vec::new();
    let mut problems = Vec::new();
    for (name, value) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if !name.starts_with(PREFIX) {
            continue;
        }
        match value.into_string() {
            Ok(value) => read.push((name, value)),
            Err(_) => problems.push(variable_problem(&name, "is not UTF-8".to_owned())),
        }
    }
    (read, problems)
}

/// The folders of `PATH`, in its order.
pub fn search_path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

/// Who works here, for the history: behind `sudo` the one who called it, else who logged in.
///
/// A name for the record, not a proof: the environment is the caller's to set.
pub fn user_name() -> Option<String> {
    let variables = ["SUDO_USER", "LOGNAME", "USER"].into_iter().filter_map(env::var_os);
    let mut names = variables.filter_map(|name| name.into_string().ok());
    names.find(|name| !name.trim().is_empty())
}

/// Where state is kept when nobody says where.
pub(super) fn default_data_dir() -> Result<PathBuf, Problem> {
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/xunjian"));
    }
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .map(|base| base.join("xunjian"))
        .ok_or_else(|| {
            let reason = "no HOME to keep state in: set data_dir".to_owned();
            variable_problem("XUNJIAN__DATA_DIR", reason)
        })
}

/// The settings file: the named one, which must exist, or the first of the usual places.
pub(super) fn find_file(named: Option<&Path>) -> Result<Option<SourceText>, Problem> {
    if let Some(path) = named {
        return read_file(path).map(Some);
    }
    for place in PLACES {
        let path = Path::new(place);
        if path.exists() {
            return read_file(path).map(Some);
        }
    }
    Ok(None)
}

fn read_file(path: &Path) -> Result<SourceText, Problem> {
    let file = path.display().to_string();
    let problem =
        |reason: String| Problem { file: file.clone(), line: 0, field: "".into(), reason };
    let opened = std::fs::File::open(path).map_err(|error| {
        problem(match error.kind() {
            ErrorKind::NotFound => "no such file".to_owned(),
            _ => error.to_string(),
        })
    })?;
    let mut text = String::new();
    opened
        .take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| problem(error.to_string()))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(problem(format!("larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(SourceText { file: file.clone(), text })
}
