//! What lsof(8) says of what processes have open, a field to a line.

use std::collections::BTreeSet;

/// The fields that it is asked for: the process, and the name of each file.
#[cfg_attr(not(target_os = "macos"), expect(dead_code, reason = "only macOS is asked so"))]
pub(super) const FIELDS: &str = "pn";

/// Reads its output: which processes it tells of, and each name.
pub(super) fn parse(text: &str, told: &mut BTreeSet<u32>, each: &mut dyn FnMut(&[u8])) {
    for line in text.lines() {
        match line.split_at_checked(1) {
            Some(("p", pid)) => told.extend(pid.parse::<u32>()),
            Some(("n", name)) => each(name.as_bytes()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_processes_are_read() {
        let text = "p411\nfcwd\nn/opt/web\nftxt\nn/opt/web/server-1.0.0/bin/server\np412\nfcwd\nn/\n\n";
        let (mut told, mut names) = (BTreeSet::new(), Vec::new());
        parse(text, &mut told, &mut |name| names.push(String::from_utf8_lossy(name).into_owned()));
        assert_eq!(told, BTreeSet::from([411, 412]));
        assert_eq!(names, ["/opt/web", "/opt/web/server-1.0.0/bin/server", "/"]);
    }
}
