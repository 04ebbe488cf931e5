//! What the tests of every system say in one way.

use std::path::Path;

use super::fs;

/// Whether this system has links and modes as a unix has them.
pub(crate) const IS_UNIX: bool = cfg!(unix);

/// Sets a mode, as far as there is one.
pub(crate) fn set_mode(path: impl AsRef<Path>, mode: u32) {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    #[cfg(windows)]
    fs::open(path.as_ref(), fs::OFlags::RDONLY, fs::Mode::empty())
        .and_then(|opened| fs::fchmod(opened, fs::mode(mode)))
        .unwrap();
}

/// The mode. On Windows there are no groups, and whether something can be executed its name says.
pub(crate) fn mode(path: impl AsRef<Path>) -> u32 {
    fs::bits(fs::lstat(path.as_ref()).unwrap().st_mode)
}

/// The number of a file.
pub(crate) fn inode(path: impl AsRef<Path>) -> u64 {
    fs::lstat(path.as_ref()).unwrap().st_ino
}

/// Makes a symbolic link, where there are such.
pub(crate) fn symlink(target: impl AsRef<Path>, link: impl AsRef<Path>) {
    #[cfg(unix)]
    std::os::unix::fs::symlink(target, link).unwrap();
    #[cfg(windows)]
    let _ = (target, link);
}
