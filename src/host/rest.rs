//! How a process waits that may rest for days, and what it gives back of its memory before.

use std::io;
use std::ops::Range;
use std::time::Duration;

use crate::host::clock;
#[cfg(windows)]
pub use crate::host::os::wait::any;
pub use crate::host::os::{AsFd, BorrowedFd, OwnedFd};
use crate::model::moment::BootMoment;

#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub use unix::any;
#[cfg(unix)]
pub(super) use unix::writable;

/// A wait without a deadline, or with one this far away, is a rest.
const LONG: Duration = Duration::from_secs(5);
/// A rest begins when nothing has happened for so long: who is woken more often gives nothing back, and pays nothing.
const QUIET: Duration = Duration::from_secs(1);

/// Waits until one of these descriptors is ready, the deadline is reached, or a signal was caught.
///
/// If that is long, the process gives back the pages that the kernel can read again from their files, once for each wait.
pub fn wait(waited: &[BorrowedFd<'_>], deadline: Option<BootMoment>) -> io::Result<()> {
    let left = deadline.map(|deadline| deadline.since(clock::boot_now()));
    if left.is_none_or(|left| left >= LONG) {
        if any(waited, Some(QUIET))? {
            return Ok(());
        }
        give_back();
    }
    let left = deadline.map(|deadline| {
        let left = deadline.since(clock::boot_now());
        // The clock counts whole milliseconds, so the limit is rounded up: not to wake just before it.
        if left.is_zero() { left } else { left + Duration::from_millis(1) }
    });
    any(waited, left).map(|_| ())
}

/// Gives back what was read of the program and its libraries. They stay in the kernel's cache of files, as those of any
/// program do; what is needed again is mapped again where it is touched.
#[cfg(target_os = "linux")]
fn give_back() {
    // Another thread could map something else between the look and the advice.
    let alone = fs_err::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1);
    if !alone {
        return;
    }
    let Ok(table) = fs_err::read_to_string("/proc/self/smaps") else { return };
    for mapping in unwritten(&table) {
        // SAFETY: the mapping is of a file, nobody may write to it, and none of its pages was ever changed (no anonymous
        // one, none in the swap): the next access finds the same bytes in the file. It is still what it was a moment ago,
        // because this process has one thread, and in between neither maps nor unmaps a file.
        #[expect(
            unsafe_code,
            reason = "no safe interface gives pages back; every condition is checked above"
        )]
        let _refused_where_locked = unsafe {
            rustix::mm::madvise(
                std::ptr::without_provenance_mut(mapping.start),
                mapping.len(),
                rustix::mm::Advice::LinuxDontNeed,
            )
        };
    }
}

#[cfg(not(target_os = "linux"))]
fn give_back() {}

/// The mappings of files that nobody may write to, and that hold nothing but what is in the file (`/proc/PID/smaps`,
/// proc(5)).
#[cfg_attr(
    all(not(target_os = "linux"), not(test)),
    expect(dead_code, reason = "only Linux has such a table")
)]
fn unwritten(table: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut candidate = None;
    // Both have to be said: where a kernel does not tell, nothing is given back.
    let mut clean = 0;
    for line in table.lines() {
        if let Some((mapping, of_file_and_fixed)) = head(line) {
            (candidate, clean) = (of_file_and_fixed.then_some(mapping), 0);
            continue;
        }
        let zero = line.strip_prefix("Anonymous:").or_else(|| line.strip_prefix("Swap:"));
        clean += u32::from(zero.is_some_and(|value| value.trim() == "0 kB"));
        if clean == 2 {
            found.extend(candidate.take());
        }
    }
    found
}

/// The first line of a mapping: start and end, rights, offset, device, inode, path. Says also whether it is of a file
/// and not to be written to.
fn head(line: &str) -> Option<(Range<usize>, bool)> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let number = |text: &str| usize::from_str_radix(text, 16).ok();
    let mapping = number(start)?..number(end)?;
    let rights = fields.next()?;
    let of_file = fields.nth(3).is_some_and(|path| path.starts_with('/'));
    Some((mapping, of_file && matches!(rights, "r--p" | "r-xp")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
5000-6000 r-xp 00001000 08:01 4242                       /usr/bin/a program
Rss:                  64 kB
Anonymous:             0 kB
AnonHugePages:         0 kB
Swap:                  0 kB
SwapPss:               0 kB
6000-7000 r--p 00002000 08:01 4242                       /usr/bin/a program
Anonymous:             4 kB
Swap:                  0 kB
7000-8000 r--p 00003000 08:01 4242                       /usr/bin/a program
Anonymous:             0 kB
Swap:                  4 kB
8000-9000 rw-p 00004000 08:01 4242                       /usr/bin/a program
Anonymous:             0 kB
Swap:                  0 kB
9000-a000 r--p 00000000 00:00 0
Anonymous:             0 kB
Swap:                  0 kB
a000-b000 r-xp 00000000 00:00 0                          [vdso]
Anonymous:             0 kB
Swap:                  0 kB
b000-c000 r--s 00000000 08:01 4243                       /usr/share/shared
Anonymous:             0 kB
Swap:                  0 kB
c000-d000 r--p 00000000 08:01 4244                       /usr/lib/untold
Anonymous:             0 kB
d000-f000 r--p 00000000 08:01 4244                       /usr/lib/library.so (deleted)
Anonymous:             0 kB
Swap:                  0 kB
";

    #[test]
    fn only_unchanged_pages_of_files_are_given_back() {
        assert_eq!(unwritten(TABLE), vec![0x5000..0x6000, 0xd000..0xf000]);
        assert!(unwritten("").is_empty());
    }
}
