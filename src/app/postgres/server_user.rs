//! Whom the server runs as.

use std::path::Path;

use anyhow::{Context, bail};

/// The unprivileged user to whom root hands the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServerUser {
    pub uid: u32,
    pub gid: u32,
}

impl ServerUser {
    /// The user of that name if this process is root; an ordinary user runs the server as
    /// itself.
    pub(super) fn if_root(name: &str) -> anyhow::Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let passwd = std::fs::read_to_string("/etc/passwd").context("reading /etc/passwd")?;
        let Some(user) = find(&passwd, name) else {
            bail!(
                "Postgres refuses root, and there is no user `{name}` in /etc/passwd: create it \
                 (useradd --system {name}) or set database.os_user"
            );
        };
        if user.uid == 0 {
            bail!("database.os_user `{name}` is root by another name; Postgres refuses root");
        }
        Ok(Some(user))
    }

    /// Hands a file or folder to this user.
    pub(super) fn take(self, path: &Path) -> anyhow::Result<()> {
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))
            .with_context(|| format!("giving {} to user {}", path.display(), self.uid))
    }
}

/// Looks a user up in the text of `/etc/passwd` (name:password:uid:gid:…).
fn find(passwd: &str, name: &str) -> Option<ServerUser> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(ServerUser { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgres2:x:7:8::/:\npostgres:x:101:104:a,b:/:\n";
        assert_eq!(find(passwd, "postgres"), Some(ServerUser { uid: 101, gid: 104 }));
        assert_eq!(find(passwd, "postgre"), None);
        assert_eq!(find("postgres:x:many:104", "postgres"), None);
    }
}
