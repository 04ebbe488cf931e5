use std::io::Read;
use std::process::Stdio;

use mainstay::model::log_line::{LogLine, Stream};
use mainstay::model::size::Size;
use mainstay::model::status::Phase;
use rustix::process::Signal;

use crate::host::{Host, LONG, Running, program, spec, wait_for};

#[test]
fn what_the_program_writes_is_kept_and_rotated() {
    let mut spec = spec(&[&program("chatters"), "20000"]);
    spec.logs.max_size = Size::new(100_000);
    spec.logs.keep = 2;
    let host = Host::new(&spec);
    let mut driver = host.run();
    wait_for("the error", LONG, || host.log().contains("this is an error").then_some(()));
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
    let folder = host.layout.logs(&host.name);
    let mut names: Vec<_> =
        folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect();
    names.sort();
    assert_eq!(names, ["web.log", "web.log.1", "web.log.2"]);
    let mut all = Vec::new();
    for name in names.iter().rev() {
        let content = std::fs::read(folder.join(name)).unwrap();
        assert!(content.len() <= 100_000, "{name}: {}", content.len());
        all.extend(content);
    }
    let lines: Vec<_> = all
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| LogLine::parse(line).unwrap_or_else(|| panic!("{:?}", String::from_utf8_lossy(line))))
        .collect();
    let out: Vec<_> =
        lines.iter().filter(|line| line.stream == Stream::Output).map(|line| line.text).collect();
    assert_eq!(&out[out.len() - 2..], [&b"line 19999"[..], b"the end"]);
    // What is left is without a gap.
    let first: usize = std::str::from_utf8(&out[0][5..]).unwrap().parse().unwrap();
    assert_eq!(out.len(), 20_000 - first + 1);
    assert!(lines.iter().any(|line| line.stream == Stream::Error && line.text == b"this is an error"));
    assert!(lines.iter().any(|line| line.stream == Stream::Own && line.text == b"stopped"));
}

#[test]
fn a_person_at_a_terminal_sees_it_too() {
    let host = Host::new(&spec(&[&program("chatters"), "3"]));
    let mut command = host.driver("run", "web");
    command.env("DRIVER_OUTPUT", "echo").stdout(Stdio::piped());
    let mut driver = Running(command.spawn().unwrap());
    host.wait_for_phase(Phase::Ready);
    driver.signal(Signal::TERM);
    driver.wait();
    let mut seen = String::new();
    driver.0.stdout.take().unwrap().read_to_string(&mut seen).unwrap();
    assert_eq!(seen, "line 0\nline 1\nline 2\nthe end");
    assert!(host.log().contains(" out line 2\n"));
}

#[test]
fn a_journal_gets_it_directly() {
    let host = Host::new(&spec(&[&program("chatters"), "3"]));
    let mut command = host.driver("run", "web");
    command.env("DRIVER_OUTPUT", "inherit").stdout(Stdio::piped());
    let mut driver = Running(command.spawn().unwrap());
    host.wait_for_phase(Phase::Ready);
    driver.signal(Signal::TERM);
    driver.wait();
    let mut seen = String::new();
    driver.0.stdout.take().unwrap().read_to_string(&mut seen).unwrap();
    assert_eq!(seen, "line 0\nline 1\nline 2\nthe end");
    assert_eq!(host.log(), "");
}

#[test]
fn a_log_that_can_not_be_written_does_not_stop_the_program() {
    let host = Host::new(&spec(&[&program("chatters"), "100000"]));
    let log = host.layout.logs(&host.name).join("web.log");
    std::fs::create_dir_all(log.parent().unwrap()).unwrap();
    // Every write to it fails with "no space left on device".
    let full = host.layout.logs(&host.name);
    std::fs::remove_dir(&full).unwrap();
    std::fs::create_dir(&full).unwrap();
    std::os::unix::fs::symlink("/dev/full", &log).unwrap();
    let mut driver = host.run();
    // A link is not followed, so this supervisor refuses at once, and says where.
    let code = driver.code();
    // First of all: whoever reads it reads for ever.
    std::fs::remove_file(&log).unwrap();
    assert_eq!(code, Some(192));
    let mut driver = host.run();
    host.wait_for_phase(Phase::Ready);
    driver.signal(Signal::TERM);
    assert_eq!(driver.code(), Some(0));
}
