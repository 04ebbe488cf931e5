//! Answers in the forms that people have published of several releases of macOS, shortened; none was recorded here, and
//! names and paths are our own.

use super::*;

fn job(text: &str) -> Job {
    match service(Answer { code: Some(0), stdout: text, stderr: "" }) {
        Printed::Job(job) => job,
        other => panic!("{other:?}"),
    }
}

/// macOS 10.14 says `waiting` of a service that does not run, and nothing of a spawn's role.
const MOJAVE: &str = "dev.mainstay.web = {
	active count = 0
	path = /Users/ann/Library/LaunchAgents/dev.mainstay.web.plist
	state = waiting

	program = /usr/local/bin/web
	arguments = {
		/usr/local/bin/web
		--state = running
	}

	default environment = {
		PATH => /usr/bin:/bin:/usr/sbin:/sbin
	}

	domain = com.apple.xpc.launchd.user.domain.501.100006.Aqua
	minimum runtime = 10
	exit timeout = 5
	runs = 3
	successive crashes = 0
	last exit code = 0
}
";

/// macOS 12: a service that runs; its endpoints have states of their own.
const MONTEREY: &str = "system/dev.mainstay.web = {
	active count = 3
	path = /Library/LaunchDaemons/dev.mainstay.web.plist
	type = LaunchDaemon
	state = running

	program = /usr/local/mainstay/web/.runtime/mainstay
	arguments = {
		/usr/local/mainstay/web/.runtime/mainstay
		run
	}

	stdout path = /var/log/mainstay/web/supervisor.log
	default environment = {
		PATH => /usr/bin:/bin:/usr/sbin:/sbin
	}

	environment = {
		MAINSTAY_DEFINITION => 1f2e
		XPC_SERVICE_NAME => dev.mainstay.web
	}

	domain = system
	minimum runtime = 1
	exit timeout = 55
	runs = 1
	pid = 1047
	immediate reason = speculative
	last exit code = (never exited)

	semaphores = {
		successful exit => 0
	}

	endpoints = {
		\"dev.mainstay.other\" = {
			port = 0x4db03
			active = 0
			state = active
			pid = 9
		}
	}

	spawn type = interactive (4)
	properties = keepalive | runatload
}
";

/// macOS 14: a service that ended, with the name of its code beside it.
const SONOMA: &str = "gui/501/dev.mainstay.web = {
	active count = 0
	path = /Users/ann/Library/LaunchAgents/dev.mainstay.web.plist
	type = LaunchAgent
	state = not running

	program = /usr/local/bin/web
	domain = gui/501 [100021]
	asid = 100021
	minimum runtime = 1
	exit timeout = 55
	runs = 2
	last exit code = 78: EX_CONFIG

	resource coalition = {
		ID = 1203
		type = resource
		state = active
		active count = 1
		name = dev.mainstay.web
	}

	spawn type = interactive (4)
	jetsam priority = 40
}
";

/// macOS 15: a service whose process was killed, and which launchd is about to start again.
const SEQUOIA: &str = "gui/501/dev.mainstay.web = {
	active count = 0
	path = (submitted by ann)
	type = LaunchAgent
	state = spawn scheduled

	environment = {
		XPC_SERVICE_NAME => dev.mainstay.web
	}

	runs = 7
	last terminating signal = Killed: 9
}
";

#[test]
fn answers_of_several_releases_are_read() {
    let mojave = job(MOJAVE);
    assert_eq!((mojave.state.as_str(), mojave.pid, mojave.runs), ("waiting", None, Some(3)));
    assert_eq!(mojave.last_exit, Some(Exit::Code(0)));
    assert!(!mojave.runs() && mojave.definition.is_none());

    let monterey = job(MONTEREY);
    assert_eq!((monterey.state.as_str(), monterey.pid, monterey.runs), ("running", Some(1047), Some(1)));
    assert_eq!(monterey.last_exit, None, "it never ended");
    assert_eq!(monterey.definition.as_deref(), Some("1f2e"));
    assert!(monterey.runs() && !monterey.is_stale(Some("1f2e")) && monterey.is_stale(Some("3d4c")));
    assert_eq!(monterey.path.as_deref(), Some("/Library/LaunchDaemons/dev.mainstay.web.plist"));

    let sonoma = job(SONOMA);
    assert_eq!((sonoma.runs(), sonoma.last_exit), (false, Some(Exit::Code(78))));

    let sequoia = job(SEQUOIA);
    assert_eq!((sequoia.pid, sequoia.last_exit), (None, Some(Exit::Signal(9))));
    assert!(sequoia.is_coming() && sequoia.runs());
    assert!(sequoia.is_stale(Some("1f2e")), "what says nothing of its definition has another");
}

#[test]
fn what_is_not_there_is_told_from_what_can_not_be_understood() {
    let answer = |code, stderr| service(Answer { code: Some(code), stdout: "", stderr });
    let words = "Could not find service \"dev.mainstay.web\" in domain for port";
    assert_eq!(answer(113, words), Printed::NoService);
    assert_eq!(answer(113, ""), Printed::NoService);
    assert_eq!(answer(112, "Could not find domain for user: 501"), Printed::NoDomain);
    // Earlier releases have other codes for the same words.
    assert_eq!(answer(1, "Could not find service \"x\" in domain for system"), Printed::NoService);
    let said = "Operation not permitted".to_owned();
    assert_eq!(answer(1, "Operation not permitted\n"), Printed::Unknown { code: Some(1), said });
    // A success that says nothing is no service.
    assert!(matches!(answer(0, ""), Printed::Unknown { code: Some(0), .. }));
}

#[test]
fn both_words_for_a_disabled_service_are_read() {
    let old =
        "disabled services = {\n\t\t\"dev.mainstay.web\" => true\n\t\t\"dev.mainstay.web2\" => false\n\t}\n";
    let new = "disabled services = {\n\t\t\"dev.mainstay.web\" => disabled\n\t\t\"dev.mainstay.web2\" => enabled\n\t}\n";
    for stdout in [old, new] {
        let disabled = |label| is_disabled(Answer { code: Some(0), stdout, stderr: "" }, label);
        assert_eq!(disabled("dev.mainstay.web"), Some(true));
        assert_eq!(disabled("dev.mainstay.web2"), Some(false));
        assert_eq!(disabled("dev.mainstay.we"), Some(false), "of others it says nothing");
    }
    assert_eq!(is_disabled(Answer { code: Some(112), stdout: "", stderr: "" }, "x"), None);
}
