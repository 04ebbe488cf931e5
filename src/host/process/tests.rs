use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::host::rest::AsFd as _;

/// The numbers of a line of a status file (proc(5)).
fn numbers(status: &str, line: &str) -> Vec<u32> {
    let line = status.lines().find_map(|text| text.strip_prefix(line)).unwrap_or_default();
    line.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

/// All that comes out of a pipe.
fn whole(mut pipe: PipeReader) -> String {
    let (mut text, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        crate::host::rest::any(&[pipe.as_fd()], None).unwrap();
        match pipe.read(&mut piece) {
            Ok(0) => return String::from_utf8(text).unwrap(),
            Ok(length) => text.extend_from_slice(&piece[..length]),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
        }
    }
}

#[test]
fn no_thread_of_ours_is_ever_one_that_the_account_could_end() {
    if !rustix::process::getuid().is_root() {
        return;
    }
    let account = Credentials { uid: 65_534, gid: 65_533, groups: vec![65_532, 65_533] };
    let status = as_account(Some(&account), || std::fs::read_to_string("/proc/thread-self/status")).unwrap();
    assert_eq!(numbers(&status, "Uid:"), [0, 65_534, 0, 65_534]);

    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for thread in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
                    let Ok(status) = std::fs::read_to_string(thread.path().join("status")) else {
                        continue;
                    };
                    let users = numbers(&status, "Uid:");
                    assert!(users.first() != Some(&65_534) && users.get(2) != Some(&65_534), "{users:?}");
                }
            }
        });
        let mut last = String::new();
        for _ in 0..20 {
            let start = Start {
                program: Utf8Path::new("/bin/cat"),
                arguments: &["cat".to_owned(), "/proc/self/status".to_owned()],
                environment: Some(&BTreeMap::new()),
                folder: Some(Utf8Path::new("/")),
                account: Some(&account),
                leads_group: true,
                input: Input::Null,
                output: Sink::Pipe,
                error: Sink::Null,
            };
            let started = super::start(&start).unwrap();
            last = whole(started.output.unwrap());
        }
        done.store(true, Ordering::Relaxed);
        looking.join().unwrap();
        assert_eq!(numbers(&last, "Uid:"), [65_534; 4]);
        assert_eq!(numbers(&last, "Gid:"), [65_533; 4]);
        assert_eq!(numbers(&last, "Groups:"), [65_532, 65_533]);
        let capabilities = last.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
        assert!(capabilities.trim().bytes().all(|digit| digit == b'0'), "{capabilities}");
    });
}
