//! Networks and servers that break.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::ground::Ground;
use crate::real::{LONG, await_some, is_root};
use crate::server::{Reply, Server, found};

const CUT: usize = 150_000;

fn tries(retries: u32) -> serde_json::Value {
    json!({ "download": { "timeout": "1s", "retries": retries } })
}

#[test]
fn a_slow_server_is_waited_for() {
    let ground = Ground::new(&tries(0));
    let archive = ground.archive("1.0.0", 1);
    let bytes = archive.bytes.clone();
    // All of it takes longer than it may be silent.
    let server = Server::new(move |asked| match asked.is_archive() {
        true => Reply::file(&bytes).slow(Duration::from_millis(80)),
        false => Reply::new(404),
    });
    ground.install(&server.address(&archive.name)).good();
    assert_eq!(ground.active_digest(), archive.digest());
    assert!(ground.parts().is_empty());
}

#[test]
fn what_was_cut_off_is_gone_on_with() {
    let ground = Ground::new(&tries(3));
    let archive = ground.archive("1.0.0", 1);
    let (name, bytes) = (archive.name.clone(), archive.bytes.clone());
    let files = vec![(name.clone(), bytes)];
    let server = Server::new(move |asked| {
        let reply = found(&files, asked);
        if asked.turn < 2 { reply.cut(CUT) } else { reply }
    });
    let output = ground.install(&server.address(&name)).good();
    assert!(output.err.contains("trying again"), "{output:?}");
    let asked = server.asked(&name);
    let begins: Vec<Option<usize>> = asked.iter().map(crate::server::Asked::from).collect();
    assert_eq!(begins, [None, Some(CUT), Some(2 * CUT)]);
    assert_eq!(asked[1].header("if-range"), Some("\"one\""));
    assert_eq!(ground.active_digest(), archive.digest());
}

#[test]
fn a_later_command_goes_on_where_one_has_failed() {
    let ground = Ground::new(&tries(0));
    let archive = ground.archive("1.0.0", 1);
    let files = vec![(archive.name.clone(), archive.bytes.clone())];
    let server = Server::new(move |asked| {
        let reply = found(&files, asked);
        if asked.turn == 0 && asked.is_archive() { reply.cut(CUT) } else { reply }
    });
    let address = server.address(&archive.name);
    let output = ground.install(&address).fails(1, "broke");
    assert!(output.err.contains("goes on with it"), "{output:?}");
    assert_eq!(ground.parts(), [CUT as u64]);
    ground.install(&address).good();
    assert_eq!(server.asked(&archive.name)[1].from(), Some(CUT));
    assert_eq!(ground.active_digest(), archive.digest());
    assert!(ground.parts().is_empty());
}

#[test]
fn an_interrupted_command_leaves_what_the_next_goes_on_with() {
    let ground = Ground::new(&tries(0));
    let archive = ground.archive("1.0.0", 1);
    let files = vec![(archive.name.clone(), archive.bytes.clone())];
    let server = Server::new(move |asked| {
        let reply = found(&files, asked);
        if asked.turn == 0 && asked.is_archive() { reply.slow(Duration::from_millis(100)) } else { reply }
    });
    let address = server.address(&archive.name);
    let mut command = ground.command(&["install", "--no-start", "--url", &address]);
    let child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    await_some("something to come", LONG, || ground.parts().first().copied().filter(|size| *size > 50_000));
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), None, "it ended by the signal");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("what was fetched is kept"), "{said}");
    let kept = ground.parts()[0];
    ground.install(&address).good();
    assert_eq!(server.asked(&archive.name)[1].from(), Some(usize::try_from(kept).unwrap()));
    assert_eq!(ground.active_digest(), archive.digest());
}

#[test]
fn a_server_without_ranges_begins_anew() {
    let ground = Ground::new(&tries(3));
    let archive = ground.archive("1.0.0", 1);
    let bytes = archive.bytes.clone();
    let server = Server::new(move |asked| {
        let reply = Reply::file(&bytes).header("ETag", "\"one\"");
        match (asked.is_archive(), asked.turn) {
            (false, _) => Reply::new(404),
            (_, 0) => reply.cut(CUT),
            _ => reply,
        }
    });
    ground.install(&server.address(&archive.name)).good();
    assert_eq!(server.asked(&archive.name).len(), 2);
    assert_eq!(ground.active_digest(), archive.digest());
}

#[test]
fn a_file_that_changed_between_two_tries_is_not_put_together_with_the_old_one() {
    // A good server answers with the whole new file; a bad one sends the rest of another one under its own tag.
    for good in [true, false] {
        let ground = Ground::new(&tries(3));
        let (old, new) = (ground.archive("1.0.0", 1), ground.archive("1.0.0", 2));
        let (first, then) = (old.bytes.clone(), new.bytes.clone());
        let server = Server::new(move |asked| match (asked.is_archive(), asked.turn) {
            (false, _) => Reply::new(404),
            (_, 0) => Reply::good(asked, &first, "\"old\"").cut(CUT),
            _ if good => Reply::good(asked, &then, "\"new\""),
            _ => {
                let mut asked = asked.clone();
                asked.headers.remove("if-range");
                Reply::good(&asked, &then, "\"new\"")
            }
        });
        ground.install(&server.address(&old.name)).good();
        assert_eq!(server.asked(&old.name).len(), if good { 2 } else { 3 });
        assert_eq!(ground.active_digest(), new.digest(), "good: {good}");
    }
}

#[test]
fn without_a_word_for_it_only_a_digest_lets_a_download_go_on() {
    let untagged = |known: bool, other: bool| {
        let ground = Ground::new(&tries(3));
        let archive = ground.archive("1.0.0", 1);
        // Another file of the same size: no length gives it away.
        let mut decoy = archive.bytes.clone();
        decoy[1000] ^= 1;
        let (bytes, first) = (archive.bytes.clone(), if other { decoy } else { archive.bytes.clone() });
        let server = Server::new(move |asked| {
            let part = |bytes: &[u8]| {
                let mut reply = Reply::good(asked, bytes, "");
                reply = reply.header("X", "y");
                reply
            };
            match (asked.is_archive(), asked.turn) {
                (false, _) => Reply::new(404),
                (_, 0) => part(&first).cut(CUT),
                _ => part(&bytes),
            }
        });
        let address = server.address(&archive.name);
        let digest = archive.digest();
        let mut arguments = vec!["install", "--no-start", "--url", &address];
        if known {
            arguments.extend(["--sha256", &digest]);
        }
        ground.run(&arguments).good();
        assert_eq!(ground.active_digest(), digest);
        server.asked(&archive.name).iter().map(crate::server::Asked::from).collect::<Vec<_>>()
    };
    assert_eq!(untagged(false, false), [None, None]);
    assert_eq!(untagged(true, false), [None, Some(CUT)]);
    // What is put together is looked at before it is believed.
    assert_eq!(untagged(true, true), [None, Some(CUT), None]);
}

#[test]
fn a_range_that_was_not_asked_for_is_refused() {
    for said in ["bytes 0-9/10", "bytes 150001-400999/401000", "nonsense", "bytes 150000-150009/99999999"] {
        let ground = Ground::new(&tries(3));
        let archive = ground.archive("1.0.0", 1);
        let bytes = archive.bytes.clone();
        let server = Server::new(move |asked| match (asked.is_archive(), asked.turn) {
            (false, _) => Reply::new(404),
            (_, 0) => Reply::good(asked, &bytes, "\"one\"").cut(CUT),
            _ => Reply::new(206).header("Content-Range", said).header("ETag", "\"one\""),
        });
        ground.install(&server.address(&archive.name)).fails(1, "other bytes than it was asked for");
        assert_eq!(server.asked(&archive.name).len(), 2, "{said}");
    }
}

#[test]
fn lengths_that_are_not_true_are_noticed() {
    // Longer than said: what was said comes, and is no archive.
    let ground = Ground::new(&tries(1));
    let archive = ground.archive("1.0.0", 1);
    let bytes = archive.bytes.clone();
    let server = Server::new(move |asked| match asked.is_archive() {
        true => Reply::file(&bytes).announce(CUT),
        false => Reply::new(404),
    });
    ground.install(&server.address(&archive.name)).fails(5, "cut short");
    ground.untouched();
    // Shorter than said: it is tried again, and fails at last.
    let bytes = archive.bytes.clone();
    let server = Server::new(move |asked| match asked.is_archive() {
        true => Reply::file(&bytes).announce(bytes.len() + 10),
        false => Reply::new(404),
    });
    ground.install(&server.address(&archive.name)).fails(1, "broke");
    assert_eq!(server.asked(&archive.name).len(), 2);
    // Larger than anything.
    let server = Server::new(move |asked| match asked.is_archive() {
        true => Reply::file(b"x").announce(9 << 30),
        false => Reply::new(404),
    });
    ground.install(&server.address("server-2.0.0.tar.gz")).fails(1, "more than is fetched");
}

#[test]
fn silence_has_an_end() {
    let ground = Ground::new(&tries(1));
    let archive = ground.archive("1.0.0", 1);
    let bytes = archive.bytes.clone();
    let server = Server::new(move |asked| match asked.is_archive() {
        true => Reply::file(&bytes).stall(if asked.turn == 0 { 0 } else { CUT }),
        false => Reply::new(404),
    });
    let began = Instant::now();
    ground.install(&server.address(&archive.name)).fails(1, "silent for 1 s");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(server.asked(&archive.name).len(), 2);
}

#[test]
fn answers_that_may_change_are_asked_for_again_and_others_are_not() {
    let ground = Ground::new(&tries(3));
    let archive = ground.archive("1.0.0", 1);
    let statuses = |name: &str| name.trim_start_matches("server-").trim_end_matches(".tar.gz").to_owned();
    let bytes = archive.bytes.clone();
    let server = Server::new(move |asked| {
        if asked.path.ends_with("SHA256SUMS") {
            return Reply::new(404);
        }
        let status: u16 = statuses(asked.path.rsplit('/').next().unwrap()).parse().unwrap();
        match (status, asked.turn) {
            (429, 0) => Reply::new(429).header("Retry-After", "1"),
            (500 | 503 | 408, 0 | 1) => Reply::new(status),
            (500 | 503 | 408 | 429, _) => Reply::file(&bytes),
            _ => Reply::new(status),
        }
    });
    for (status, words, count) in
        [(404, "there is nothing at", 1), (403, "403 (Forbidden)", 1), (410, "410", 1)]
    {
        let name = format!("server-{status}.tar.gz");
        ground.install(&server.address(&name)).fails(1, words);
        assert_eq!(server.asked(&name).len(), count, "{status}");
        ground.untouched();
    }
    for (status, count) in [(500, 3), (503, 3), (408, 3), (429, 2)] {
        let (name, began) = (format!("server-{status}.tar.gz"), Instant::now());
        let output =
            ground.run(&["install", "--no-start", "--force", "--url", &server.address(&name)]).good();
        assert!(output.err.contains(&status.to_string()), "{output:?}");
        assert_eq!(server.asked(&name).len(), count, "{status}");
        assert!(status != 429 || began.elapsed() >= Duration::from_secs(1), "it did not wait");
    }
}

#[test]
fn redirects_are_followed_with_care() {
    let ground = Ground::new(&tries(0));
    let archive = ground.archive("1.0.0", 1);
    let other = Server::of(vec![(archive.name.clone(), archive.bytes.clone())]);
    let to = other.address(&archive.name);
    let server = Server::new(move |asked| match asked.path.rsplit('/').next().unwrap() {
        "loop" => Reply::new(302).header("Location", "loop"),
        "SHA256SUMS" => Reply::new(404),
        "away.tar.gz" => Reply::new(301).header("Location", "here.tar.gz"),
        "here.tar.gz" => Reply::new(302).header("Location", &to),
        "file" => Reply::new(302).header("Location", "file:///etc/passwd"),
        _ => Reply::new(302).header("Location", "http://198.51.100.1/a.tar.gz"),
    });
    ground.install(&server.address("loop")).fails(1, "more than ten times");
    assert_eq!(server.asked("loop").len(), 11);
    ground.install(&server.address("file")).fails(1, "something of `file`");
    ground.install(&server.address("plain")).fails(4, "plain text");
    // The name and password of one server are none of the other's business.
    let address = server.address("away.tar.gz").replace("//", "//me:secret@");
    ground.install(&address).good();
    assert!(server.asked("here.tar.gz")[0].header("authorization").is_some());
    assert!(other.asked(&archive.name)[0].header("authorization").is_none());
    assert_eq!(ground.active_digest(), archive.digest());
}

#[test]
fn no_secret_of_an_address_is_shown_or_written() {
    let ground = Ground::new(&tries(0));
    let archive = ground.archive("1.0.0", 1);
    let files = vec![(archive.name.clone(), archive.bytes.clone())];
    let server = Server::new(move |asked| match asked.turn {
        0 if asked.path.contains(".gz") => Reply::new(500),
        _ => found(&files, asked),
    });
    let address = server.address(&archive.name).replace("//", "//someone:S3CRET@") + "?token=T0KEN";
    let failed = ground.install(&address).fails(1, "500");
    let refused = ground.install("https://someone:S3CRET@127.0.0.1:1/server-1.0.0.tar.gz?token=T0KEN");
    refused.fails(1, "can't be reached");
    let good = ground.run(&["install", "--no-start", "--verbose", "--json", "--url", &address]).good();
    let asked = server.asked(&archive.name);
    assert!(asked[0].path.ends_with("?token=T0KEN") && asked[0].header("authorization").is_some());
    let history = ground.run(&["history", "--json"]).good();
    assert!(history.out.contains("/files/server-1.0.0.tar.gz"), "{history:?}");
    assert!(history.out.contains(&archive.digest()), "{history:?}");
    let files = std::process::Command::new("grep")
        .args(["-rlE", "S3CRET|T0KEN|someone"])
        .args([ground.place.root.as_str(), ground.place.deploy().as_str()])
        .output()
        .unwrap();
    let everything = format!("{failed:?} {good:?} {history:?} {}", String::from_utf8_lossy(&files.stdout));
    for secret in ["S3CRET", "T0KEN", "someone", "root/"] {
        let shown = everything.replace(ground.place.root.as_str(), "");
        assert!(secret == "root/" || !shown.contains(secret), "{secret}: {shown}");
    }
    assert!(files.stdout.is_empty(), "{}", String::from_utf8_lossy(&files.stdout));
}

#[test]
fn two_commands_do_not_fetch_the_same_at_once() {
    let ground = Ground::new(&tries(0));
    let archive = ground.archive("1.0.0", 1);
    let files = vec![(archive.name.clone(), archive.bytes.clone())];
    let server = Server::new(move |asked| found(&files, asked).slow(Duration::from_millis(60)));
    let address = server.address(&archive.name);
    let mut first = ground.command(&["install", "--no-start", "--url", &address]).spawn().unwrap();
    await_some("something to come", LONG, || ground.parts().first().copied().filter(|size| *size > 30_000));
    ground.install(&address).fails(6, "another command is fetching");
    assert_eq!(first.wait().unwrap().code(), Some(0));
    assert_eq!(ground.active_digest(), archive.digest());
    assert_eq!(server.asked(&archive.name).len(), 1);
}

#[test]
fn a_full_disk_is_said_and_what_came_is_kept() {
    if !is_root() {
        eprintln!("left out: only root can make a small disk");
        assert!(std::env::var("CI").is_err(), "a full disk has to be tested, as root");
        return;
    }
    let ground = Ground::new(&tries(0));
    let archive = ground.archive("1.0.0", 1);
    let install = ground.place.layout.install(&"web".parse().unwrap());
    std::fs::create_dir_all(&install).unwrap();
    let mount = |program: &str, arguments: &[&str]| {
        assert!(
            std::process::Command::new(program).args(arguments).arg(&install).status().unwrap().success()
        );
    };
    mount("mount", &["-t", "tmpfs", "-o", "size=300k", "none"]);
    let bytes = archive.bytes.clone();
    let server = Server::new(move |asked| match asked.path.rsplit('/').next().unwrap() {
        "SHA256SUMS" => Reply::new(404),
        // Without a length it is not known before.
        "server-1.0.0.tar.gz" => Reply::good(asked, &bytes, "\"one\"").announce(usize::MAX),
        _ => Reply::good(asked, &bytes, "\"one\""),
    });
    let known = ground.install(&server.address("server-1.0.1.tar.gz"));
    let unknown = ground.install(&server.address(&archive.name));
    let kept = ground.parts();
    mount("mount", &["-o", "remount,size=10m"]);
    let then = ground.install(&server.address(&archive.name));
    let asked = server.asked(&archive.name);
    mount("umount", &["-l"]);
    known.fails(1, "the disk of");
    unknown.fails(1, "No space left");
    assert!(kept.iter().any(|size| *size > 200_000), "{kept:?}");
    then.good();
    assert!(asked.last().unwrap().from().is_some_and(|from| from > 200_000), "{asked:?}");
}
