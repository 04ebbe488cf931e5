//! Sockets that outlive the program: no connection is refused while it is killed or restarted.

use std::fs;
use std::time::Duration;

use mainstay::engine::guard;
use mainstay::host::control::Connection;
use mainstay::host::identity;
use mainstay::model::launch::{LaunchSpec, Probe};
use mainstay::model::manifest::PlatformKind;
use mainstay::model::overlap::{Ask, SOCKET, Word};
use mainstay::model::socket::Socket;
use mainstay::model::status::{Exit, Phase};
use rustix::process::Signal;

#[cfg(target_os = "linux")]
use crate::host::Running;
use crate::host::{Host, LONG, free_port, program, spec, wait_for};
use crate::load::{Load, ask};

fn socket(listen: &str, name: Option<&str>) -> Socket {
    Socket { listen: listen.to_owned().try_into().unwrap(), name: name.map(str::to_owned) }
}

fn holding(listens: &[&str]) -> LaunchSpec {
    let mut spec = spec(&[&program("holds"), "one"]);
    spec.sockets = listens.iter().map(|listen| socket(listen, None)).collect();
    spec.ready.probe = Probe::Delay("50ms".parse().unwrap());
    spec.restart.delays = vec!["10ms".parse().unwrap()];
    spec.restart.limit = 1000;
    spec
}

fn loopback() -> String {
    format!("127.0.0.1:{}", free_port())
}

#[test]
fn the_program_gets_its_sockets_in_order_and_by_name() {
    let host = Host::new(&spec(&["/bin/true"]));
    let path = host.root.join("web.sock");
    let address = loopback();
    let mut spec = holding(&[]);
    spec.sockets = vec![socket(&address, Some("http")), socket(path.as_str(), None)];
    host.put(&spec);
    let mut running = host.run();
    host.wait_for_phase(Phase::Ready);
    let status = host.status().unwrap();
    let expected = format!("one {} 2 http:web\n", status.program.unwrap().pid);
    assert_eq!(ask(&address).unwrap(), expected);
    assert_eq!(ask(path.as_str()).unwrap(), expected);
    let descriptors = fs::read_dir(format!("/proc/{}/fd", status.program.unwrap().pid)).unwrap();
    let mut numbers: Vec<u32> =
        descriptors.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers.get(..5), Some(&[0, 1, 2, 3, 4][..]), "{numbers:?}");
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
    assert!(!path.exists(), "nobody answers there any more");
}

// The limits of another process can't be set elsewhere.
#[cfg(target_os = "linux")]
#[test]
fn a_small_limit_of_open_files_is_the_programs_alone() {
    let limit = |pid: u32| {
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap().to_owned();
        let words: Vec<&str> = line.split_whitespace().skip(3).take(2).collect();
        words.join(" ")
    };
    let address = loopback();
    let mut spec = holding(&[&address]);
    spec.limits.open_files = Some(16);
    let host = Host::new(&spec);
    let mut driver = host.driver("run", "web");
    // The supervisor itself may have few, and hands over all the same.
    let prlimit = |count| rustix::process::Rlimit { current: Some(count), maximum: Some(count) };
    let mut running = Running(driver.spawn().unwrap());
    let pid = rustix::process::Pid::from_raw(running.0.id().try_into().unwrap());
    rustix::process::prlimit(pid, rustix::process::Resource::Nofile, prlimit(128)).unwrap();
    host.wait_for_phase(Phase::Ready);
    let program = host.status().unwrap().program.unwrap().pid;
    assert_eq!((limit(program), limit(running.0.id())), ("16 16".to_owned(), "128 128".to_owned()));
    assert_eq!(ask(&address).unwrap(), format!("one {program} 1 web\n"));
    // Its own limit does not stand in the way of the next start.
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(program.try_into().unwrap()).unwrap(),
        Signal::KILL,
    )
    .unwrap();
    wait_for("the next start", LONG, || {
        let status = host.status().filter(|status| status.phase == Phase::Ready)?;
        status.program.filter(|next| next.pid != program)
    });
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
}

#[test]
fn what_can_not_be_started_says_so_through_the_hand_over() {
    let mut spec = holding(&[&loopback()]);
    let host = Host::new(&spec);
    let script = host.root.join("script");
    fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    spec.command = vec![script.to_string()];
    spec.restart.limit = 0;
    host.put(&spec);
    let mut running = host.run();
    assert_eq!(running.code(), Some(1));
    let status = host.status().unwrap();
    assert_eq!(status.last_exit, Some(Exit::NotStarted));
    assert!(status.message.contains("No such file or directory"), "{}", status.message);
}

#[test]
fn a_port_of_somebody_else_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut spec = holding(&[&address]);
    spec.restart.limit = 0;
    let host = Host::new(&spec);
    let mut guardian = host.guard();
    assert_eq!(guardian.code(), Some(1));
    let message = host.status().unwrap().message;
    assert!(message.contains(&format!("can't listen on {address}: Address already in use")), "{message}");
}

#[test]
fn killed_programs_supervisors_and_guardians_refuse_no_connection() {
    let host = Host::new(&spec(&["/bin/true"]));
    let path = host.root.join("web.sock");
    for place in [loopback(), path.to_string()] {
        host.put(&holding(&[&place]));
        let mut guardian = host.guard();
        let first = host.wait_for_phase(Phase::Ready);
        let load = Load::on(&place, 4);
        let mut last = first.clone();
        let another = |last: &mut mainstay::model::status::Status| {
            let before = last.program;
            *last = host.wait_for_status("another program", |status| {
                status.phase == Phase::Ready && status.program != before
            });
        };
        for _ in 0..3 {
            identity::signal(last.program.unwrap(), Signal::KILL).unwrap();
            another(&mut last);
        }
        for _ in 0..2 {
            identity::signal(last.supervisor, Signal::KILL).unwrap();
            another(&mut last);
        }
        // A guardian that the supervisor starts anew gets the sockets from it.
        let lock = host.layout.guardian_lock(&host.name);
        guardian.signal(Signal::KILL);
        guardian.wait();
        let second = wait_for("another guardian", LONG, || mainstay::host::holder::holder(&lock));
        identity::signal(last.supervisor, Signal::KILL).unwrap();
        another(&mut last);
        std::thread::sleep(Duration::from_millis(50));
        let count = load.end();
        assert_eq!(count.refused, 0, "{count:?}");
        assert!(count.answered > 100, "{count:?}");
        // Those that a killed program had in hand can't be saved by anybody.
        assert!(count.failed.len() <= 6 * 4, "{count:?}");
        identity::signal(second, Signal::TERM).unwrap();
        wait_for("the end of the guardian", LONG, || (!identity::runs(second)).then_some(()));
        assert!(ask(&place).is_err());
    }
}

#[test]
fn restarts_refuse_no_connection() {
    let address = loopback();
    let host = Host::new(&holding(&[&address]));
    let mut guardian = host.guard();
    let mut last = host.wait_for_phase(Phase::Ready);
    let load = Load::on(&address, 4);
    for _ in 0..20 {
        let before = last.program;
        guard::request_restart(&host.layout, &host.name).unwrap();
        last = host.wait_for_status("another program", |status| {
            status.phase == Phase::Ready && status.program != before
        });
    }
    let count = load.end();
    assert_eq!((count.refused, count.failed.len()), (0, 0), "{count:?}");
    assert!(count.answered > 100, "{count:?}");
    guardian.signal(Signal::TERM);
    assert_eq!(guardian.code(), Some(0));
}

#[test]
fn a_guardian_that_was_handed_sockets_closes_them_too() {
    let host = Host::new(&spec(&["/bin/true"]));
    let path = host.root.join("web.sock");
    host.put(&holding(&[path.as_str()]));
    let mut guardian = host.guard();
    host.wait_for_phase(Phase::Ready);
    guardian.signal(Signal::KILL);
    guardian.wait();
    let second = wait_for("another guardian", LONG, || guard::guardian_of(&host.layout, &host.name));
    assert!(path.exists());
    identity::signal(second, Signal::TERM).unwrap();
    wait_for("its end", LONG, || (!identity::runs(second)).then_some(()));
    assert!(!path.exists());
}

fn overlapping(address: &str) -> LaunchSpec {
    let mut spec = holding(&[address]);
    spec.overlap = true;
    spec
}

/// What a command asks of the supervisor, and the last word of the answer.
fn ask_supervisor(host: &Host, ask: &Ask) -> (Connection, Word) {
    let run = host.layout.run(&host.name, PlatformKind::Embedded);
    let mut connection = Connection::open(&run, SOCKET).unwrap();
    // Where it is busy it may have hung up already.
    let _ = connection.say(&ask.line());
    loop {
        let line = connection.next_line(LONG).unwrap();
        match serde_json::from_str(&line).unwrap() {
            Word::Starting => {}
            Word::Busy => {
                std::thread::sleep(Duration::from_millis(10));
                connection = Connection::open(&run, SOCKET).unwrap();
                let _ = connection.say(&ask.line());
            }
            word => return (connection, word),
        }
    }
}

#[test]
fn with_overlap_restarts_fail_no_request() {
    let address = loopback();
    let host = Host::new(&overlapping(&address));
    let mut guardian = host.guard();
    let first = host.wait_for_phase(Phase::Ready);
    let load = Load::on(&address, 4);
    let mut program = first.program;
    for _ in 0..20 {
        let (_, word) = ask_supervisor(&host, &Ask::Restart);
        assert_eq!(word, Word::Promoted);
        let status = host.wait_for_status("another program", |status| status.program != program);
        assert_eq!((status.phase, status.supervisor), (Phase::Ready, first.supervisor));
        program = status.program;
    }
    let count = load.end();
    assert_eq!((count.refused, count.failed.len()), (0, 0), "{count:?}");
    assert!(count.answered > 200, "{count:?}");
    wait_for("the end of what drains", LONG, || (host.programs().len() == 1).then_some(()));
    guardian.signal(Signal::TERM);
    assert_eq!(guardian.code(), Some(0));
    assert!(host.programs().is_empty());
}

#[test]
fn what_is_not_told_to_stay_goes_by_the_link() {
    let address = loopback();
    let old = overlapping(&address);
    let host = Host::new(&old);
    let mut new = old.clone();
    new.command = vec![program("holds"), "two".to_owned()];
    let mut running = host.run();
    let first = host.wait_for_phase(Phase::Ready);
    // The command dies before the link names the new launch.
    let (connection, word) = ask_supervisor(&host, &Ask::Switch(Box::new(new.clone())));
    assert_eq!(word, Word::Ready);
    drop(connection);
    wait_for("the end of the new start", LONG, || (host.programs().len() == 1).then_some(()));
    assert!(ask(&address).unwrap().starts_with("one "));
    assert_eq!(host.status().unwrap().program, first.program);
    // It says that the new one is to stay, and the link does not.
    let (mut connection, word) = ask_supervisor(&host, &Ask::Switch(Box::new(new.clone())));
    assert_eq!(word, Word::Ready);
    connection.say(&Ask::Promote.line()).unwrap();
    wait_for("the end of the new start", LONG, || (host.programs().len() == 1).then_some(()));
    assert_eq!(host.status().unwrap().program, first.program);
    drop(connection);
    // It dies after it.
    let (connection, word) = ask_supervisor(&host, &Ask::Switch(Box::new(new.clone())));
    assert_eq!(word, Word::Ready);
    host.put(&new);
    drop(connection);
    let status = host.wait_for_status("the new launch", |status| status.launch == new.identity());
    assert_eq!((status.phase, status.supervisor), (Phase::Ready, first.supervisor));
    wait_for("the end of the old start", LONG, || (host.programs().len() == 1).then_some(()));
    assert!(ask(&address).unwrap().starts_with("two "));
    // It crashes: the policy is the new one's, and so is the program.
    identity::signal(status.program.unwrap(), Signal::KILL).unwrap();
    host.wait_for_status("another program", |now| now.phase == Phase::Ready && now.program != status.program);
    assert!(ask(&address).unwrap().starts_with("two "));
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
}

#[test]
fn a_new_start_that_fails_changes_nothing() {
    let address = loopback();
    let old = overlapping(&address);
    let host = Host::new(&old);
    let mut running = host.run();
    let first = host.wait_for_phase(Phase::Ready);
    let mut new = old.clone();
    new.command = vec![program("exits"), "7".to_owned()];
    let (_, word) = ask_supervisor(&host, &Ask::Switch(Box::new(new.clone())));
    assert!(matches!(word, Word::Failed { exit: Some(Exit::Code(7)), .. }), "{word:?}");
    new.command = vec!["/no/such/program".to_owned()];
    let (_, word) = ask_supervisor(&host, &Ask::Switch(Box::new(new.clone())));
    assert!(matches!(word, Word::Failed { .. }), "{word:?}");
    new.sockets[0].name = Some("other".to_owned());
    let (_, word) = ask_supervisor(&host, &Ask::Switch(Box::new(new)));
    assert!(matches!(word, Word::Refused(_)), "{word:?}");
    assert_eq!(host.status().unwrap().program, first.program);
    assert!(ask(&address).unwrap().starts_with("one "));
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
}

#[test]
fn who_asks_nothing_keeps_nobody_from_asking() {
    let host = Host::new(&overlapping(&loopback()));
    let mut running = host.run();
    let first = host.wait_for_phase(Phase::Ready);
    let run = host.layout.run(&host.name, PlatformKind::Embedded);
    let _silent = Connection::open(&run, SOCKET).unwrap();
    let (_other, word) = ask_supervisor(&host, &Ask::Restart);
    assert_eq!(word, Word::Promoted);
    assert_ne!(host.status().unwrap().program, first.program);
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
}

#[test]
fn a_stop_and_a_crash_end_the_new_start_too() {
    let address = loopback();
    let mut slow = overlapping(&address);
    let host = Host::new(&slow);
    let mut running = host.run();
    let first = host.wait_for_phase(Phase::Ready);
    slow.ready.probe = Probe::Delay("30s".parse().unwrap());
    let run = host.layout.run(&host.name, PlatformKind::Embedded);
    let begin = || {
        let mut connection = Connection::open(&run, SOCKET).unwrap();
        connection.say(&Ask::Switch(Box::new(slow.clone())).line()).unwrap();
        wait_for("two programs", LONG, || (host.programs().len() == 2).then_some(()));
        connection
    };
    let mut connection = begin();
    identity::signal(first.program.unwrap(), Signal::KILL).unwrap();
    let last =
        wait_for("its end", LONG, || connection.next_line(LONG).filter(|line| line.contains("failed")));
    assert!(last.contains("what ran beside it has ended"), "{last}");
    host.wait_for_status("another program", |now| now.phase == Phase::Ready && now.program != first.program);
    wait_for("one program", LONG, || (host.programs().len() == 1).then_some(()));
    drop(connection);
    let _connection = begin();
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
    assert!(host.programs().is_empty());
}

#[test]
fn a_new_start_says_itself_that_it_is_ready_and_is_not_taken_for_the_old_one() {
    let address = loopback();
    let mut spec = overlapping(&address);
    spec.command = vec![program("notifies"), "150".to_owned()];
    spec.ready.probe = Probe::Notify;
    let host = Host::new(&spec);
    let mut running = host.run();
    let mut last = host.wait_for_phase(Phase::Ready);
    for _ in 0..2 {
        let began = std::time::Instant::now();
        let (_, word) = ask_supervisor(&host, &Ask::Restart);
        assert_eq!(word, Word::Promoted);
        assert!(began.elapsed() >= Duration::from_millis(150), "the old one's word was taken for it");
        let status = host.status().unwrap();
        assert_ne!(status.program, last.program);
        last = status;
    }
    // It can't be told apart at a socket that both listen on.
    spec.ready.probe = Probe::Tcp(address);
    host.put(&spec);
    let (_, word) = ask_supervisor(&host, &Ask::Restart);
    assert!(matches!(word, Word::Refused(_)), "{word:?}");
    // Nor where the old one listens by itself.
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    spec.command = vec![program("holds"), "one".to_owned()];
    spec.ready.probe = Probe::Tcp(busy.local_addr().unwrap().to_string());
    host.put(&spec);
    let (_, word) = ask_supervisor(&host, &Ask::Restart);
    assert!(matches!(word, Word::Refused(_)), "{word:?}");
    assert_eq!(host.status().unwrap().program, last.program);
    // Nobody answers there now, so that a new start is waited for.
    drop(busy);
    spec.ready.timeout = "300ms".parse().unwrap();
    host.put(&spec);
    let (_, word) = ask_supervisor(&host, &Ask::Restart);
    assert!(matches!(word, Word::Failed { exit: Some(Exit::NotReady), .. }), "{word:?}");
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
}

#[test]
fn what_drains_keeps_its_children_and_takes_them_along() {
    let address = loopback();
    let mut spec = overlapping(&address);
    // The child leads a session of its own, and outlives its parent: only its mark tells whose it is.
    let script = format!("setsid sleep 600 & trap 'exit 0' TERM; {} one & wait; wait", program("holds"));
    spec.command = vec!["/bin/sh".to_owned(), "-c".to_owned(), script];
    let host = Host::new(&spec);
    let mut running = host.run();
    host.wait_for_phase(Phase::Ready);
    let sleeps = || host.programs().into_iter().filter(|process| process.name == "sleep").count();
    wait_for("the child", LONG, || (sleeps() == 1).then_some(()));
    let (_, word) = ask_supervisor(&host, &Ask::Restart);
    assert_eq!(word, Word::Promoted);
    wait_for("the old child's end, and the new one", LONG, || (sleeps() == 1).then_some(()));
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
    assert!(host.programs().is_empty());
}

#[test]
fn what_drains_leaves_behind_what_is_to_live_on() {
    let mut spec = overlapping(&loopback());
    let script = format!("setsid sleep 600 & exec {} one", program("holds"));
    spec.command = vec!["/bin/sh".to_owned(), "-c".to_owned(), script];
    spec.detach = vec!["sleep".to_owned()];
    let host = Host::new(&spec);
    let mut running = host.run();
    let first = host.wait_for_phase(Phase::Ready);
    let named = |name: &str| {
        let mut found = host.programs();
        found.retain(|process| process.name == name);
        found
    };
    let old = wait_for("the child", LONG, || named("sleep").pop());
    let (_, word) = ask_supervisor(&host, &Ask::Restart);
    assert_eq!(word, Word::Promoted);
    let status = host.wait_for_status("what lives on", |status| status.detached.contains(&old.identity));
    assert_ne!(status.program, first.program);
    assert_eq!(named("holds").len(), 1);
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
    let left = named("sleep");
    assert!(left.len() == 2 && left.iter().any(|process| process.identity == old.identity), "{left:?}");
    for process in left {
        identity::signal(process.identity, Signal::KILL).unwrap();
    }
}
