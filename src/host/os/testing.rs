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

/// A program that is there on every host, and ends at once where it is given nothing to do.
pub(crate) const PROGRAM: &str = if cfg!(windows) { r"C:\windows\system32\cmd.exe" } else { "/bin/true" };

/// A file that is always full, which stands for a full disk (full(4)); not every system has one.
pub(crate) const FULL: Option<&str> = if cfg!(target_os = "linux") { Some("/dev/full") } else { None };

/// The words by which the system's shell does something, in the language of each.
pub(crate) fn shell(unix: &str, windows: &str) -> Vec<String> {
    let words = if IS_UNIX { ["/bin/sh", "-c", unix] } else { ["cmd.exe", "/c", windows] };
    words.map(str::to_owned).to_vec()
}

/// The words by which the shell waits for so many seconds, in a process of its own.
pub(crate) fn waits(seconds: u32) -> Vec<String> {
    shell(&format!("sleep {seconds}; true"), &format!("ping -n {} 127.0.0.1 >nul", seconds + 1))
}

/// The number of a process that another one has started, as soon as it has.
pub(crate) fn child_of(parent: u32) -> u32 {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while std::time::Instant::now() < until {
        let processes = crate::host::tree::all();
        if let Some(child) = processes.iter().find(|process| process.parent == parent && !process.ended) {
            return child.identity.pid;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("process {parent} has started none");
}
