//! What this host is and can do: its kernel, its processor, its memory, its settings.

use std::ffi::OsStr;

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::files;
use crate::host::os;
use crate::host::os::fs::{AtFlags, CWD};

pub use crate::host::os::fs::Access;

/// The version of the kernel, as it names itself.
#[must_use]
pub fn kernel() -> String {
    os::kernel_release()
}

/// The arguments with which the kernel was booted: names, and their values where they have one.
#[must_use]
pub fn kernel_arguments() -> Vec<(String, Option<String>)> {
    let line = read("/proc/cmdline");
    let word = |word: &str| match word.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (word.to_owned(), None),
    };
    line.split_ascii_whitespace().map(word).collect()
}

/// Whether the processor says that it can do something.
#[must_use]
pub fn has_cpu_flag(name: &str) -> bool {
    let text = read("/proc/cpuinfo");
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let mut flags = lines.filter(|(key, _)| matches!(key.trim(), "flags" | "Features"));
    flags.any(|(_, flags)| flags.split_ascii_whitespace().any(|flag| flag == name))
}

/// Whether a module of the kernel is there: loaded, or built in.
#[must_use]
pub fn has_module(name: &str) -> bool {
    let name = name.replace('-', "_");
    let loaded = Utf8PathBuf::from("/sys/module").join(&name);
    if matches!(files::facts(&loaded), Ok(Some(_))) {
        return true;
    }
    let listed = read("/proc/modules");
    if listed.lines().any(|line| line.split(' ').next() == Some(name.as_str())) {
        return true;
    }
    let built_in = read(&format!("/lib/modules/{}/modules.builtin", kernel()));
    let file = |line: &str| Utf8Path::new(line).file_stem().map(|stem| stem.replace('-', "_"));
    built_in.lines().any(|line| file(line).as_deref() == Some(name.as_str()))
}

/// The file of a setting of the kernel.
#[must_use]
pub fn setting_file(name: &str) -> Utf8PathBuf {
    Utf8Path::new("/proc/sys").join(name.replace('.', "/"))
}

/// The value of a setting of the kernel; nothing where there is none of that name.
#[must_use]
pub fn setting(name: &str) -> Option<String> {
    #[cfg(target_os = "macos")]
    let text = os::process::setting(name)?;
    #[cfg(not(target_os = "macos"))]
    let text = files::read(&setting_file(name)).ok()??;
    Some(in_single_blanks(&text))
}

/// A value of the kernel as it is compared: what lies between its words means nothing.
#[must_use]
pub fn in_single_blanks(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a setting of the kernel gets this value at the next boot as well.
#[must_use]
pub fn is_kept(name: &str, value: &str) -> bool {
    let folders = ["/usr/lib/sysctl.d", "/usr/local/lib/sysctl.d", "/run/sysctl.d", "/etc/sysctl.d"];
    kept(&folders.map(Utf8Path::new), name).as_deref() == Some(value)
}

/// The value that a setting gets at boot by the files of folders (sysctl.d(5)): of files of one name that of the last
/// folder counts, and of all the last by their names.
fn kept(folders: &[&Utf8Path], name: &str) -> Option<String> {
    let mut found = std::collections::BTreeMap::new();
    for folder in folders {
        for file in files::list(folder).ok().flatten().unwrap_or_default() {
            if Utf8Path::new(&file).extension() == Some("conf") {
                found.insert(file.clone(), folder.join(&file));
            }
        }
    }
    let texts: Vec<String> = found.values().filter_map(|path| files::read(path).ok().flatten()).collect();
    let mut lines = texts.iter().flat_map(|text| text.lines()).filter_map(|line| {
        let (key, value) = line.trim().trim_start_matches('-').split_once('=')?;
        let is_it = !key.starts_with(['#', ';']) && key.trim().replace('/', ".") == name.replace('/', ".");
        is_it.then(|| in_single_blanks(value))
    });
    lines.next_back()
}

/// The memory of this host, in bytes.
#[must_use]
pub fn memory() -> Option<u64> {
    if let Some(told) = os::memory_size() {
        return Some(told);
    }
    let text = read("/proc/meminfo");
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Whether the rights that this thread acts with let it use a file.
#[must_use]
pub fn may(path: &Utf8Path, access: Access) -> bool {
    os::fs::accessat(CWD, path.as_str(), access, AtFlags::EACCESS).is_ok()
}

/// Where a program is that a name stands for in a list of folders.
#[must_use]
pub fn program(name: &str, path: &str) -> Option<Utf8PathBuf> {
    let runs = |file: &Utf8PathBuf| file.is_file() && may(file, Access::EXEC_OK);
    if Utf8Path::new(name).components().nth(1).is_some() {
        return os::fs::spelled(Utf8PathBuf::from(name)).find(runs);
    }
    let folders =
        std::env::split_paths(OsStr::new(path)).filter_map(|folder| Utf8PathBuf::try_from(folder).ok());
    folders.flat_map(|folder| os::fs::spelled(folder.join(name))).find(runs)
}

fn read(path: &str) -> String {
    files::read(Utf8Path::new(path)).ok().flatten().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_is_looked_at() {
        assert!(kernel().contains('.'));
        assert!(memory().is_some_and(|bytes| bytes > 64 << 20));
        assert!(!has_module("no_such_module") && !has_cpu_flag("no_such_flag"));
    }

    #[cfg(windows)]
    #[test]
    fn programs_are_found_without_their_endings() {
        let system = r"C:\nowhere;C:\windows\system32";
        assert!(program("cmd", system).is_some_and(|found| found.as_str().ends_with("cmd.exe")));
        assert!(program("cmd.exe", system).is_some() && program("cmd", r"C:\nowhere").is_none());
        assert!(program(r"C:\windows\system32\cmd", "").is_some());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_is_looked_at() {
        assert!(!kernel_arguments().is_empty());
        assert!(setting("kernel.ostype").is_some_and(|value| value == "Linux"));
        assert_eq!(setting("kernel.no-such-setting"), None);
        assert!(!has_module("no_such_module") && !has_cpu_flag("no_such_flag"));
        assert!(program("sh", "/nowhere:/bin:/usr/bin").is_some() && program("sh", "/nowhere").is_none());
        assert!(program("/bin/sh", "").is_some() && program("/etc/passwd", "").is_none());
    }

    #[test]
    fn the_last_file_says_what_a_setting_is_at_boot() {
        let folder = tempfile::tempdir().unwrap();
        let top = Utf8Path::from_path(folder.path()).unwrap();
        let (vendor, own) = (top.join("vendor"), top.join("own"));
        for (path, text) in [
            (vendor.join("50-a.conf"), "net.ipv4.tcp_rmem = 1 2 3\n"),
            (vendor.join("60-b.conf"), "# a.b = 1\n-net/ipv4/tcp_rmem=4\t 5  6\n"),
            (own.join("60-b.text"), "net.ipv4.tcp_rmem = 7\n"),
        ] {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let kept = |name| super::kept(&[&vendor, &own], name);
        assert_eq!(kept("net.ipv4.tcp_rmem").as_deref(), Some("4 5 6"));
        assert_eq!(kept("a.b"), None);
        std::fs::write(own.join("60-b.conf"), "").unwrap();
        assert_eq!(kept("net.ipv4.tcp_rmem").as_deref(), Some("1 2 3"));
    }
}
