//! What ps(1) of macOS says of a process, in the C locale and in UTC.

use crate::host::identity::Process;
use crate::model::status::ProcessIdentity;

/// What it is asked for. The name comes last, because it may hold blanks.
#[cfg_attr(not(target_os = "macos"), expect(dead_code, reason = "only macOS is asked so"))]
pub(super) const COLUMNS: &str = "ppid=,pgid=,state=,lstart=,ucomm=";

/// Reads its one line. The session is not in it.
pub(super) fn parse(pid: u32, text: &str) -> Option<Process> {
    let mut words = text.split_ascii_whitespace();
    let (parent, group) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let state = words.next()?.chars().next()?;
    let start = words.by_ref().take(5).collect::<Vec<_>>().join(" ");
    let start = jiff::civil::DateTime::strptime("%a %b %d %H:%M:%S %Y", start).ok()?;
    let start = start.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    let identity = ProcessIdentity { pid, start_ticks: start.try_into().ok()? };
    let name = words.collect::<Vec<_>>().join(" ");
    // Waiting for long (`I`) is waiting (`S`), and `U` is waiting that nothing interrupts.
    let state = match state {
        'I' => 'S',
        'U' => 'D',
        other => other,
    };
    Some(Process { identity, parent, group, session: 0, name, state, ended: state == 'Z' })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read() {
        let found = parse(411, "    1   411 Ss   Sun Nov  1 13:28:37 2026     a daemon\n").unwrap();
        assert_eq!(found.identity, ProcessIdentity { pid: 411, start_ticks: 1_793_539_717 });
        assert_eq!((found.parent, found.group, found.state, found.ended), (1, 411, 'S', false));
        assert_eq!(found.name, "a daemon");
        assert!(parse(411, "    1   411 Z    Sun Nov  1 13:28:37 2026     (a)\n").unwrap().ended);
        assert_eq!(parse(411, ""), None);
        assert_eq!(parse(411, "1 411 S Tue Nov 31 13:28:37 2026 a"), None);
    }
}
