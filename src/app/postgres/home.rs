//! The folder of the private server: who may enter it, where its socket is, its locks.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use super::server_user::ServerUser;

/// The name Postgres gives the socket of its default port.
pub(super) const SOCKET_NAME: &str = ".s.PGSQL.5432";

/// The longest socket path Linux takes: `sun_path` has 108 bytes, the last one 0.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// `data_dir/postgres`, prepared for the user who runs the server.
#[derive(Clone)]
pub(super) struct Home {
    dir: PathBuf,
    socket_dir: PathBuf,
    user: Option<ServerUser>,
    /// Where the way to `dir` is closed to the server's user (root's private folders, say): an
    /// open handle that the server inherits and goes through.
    passage: Option<Arc<OwnedFd>>,
}

impl Home {
    /// Creates what is missing; changes nothing that somebody else made.
    pub(super) fn prepare(data_dir: &Path, os_user: &str) -> anyhow::Result<Self> {
        let user = ServerUser::if_root(os_user)?;
        create_data_dir(data_dir, user)?;
        let data_dir =
            data_dir.canonicalize().with_context(|| format!("following {}", data_dir.display()))?;
        let dir = data_dir.join("postgres");
        create_shared_with(&dir, user)?;
        let socket_dir = socket_dir(&dir);
        for private in [&dir.join("run"), &dir.join("log"), &socket_dir] {
            create_private(private, user)?;
        }
        let closed = user.is_some_and(|user| !may_reach(user, &dir));
        let passage = if closed { Some(Arc::new(File::open(&dir)?.into())) } else { None };
        Ok(Self { dir, socket_dir, user, passage })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn user(&self) -> Option<ServerUser> {
        self.user
    }

    pub(super) fn passage(&self) -> Option<Arc<OwnedFd>> {
        self.passage.clone()
    }

    /// The socket's folder as clients see it.
    pub(super) fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// A path inside as this process sees it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A path inside as the server sees it.
    pub(super) fn server_path(&self, name: &str) -> PathBuf {
        match &self.passage {
            Some(handle) => PathBuf::from(format!("/proc/self/fd/{}/{name}", handle.as_raw_fd())),
            None => self.path(name),
        }
    }

    /// The socket's folder as the server sees it.
    pub(super) fn server_socket_dir(&self) -> PathBuf {
        if self.socket_dir == self.path("run") {
            self.server_path("run")
        } else {
            self.socket_dir.clone()
        }
    }

    /// Leaves nothing behind outside `data_dir`; kept where something is still in it.
    pub(super) fn remove_outer_socket_dir(&self) {
        if self.socket_dir != self.path("run") {
            let _ = fs::remove_dir(&self.socket_dir);
        }
    }

    /// A folder inside that belongs to the server's user.
    pub(super) fn create_private(&self, name: &str) -> anyhow::Result<()> {
        create_private(&self.path(name), self.user)
    }

    pub(super) fn lock_file(&self, name: &str) -> anyhow::Result<File> {
        lock_file(&self.path(name))
    }

    /// The address of the server for sqlx. The cluster is ours alone, so that its first database
    /// serves; nothing else is ever in it.
    pub(super) fn url(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("host", &self.socket_dir.to_string_lossy());
        query.append_pair("sslmode", "disable");
        format!("postgres://xunjian@localhost:5432/postgres?{}", query.finish())
    }
}

/// Creates `data_dir` if it is missing: for this user alone, or for root with the server's user
/// allowed to pass through.
pub(super) fn create_data_dir(data_dir: &Path, user: Option<ServerUser>) -> anyhow::Result<()> {
    if data_dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = data_dir.parent() {
        fs::create_dir_all(parent).with_context(|| format!("creating {}", parent.display()))?;
    }
    let created = DirBuilder::new().mode(0o700).create(data_dir);
    match created {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && data_dir.is_dir() => Ok(()),
        Err(error) => Err(error).with_context(|| format!("creating {}", data_dir.display())),
        Ok(()) => open_to_group(data_dir, user, 0o710),
    }
}

/// A file that exists to be locked; the kernel drops the lock with its holder.
pub(super) fn lock_file(path: &Path) -> anyhow::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("opening {}", path.display()))
}

/// A folder of ours that the server's user may read.
fn create_shared_with(dir: &Path, user: Option<ServerUser>) -> anyhow::Result<()> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            expect_owner(dir, rustix::process::geteuid().as_raw(), 0o027)?;
        }
        Err(error) => return Err(error).with_context(|| format!("creating {}", dir.display())),
    }
    open_to_group(dir, user, 0o750)
}

fn open_to_group(dir: &Path, user: Option<ServerUser>, mode: u32) -> anyhow::Result<()> {
    let Some(user) = user else { return Ok(()) };
    std::os::unix::fs::chown(dir, None, Some(user.gid))
        .and_then(|()| fs::set_permissions(dir, fs::Permissions::from_mode(mode)))
        .with_context(|| format!("opening {} to group {}", dir.display(), user.gid))
}

/// A folder that only the server's user and root can enter.
fn create_private(dir: &Path, user: Option<ServerUser>) -> anyhow::Result<()> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Ok(()) => user.map_or(Ok(()), |user| user.take(dir)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let owner = user.map_or(rustix::process::geteuid().as_raw(), |user| user.uid);
            expect_owner(dir, owner, 0o077)
        }
        Err(error) => Err(error).with_context(|| format!("creating {}", dir.display())),
    }
}

/// Refuses a folder that another user prepared, a link, or one open to others.
fn expect_owner(dir: &Path, uid: u32, closed: u32) -> anyhow::Result<()> {
    let metadata = fs::symlink_metadata(dir)?;
    if !metadata.is_dir() {
        bail!("{} is not a folder", dir.display());
    }
    if metadata.uid() != uid {
        bail!(
            "{} belongs to user {}, not to user {uid}: run as its owner, or give it away",
            dir.display(),
            metadata.uid(),
        );
    }
    if metadata.mode() & closed != 0 {
        bail!("{} is open to other users: chmod 700 it", dir.display());
    }
    Ok(())
}

/// The folder of the socket: inside, or, where that path is too long for a socket, one in `/tmp`
/// with a name that every command finds again.
fn socket_dir(dir: &Path) -> PathBuf {
    let inside = dir.join("run");
    if inside.join(SOCKET_NAME).as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
        return inside;
    }
    let digest = Sha256::digest(dir.as_os_str().as_encoded_bytes());
    PathBuf::from(format!("/tmp/xunjian-{}", hex::encode(&digest[..8])))
}

/// Whether the permissions of every folder on the way let the user through.
fn may_reach(user: ServerUser, dir: &Path) -> bool {
    dir.ancestors().all(|folder| {
        let Ok(metadata) = fs::metadata(folder) else { return false };
        let bit = if metadata.uid() == user.uid {
            0o100
        } else if metadata.gid() == user.gid {
            0o010
        } else {
            0o001
        };
        metadata.mode() & bit != 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_too_long_for_a_socket_gets_a_short_private_one() {
        let short = Path::new("/var/lib/xunjian/postgres");
        assert_eq!(socket_dir(short), short.join("run"));
        let long = Path::new("/").join("d".repeat(200));
        let found = socket_dir(&long);
        assert!(found.join(SOCKET_NAME).as_os_str().len() <= SOCKET_PATH_BYTES_MAX);
        assert_eq!(found, socket_dir(&long));
        assert_ne!(found, socket_dir(&long.join("other")));
    }

    #[test]
    fn a_folder_open_to_others_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("run");
        create_private(&dir, None).unwrap();
        create_private(&dir, None).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        let error = create_private(&dir, None).unwrap_err().to_string();
        assert!(error.contains("open to other users"), "{error}");
    }

    #[test]
    fn a_closed_folder_on_the_way_is_noticed() {
        let parent = tempfile::tempdir().unwrap();
        fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let stranger = ServerUser { uid: 54_321, gid: 54_321 };
        assert!(may_reach(stranger, Path::new("/")));
        assert!(!may_reach(stranger, parent.path()));
    }
}
