//! Linux: proc(5) and the control group.

/// Whether the kernel limits the memory of this process's control group (`memory.max`, "Memory Interface Files" in
/// the kernel's cgroup-v2 documentation).
#[must_use]
pub fn is_limited() -> bool {
    let Ok(groups) = fs_err::read_to_string("/proc/self/cgroup") else { return false };
    let Some(own) = groups.lines().find_map(|line| line.strip_prefix("0::/")) else { return false };
    let limit = fs_err::read_to_string(format!("/sys/fs/cgroup/{own}/memory.max"));
    limit.is_ok_and(|limit| limit.trim().parse::<u64>().is_ok())
}

/// The proportional share of one process (`/proc/PID/smaps_rollup`, proc(5)), or, where that may not be read, all
/// that it holds in memory (`/proc/PID/statm`). `None`: it has ended.
pub(super) fn of(pid: u32) -> Option<u64> {
    let rollup = fs_err::read_to_string(format!("/proc/{pid}/smaps_rollup"));
    rollup.ok().and_then(|text| share(&text)).or_else(|| {
        let statm = fs_err::read_to_string(format!("/proc/{pid}/statm")).ok()?;
        let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
        Some(pages.saturating_mul(rustix::param::page_size() as u64))
    })
}

fn share(rollup: &str) -> Option<u64> {
    let kibibytes = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let number: u64 = kibibytes.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(number.saturating_mul(1 << 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_read() {
        let text = "7f-80 ---p 00:00 0 [rollup]\nRss:  2048 kB\nPss:  1024 kB\nPss_Anon: 4 kB\n";
        assert_eq!(share(text), Some(1 << 20));
        assert_eq!(share("Rss: 1 kB\n"), None);
    }
}
