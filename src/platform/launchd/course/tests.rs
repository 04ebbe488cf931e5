//! The races that people meet, played against a small launchd.

use super::*;
use crate::model::duration::Span;

/// The code and the words for a command, at a time.
type Answers<'a> = Box<dyn FnMut(&str, Duration) -> (i32, String) + 'a>;

/// A launchd that a test writes: it answers, and time passes.
struct Played<'a> {
    answer: Answers<'a>,
    asked: Vec<String>,
    asks: bool,
}

impl<'a> Played<'a> {
    fn by(answer: impl FnMut(&str, Duration) -> (i32, String) + 'a) -> Self {
        Self { answer: Box::new(answer), asked: Vec::new(), asks: true }
    }

    /// Plays a course to its end. Says how it ended, and how long it took.
    fn play(&mut self, subject: Subject, goal: Goal) -> (Result<(), Trouble>, Duration) {
        let mut course = Course::new(subject, goal);
        let mut now = Duration::ZERO;
        let mut last: Option<(i32, String)> = None;
        let mut asked = None;
        loop {
            let heard = match (&last, asked) {
                (Some((code, text)), _) => Heard::Answer(Answer {
                    code: Some(*code),
                    stdout: if *code == 0 { text } else { "" },
                    stderr: if *code == 0 { "" } else { text },
                }),
                (None, Some(there)) => Heard::Asked(there),
                (None, None) => Heard::Nothing,
            };
            let next = course.next(heard, now);
            (last, asked) = (None, None);
            match next {
                Move::Launchctl(words, _) => {
                    let line = words.join(" ");
                    last = Some((self.answer)(&line, now));
                    self.asked.push(line);
                    now += Duration::from_millis(10);
                }
                Move::Ask(pid) => {
                    assert_eq!(pid, 7);
                    self.asked.push("ask".to_owned());
                    asked = Some(self.asks);
                }
                Move::Pause(pause) => now += pause,
                Move::Done => return (Ok(()), now),
                Move::Failed(trouble) => return (Err(trouble), now),
            }
            assert!(now < Duration::from_secs(600), "{:?}", self.asked);
        }
    }

    /// What was asked, each look that repeats another left out.
    fn told(&self) -> Vec<&str> {
        let mut told: Vec<&str> = self.asked.iter().map(String::as_str).collect();
        told.dedup();
        told
    }
}

fn subject() -> Subject {
    Subject {
        label: "l".to_owned(),
        file: "/a/l.plist".into(),
        domains: vec!["gui/501".to_owned(), "user/501".to_owned()],
        definition: Some("new".to_owned()),
        at_boot: true,
        stop_limit: Span::seconds(20),
    }
}

/// The same where there is the domain of the screen alone.
fn at_screen() -> Subject {
    Subject { domains: vec!["gui/501".to_owned()], ..subject() }
}

fn job(pid: Option<u32>, definition: &str) -> (i32, String) {
    let (state, pid) = match pid {
        Some(pid) => ("running", format!("\tpid = {pid}\n")),
        None => ("not running", String::new()),
    };
    let text = format!(
        "gui/501/l = {{\n\tstate = {state}\n{pid}\tenvironment = {{\n\t\tMAINSTAY_DEFINITION => {definition}\n\t}}\n}}\n"
    );
    (0, text)
}

fn fine() -> (i32, String) {
    (0, String::new())
}

fn no_service() -> (i32, String) {
    (113, "Could not find service".to_owned())
}

fn busy() -> (i32, String) {
    (5, "Bootstrap failed: 5: Input/output error".to_owned())
}

#[test]
fn a_first_start_registers_and_looks() {
    let mut there = false;
    let mut launchd = Played::by(|line, _| match line {
        "print gui/501/l" if there => job(Some(7), "new"),
        "bootstrap gui/501 /a/l.plist" => {
            there = true;
            fine()
        }
        line if line.starts_with("print") => no_service(),
        _ => fine(),
    });
    assert_eq!(launchd.play(subject(), Goal::Start).0, Ok(()));
    assert_eq!(
        launchd.told(),
        [
            "print gui/501/l",
            "print user/501/l",
            "enable gui/501/l",
            "bootstrap gui/501 /a/l.plist",
            "print gui/501/l"
        ]
    );
}

#[test]
fn what_runs_goes_on_and_what_does_not_start_at_boot_is_disabled_last() {
    let mut launchd =
        Played::by(|line, _| if line.starts_with("print") { job(Some(7), "new") } else { fine() });
    assert_eq!(launchd.play(at_screen(), Goal::Start).0, Ok(()));
    assert_eq!(launchd.told(), ["print gui/501/l"]);
    let by_hand = Subject { at_boot: false, ..subject() };
    let (mut there, mut disabled) = (false, true);
    let mut launchd = Played::by(|line, _| match line {
        "print gui/501/l" if there => job(Some(7), "new"),
        line if line.starts_with("print") => no_service(),
        line if line.starts_with("bootstrap") => {
            // A disabled service is registered without effect.
            there = !disabled;
            fine()
        }
        line => {
            disabled = line.starts_with("disable");
            fine()
        }
    });
    assert_eq!(launchd.play(by_hand, Goal::Start).0, Ok(()));
    drop(launchd);
    assert!(disabled && there);
}

#[test]
fn without_a_session_at_the_screen_the_users_own_domain_has_it() {
    let mut there = false;
    let mut launchd = Played::by(|line, _| match line {
        line if line.contains("gui/501") => (112, "Could not find domain".to_owned()),
        "print user/501/l" if there => job(Some(7), "new"),
        "print user/501/l" => no_service(),
        line => {
            there |= line.starts_with("bootstrap user/501");
            fine()
        }
    });
    assert_eq!(launchd.play(subject(), Goal::Start).0, Ok(()));
    assert!(launchd.asked.iter().any(|line| line == "bootstrap user/501 /a/l.plist"));
    let mut launchd = Played::by(|_, _| (112, "Could not find domain".to_owned()));
    assert!(matches!(launchd.play(subject(), Goal::Start).0, Err(Trouble::NoDomain { .. })));
    assert_eq!(launchd.play(subject(), Goal::Stop).0, Ok(()), "what has no domain runs nowhere");
}

#[test]
fn a_changed_definition_waits_for_the_label_to_go_and_for_launchd_to_take_it_again() {
    for code in [5, 37] {
        let (mut gone_at, mut taken) = (None, false);
        let mut launchd = Played::by(|line, now| {
            let leaving = gone_at.is_some_and(|moment| now < moment);
            match line {
                "print gui/501/l" if taken => job(Some(8), "new"),
                "print gui/501/l" if gone_at.is_none() || leaving => job(Some(7), "old"),
                line if line.starts_with("print") => no_service(),
                line if line.starts_with("bootout") => {
                    gone_at = Some(now + Duration::from_secs(4));
                    (36, "Operation now in progress".to_owned())
                }
                line if line.starts_with("bootstrap") => {
                    assert!(!leaving, "its label is still there");
                    taken = gone_at.is_some_and(|moment| now > moment + Duration::from_secs(5));
                    if taken { fine() } else { (code, "Bootstrap failed".to_owned()) }
                }
                _ => fine(),
            }
        });
        let (outcome, took) = launchd.play(subject(), Goal::Restart);
        assert_eq!(outcome, Ok(()), "{:?}", launchd.told());
        assert!(took > Duration::from_secs(9) && took < Duration::from_secs(15), "{took:?}");
    }
}

#[test]
fn a_registration_that_never_works_is_given_up_and_said() {
    let mut launchd = Played::by(|line, _| match line {
        line if line.starts_with("print") => no_service(),
        line if line.starts_with("bootstrap") => busy(),
        _ => fine(),
    });
    let (outcome, took) = launchd.play(subject(), Goal::Start);
    let Err(Trouble::NotRegistered { said, .. }) = outcome else { panic!("{outcome:?}") };
    assert!(said.contains("Input/output error"), "{said}");
    assert!(took >= Duration::from_secs(30) && took < Duration::from_secs(40), "{took:?}");
    // A success that registered nothing is no success.
    let mut launchd = Played::by(|line, _| if line.starts_with("print") { no_service() } else { fine() });
    assert!(matches!(launchd.play(subject(), Goal::Start).0, Err(Trouble::NotRegistered { .. })));
    // Every other code is said at once.
    let mut launchd = Played::by(|line, _| match line {
        line if line.starts_with("print") => no_service(),
        line if line.starts_with("bootstrap") => (1, "Operation not permitted".to_owned()),
        _ => fine(),
    });
    let (outcome, took) = launchd.play(subject(), Goal::Start);
    assert!(matches!(outcome, Err(Trouble::Refused { code: Some(1), .. })), "{outcome:?}");
    assert!(took < Duration::from_secs(1));
}

#[test]
fn what_is_registered_and_does_not_run_is_kicked() {
    let (mut there, mut runs) = (false, false);
    let mut launchd = Played::by(|line, _| match line {
        "print gui/501/l" if there => job(runs.then_some(9), "new"),
        line if line.starts_with("print") => no_service(),
        "kickstart gui/501/l" => {
            runs = true;
            fine()
        }
        line => {
            there |= line.starts_with("bootstrap");
            fine()
        }
    });
    assert_eq!(launchd.play(at_screen(), Goal::Start).0, Ok(()));
    drop(launchd);
    let mut launchd = Played::by(|line, _| if line.starts_with("print") { job(None, "new") } else { fine() });
    assert!(matches!(launchd.play(at_screen(), Goal::Start).0, Err(Trouble::NotStarted { .. })));
}

#[test]
fn a_restart_asks_first_and_kills_only_what_does_not_go() {
    // launchd starts it again by itself.
    let mut launchd = Played::by(|line, now| match line {
        line if line.starts_with("print") => {
            job(Some(if now > Duration::from_secs(3) { 8 } else { 7 }), "new")
        }
        line => panic!("{line}"),
    });
    assert_eq!(launchd.play(at_screen(), Goal::Restart).0, Ok(()));
    assert_eq!(launchd.told(), ["print gui/501/l", "ask", "print gui/501/l"]);
    drop(launchd);

    // It ends, and launchd puts the start off: then it is asked for.
    let mut kicked = false;
    let mut launchd = Played::by(|line, now| match line {
        "kickstart gui/501/l" => {
            kicked = true;
            fine()
        }
        line if line.starts_with("print") && kicked => job(Some(8), "new"),
        line if line.starts_with("print") => job((now < Duration::from_secs(3)).then_some(7), "new"),
        line => panic!("{line}"),
    });
    assert_eq!(launchd.play(at_screen(), Goal::Restart).0, Ok(()));
    drop(launchd);

    // It does not end.
    let mut killed = 0;
    let mut launchd = Played::by(|line, _| match line {
        "kickstart -k gui/501/l" => {
            killed += 1;
            fine()
        }
        line if line.starts_with("print") => job(Some(if killed > 0 { 8 } else { 7 }), "new"),
        line => panic!("{line}"),
    });
    let (outcome, took) = launchd.play(at_screen(), Goal::Restart);
    assert_eq!(outcome, Ok(()));
    assert!(took > Duration::from_secs(20), "its time to drain is kept: {took:?}");
    drop(launchd);
    assert_eq!(killed, 1);
}

#[test]
fn a_restart_that_gives_the_old_process_is_done_again_and_said_in_the_end() {
    let mut kicks = 0;
    let mut launchd = Played::by(|line, _| match line {
        "kickstart -k gui/501/l" => {
            kicks += 1;
            fine()
        }
        line if line.starts_with("print") => job(Some(if kicks > 1 { 8 } else { 7 }), "new"),
        line => panic!("{line}"),
    });
    launchd.asks = false;
    assert_eq!(launchd.play(at_screen(), Goal::Restart).0, Ok(()));
    drop(launchd);
    assert_eq!(kicks, 2);
    let mut launchd =
        Played::by(|line, _| if line.starts_with("print") { job(Some(7), "new") } else { fine() });
    launchd.asks = false;
    let (outcome, _) = launchd.play(at_screen(), Goal::Restart);
    assert_eq!(outcome, Err(Trouble::SameProcess { target: "gui/501/l".to_owned(), pid: 7 }));
}

#[test]
fn a_stop_waits_until_the_label_is_gone() {
    let mut gone_at = None;
    let mut launchd = Played::by(|line, now| match line {
        "bootout gui/501/l" => {
            gone_at = Some(now + Duration::from_secs(12));
            fine()
        }
        line if line.starts_with("print") && gone_at.is_none_or(|moment| now < moment) => job(Some(7), "new"),
        line if line.starts_with("print") => no_service(),
        line => panic!("{line}"),
    });
    let (outcome, took) = launchd.play(at_screen(), Goal::Stop);
    assert_eq!(outcome, Ok(()));
    assert!(took > Duration::from_secs(12), "{took:?}");
    drop(launchd);
    let mut launchd =
        Played::by(|line, _| if line.starts_with("print") { job(Some(7), "new") } else { fine() });
    assert!(matches!(launchd.play(at_screen(), Goal::Stop).0, Err(Trouble::StillThere { .. })));
    let mut launchd = Played::by(|_, _| no_service());
    assert_eq!(launchd.play(subject(), Goal::Stop).0, Ok(()));
    assert_eq!(launchd.told(), ["print gui/501/l", "print user/501/l"], "nothing is there to stop");
}

/// Plays a launchd that has the label in both domains. Gives what it was asked, and what is left.
fn doubled(goal: Goal) -> (Vec<String>, [bool; 2]) {
    let mut there = [true, true];
    let mut launchd = Played::by(|line, now| {
        let place = usize::from(line.contains("user/501"));
        match line.split(' ').next() {
            Some("print") if there[place] => {
                let restarted = goal == Goal::Restart && now > Duration::from_secs(3);
                job(Some(if restarted { 8 } else { 7 }), "new")
            }
            Some("print") => no_service(),
            Some("bootout") => {
                there[place] = false;
                fine()
            }
            _ => panic!("{line}"),
        }
    });
    assert_eq!(launchd.play(subject(), goal).0, Ok(()));
    let asked = launchd.told().into_iter().map(str::to_owned).collect();
    drop(launchd);
    (asked, there)
}

#[test]
fn what_two_domains_have_is_stopped_in_both_and_started_in_one() {
    // Whoever stops at the first leaves the other's supervisor to take the lock.
    let (asked, there) = doubled(Goal::Stop);
    assert_eq!(there, [false, false], "{asked:?}");
    for goal in [Goal::Start, Goal::Restart] {
        let (asked, there) = doubled(goal);
        assert_eq!(there, [true, false], "{asked:?}");
        let released = asked.iter().position(|line| line == "bootout user/501/l");
        let asking = asked.iter().position(|line| line == "ask");
        assert!(released.is_some() && asking.is_none_or(|asking| released < Some(asking)), "{asked:?}");
    }
}

#[test]
fn whether_it_starts_at_boot_is_said_to_the_domain_that_is_there() {
    let mut launchd =
        Played::by(
            |line, _| {
                if line.contains("gui") { (112, "Could not find domain".to_owned()) } else { fine() }
            },
        );
    assert_eq!(launchd.play(subject(), Goal::Disable).0, Ok(()));
    assert_eq!(launchd.told(), ["disable gui/501/l", "disable user/501/l"]);
}
