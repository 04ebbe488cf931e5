//! One question to a program, while it is being asked: whether it is ready, whether it still works, whether somebody
//! needs it. Each of the three has an inquiry of its own, because they are asked at different times.
//!
//! Whoever keeps an inquiry
//!
//! - polls its [`descriptor`](Inquiry::descriptor), and wakes up at its [`deadline`](Inquiry::deadline) while a
//!   question is open,
//! - calls [`attend`](Inquiry::attend) after each wake-up, and [`answer_of`](Inquiry::answer_of) for each child that
//!   ended,
//! - calls [`cancel`](Inquiry::cancel) when nobody wants the answer any more. One question is open at a time: a new
//!   one cancels the one before.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::host::process::{Ended, Sink, kill_group};
use crate::host::rest::BorrowedFd;
use crate::host::{clock, identity, probe};
use crate::model::duration::Span;
use crate::model::health::{HealthPolicy, HealthProbe};
use crate::model::launch::Probe;
use crate::model::moment::BootMoment;
use crate::model::status::{Exit, ProcessIdentity};
use crate::model::token::{expand, expand_variables};
use crate::supervise::context::Context;
use crate::supervise::program::{Prepared, Program};

/// How long an answer may take that is asked for before the program starts: on this host nothing answers at
/// once, and a start must not wait for a host that is silent.
const CHECK_LIMIT: Duration = Duration::from_millis(500);
/// How much longer than its limit an answer over the network is waited for: its own word on what went wrong says
/// more, and only a name server that is silent makes it late.
const GRACE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Inquiry {
    questions: probe::Questions,
    number: u64,
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    asked: Asked,
    /// The limit, and when it is over. A command that asks for readiness has no limit of its own.
    until: Option<(Duration, BootMoment)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Network(u64),
    Command(ProcessIdentity),
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// It is so.
    Yes,
    /// It is not, and why that is known.
    No(String),
    /// It could not be asked, or did not answer in time, and why. Whoever asks decides on which side this counts:
    /// for readiness and health it is a failure, for idleness somebody may need the program.
    Unknown(String),
}

impl Reply {
    /// The reply where only a yes is good.
    pub(crate) fn answer(self) -> probe::Answer {
        match self {
            Self::Yes => Ok(()),
            Self::No(reason) | Self::Unknown(reason) => Err(reason),
        }
    }
}

impl Inquiry {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { questions: probe::Questions::new()?, number: 0, open: None })
    }

    /// Readable when there is something to attend to.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.questions.descriptor()
    }

    /// The ends of the connections with which it is asked over the network now.
    pub(crate) fn own_ends(&self) -> Vec<SocketAddr> {
        self.questions.own_ends()
    }

    /// When the open question is given up.
    pub(crate) fn deadline(&self) -> Option<BootMoment> {
        self.open.and_then(|open| open.until).map(|(_, until)| until)
    }

    /// Asks before the program starts whether something is ready already. `Some`: the answer is there at once.
    pub(crate) fn check(&mut self, context: &Context, prepared: &Prepared) -> Option<Reply> {
        match readiness_question(context, prepared) {
            Some(question) => self.ask(question, CHECK_LIMIT),
            None => Some(Reply::No("nothing can answer yet".to_owned())),
        }
    }

    /// Asks whether the program is ready. `Some`: the answer is there at once. `None` is also said where the program
    /// is not asked (`delay`, `notify`).
    pub(crate) fn readiness(&mut self, context: &Context, program: &Program) -> Option<Reply> {
        match &context.spec.ready.probe {
            Probe::Http(_) | Probe::Tcp(_) => {
                let question = readiness_question(context, &program.prepared)?;
                self.ask(question, probe::LIMIT)
            }
            Probe::Command(command) => self.run(context, &program.prepared, command, None),
            Probe::File(path) => {
                let path = context.folders.deploy.join(expand(path, &context.folders.places()));
                Some(match fs_err::metadata(&path).and_then(|metadata| metadata.modified()) {
                    Ok(changed) if changed >= program.file_clock => Reply::Yes,
                    Ok(_) => Reply::No(format!("`{path}` is older than the program's start")),
                    Err(error) => Reply::No(error.to_string()),
                })
            }
            Probe::Delay(_) | Probe::Notify => None,
        }
    }

    /// Asks whether a program that is ready still works. `Some`: the answer is there at once. `None` is also said
    /// where the program is not asked but says so itself (`notify`).
    pub(crate) fn health(
        &mut self,
        context: &Context,
        prepared: &Prepared,
        policy: &HealthPolicy,
    ) -> Option<Reply> {
        let limit = policy.timeout.duration();
        let expanded = |text: &str| expand_variables(text, |name| prepared.variable(name));
        match &policy.probe {
            HealthProbe::Http { address, status, body } => {
                let request = probe::Request {
                    status: *status,
                    body: body.clone(),
                    ..probe::Request::new(probe::Method::Get, expanded(address))
                };
                self.ask(probe::Question::Http(request), limit)
            }
            HealthProbe::Tcp(address) => self.ask(probe::Question::Tcp(expanded(address)), limit),
            HealthProbe::Command(command) => self.run(context, prepared, command, Some(limit)),
            HealthProbe::Notify => None,
        }
    }

    /// Asks a command (`idle.busy`) whether somebody needs the program: no is any exit code but 0. `Some`: the answer
    /// is there at once.
    pub(crate) fn need(
        &mut self,
        context: &Context,
        prepared: &Prepared,
        command: &[String],
        limit: Duration,
    ) -> Option<Reply> {
        self.run(context, prepared, command, Some(limit))
    }

    fn ask(&mut self, question: probe::Question, limit: Duration) -> Option<Reply> {
        self.cancel();
        self.number += 1;
        match self.questions.ask(self.number, question, limit) {
            Ok(()) => {
                let until = clock::boot_now().later(limit + GRACE);
                self.open = Some(Open { asked: Asked::Network(self.number), until: Some((limit, until)) });
                None
            }
            Err(error) => Some(Reply::Unknown(error.to_string())),
        }
    }

    fn run(
        &mut self,
        context: &Context,
        prepared: &Prepared,
        command: &[String],
        limit: Option<Duration>,
    ) -> Option<Reply> {
        self.cancel();
        let places = context.folders.places();
        let arguments: Vec<_> = command.iter().map(|argument| expand(argument, &places)).collect();
        match prepared.start_beside(context, &arguments, &[], || Sink::Null) {
            Ok(started) => {
                let unknown = ProcessIdentity { pid: started.pid, start_ticks: 0 };
                let process = identity::identity_of(started.pid).unwrap_or(unknown);
                let until = limit.map(|limit| (limit, clock::boot_now().later(limit)));
                self.open = Some(Open { asked: Asked::Command(process), until });
                None
            }
            Err(reason) => Some(Reply::Unknown(reason)),
        }
    }

    /// The reply, if it came over the network, or did not come in time.
    pub(crate) fn attend(&mut self, now: BootMoment) -> Option<Reply> {
        let mut reply = None;
        for (number, answer) in self.questions.take() {
            if self.open.is_some_and(|open| open.asked == Asked::Network(number)) {
                self.open = None;
                reply = Some(answer.map_or_else(Reply::No, |()| Reply::Yes));
            }
        }
        if let Some(Open { until: Some((limit, until)), .. }) = self.open
            && now >= until
        {
            self.cancel();
            let limit = Span::milliseconds(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
            reply = Some(Reply::Unknown(format!("no answer within {limit}")));
        }
        reply
    }

    /// The reply of a command, if it is the one that ended.
    pub(crate) fn answer_of(&mut self, ended: Ended) -> Option<Reply> {
        let Some(Open { asked: Asked::Command(command), .. }) = self.open else { return None };
        if command.pid != ended.pid {
            return None;
        }
        self.open = None;
        Some(match ended.exit {
            exit if exit.success() => Reply::Yes,
            exit @ Exit::Code(_) => Reply::No(format!("the command {exit}")),
            exit => Reply::Unknown(format!("the command {exit}")),
        })
    }

    /// Nobody wants the answer any more: a command is killed with its process group.
    pub(crate) fn cancel(&mut self) {
        if let Some(Open { asked: Asked::Command(command), .. }) = self.open.take() {
            // It is reaped with everything else.
            kill_group(command);
        }
    }
}

fn readiness_question(context: &Context, prepared: &Prepared) -> Option<probe::Question> {
    let expanded = |text: &str| expand_variables(text, |name| prepared.variable(name));
    match &context.spec.ready.probe {
        Probe::Http(address) => {
            let request = probe::Request::new(probe::Method::Get, expanded(address));
            Some(probe::Question::Http(request))
        }
        Probe::Tcp(address) => Some(probe::Question::Tcp(expanded(address))),
        Probe::Command(_) | Probe::File(_) | Probe::Delay(_) | Probe::Notify => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;
    use crate::host::os::testing::{IS_UNIX, PROGRAM, child_of, shell, waits};
    use crate::supervise::sample::{Sample, end_of, readable};

    const LIMIT: Duration = Duration::from_secs(10);

    fn policy(probe: HealthProbe, timeout: Duration) -> HealthPolicy {
        let timeout = Span::milliseconds(timeout.as_millis().try_into().unwrap());
        HealthPolicy { probe, every: Span::seconds(1), timeout, failures: 3 }
    }

    fn process(inquiry: &Inquiry) -> u32 {
        match inquiry.open.unwrap().asked {
            Asked::Command(process) => process.pid,
            Asked::Network(_) => panic!("no command"),
        }
    }

    #[test]
    fn a_command_says_yes_no_or_nothing() {
        let sample = Sample::new(&[PROGRAM]);
        let prepared = sample.prepared();
        let mut inquiry = Inquiry::new().unwrap();
        let mut said = |command: &[String]| {
            if let Some(reply) = inquiry.need(&sample.context, &prepared, command, LIMIT) {
                return reply;
            }
            assert!(inquiry.deadline().is_some());
            let ended = end_of(process(&inquiry));
            assert_eq!(inquiry.answer_of(Ended { pid: ended.pid + 1, ..ended }), None);
            let reply = inquiry.answer_of(ended).unwrap();
            assert_eq!(inquiry.deadline(), None);
            reply
        };
        let there = shell("test -d {data}", r"if not exist {data}\nul exit 1");
        assert_eq!(said(&there), Reply::Yes);
        let three = Reply::No("the command exited with code 3".to_owned());
        assert_eq!(said(&shell("exit 3", "exit 3")), three);
        if IS_UNIX {
            // Elsewhere a process ends with a code, whoever ends it.
            assert!(matches!(said(&shell("kill -9 $$", "")), Reply::Unknown(_)));
        }
        assert!(matches!(said(&["/nowhere/x".to_owned()]), Reply::Unknown(_)));
    }

    #[test]
    fn a_command_that_hangs_is_killed_with_what_it_started() {
        let sample = Sample::new(&[PROGRAM]);
        let prepared = sample.prepared();
        let policy = policy(HealthProbe::Command(waits(60)), LIMIT);
        let mut inquiry = Inquiry::new().unwrap();
        assert_eq!(inquiry.health(&sample.context, &prepared, &policy), None);
        let child = child_of(process(&inquiry));
        let (pid, until) = (process(&inquiry), inquiry.deadline().unwrap());
        assert_eq!(inquiry.attend(BootMoment(until.0 - 1)), None);
        assert_eq!(inquiry.attend(until), Some(Reply::Unknown("no answer within 10s".to_owned())));
        assert_eq!(end_of(pid).exit, Exit::Signal(9));
        while identity::process(child).is_some_and(|process| !process.ended) {
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(inquiry.attend(until), None);
    }

    #[test]
    fn health_over_http_looks_at_status_and_fields() {
        let mut sample = Sample::new(&[PROGRAM]);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        sample.context.spec.environment.insert("PORT".to_owned().try_into().unwrap(), port);
        let prepared = sample.prepared();
        let server = std::thread::spawn(move || {
            for status in ["ok", "sick"] {
                let (mut connection, _) = listener.accept().unwrap();
                let _ = connection.read(&mut [0; 1024]);
                let answer = format!("HTTP/1.1 207 Some\r\n\r\n{{\"status\":\"{status}\"}}");
                connection.write_all(answer.as_bytes()).unwrap();
            }
        });
        let body = BTreeMap::from([("/status".to_owned(), "ok".to_owned())]);
        let address = "http://127.0.0.1:{env.PORT}/health".to_owned();
        let policy = policy(HealthProbe::Http { address, status: Some(207), body }, LIMIT);
        let mut inquiry = Inquiry::new().unwrap();
        let mut replies = Vec::new();
        for _ in 0..2 {
            assert_eq!(inquiry.health(&sample.context, &prepared, &policy), None);
            readable(inquiry.descriptor());
            replies.extend(inquiry.attend(clock::boot_now()));
        }
        server.join().unwrap();
        let [Reply::Yes, Reply::No(reason)] = &replies[..] else { panic!("{replies:?}") };
        assert!(reason.ends_with("`/status` is `sick` instead of `ok`"), "{reason}");
    }

    #[test]
    fn an_answer_that_nobody_waits_for_is_passed_over() {
        let sample = Sample::new(&[PROGRAM]);
        let prepared = sample.prepared();
        let refused = policy(HealthProbe::Tcp("127.0.0.1:1".to_owned()), LIMIT);
        let mut inquiry = Inquiry::new().unwrap();
        assert_eq!(inquiry.health(&sample.context, &prepared, &refused), None);
        readable(inquiry.descriptor());
        inquiry.cancel();
        assert_eq!(inquiry.attend(clock::boot_now()), None);
        let said = policy(HealthProbe::Notify, LIMIT);
        assert_eq!(inquiry.health(&sample.context, &prepared, &said), None);
        assert_eq!(inquiry.deadline(), None);
    }
}
