//! Something that is done beside the program, once and within a limit: a stop hook, the reconcile command, the alert.
//!
//! A command is started as the program is (account, environment, working directory), and its output goes where the
//! program's goes: to the journal, or into the log among the program's lines. A request goes out on a thread of its
//! own. Whoever keeps an errand
//!
//! - polls its [`descriptors`](Errand::descriptors) and wakes up at its [`deadline`](Errand::deadline),
//! - calls [`attend`](Errand::attend) after each wake-up, and [`answer_of`](Errand::answer_of) for each child that
//!   ended, until one of them says how it ended: then it is dropped,
//! - calls [`cancel`](Errand::cancel) where nobody wants to know any more.

use std::time::Duration;

use crate::host::identity;
use crate::host::probe::{Method, Question, Questions, Request};
use crate::host::process::{Ended, Sink, kill_group};
use crate::host::rest::BorrowedFd;
use crate::model::duration::Span;
use crate::model::log_line::Stream;
use crate::model::moment::BootMoment;
use crate::model::status::ProcessIdentity;
use crate::model::token::{expand, expand_variables};
use crate::supervise::context::{Context, ProgramOutput};
use crate::supervise::log::Log;
use crate::supervise::pipe::Pipe;
use crate::supervise::program::Prepared;

/// How much longer than its limit a request is waited for: its own word on what went wrong says more, and only a
/// name server that is silent makes it late.
const GRACE: Duration = Duration::from_secs(1);

/// An errand under way.
#[derive(Debug)]
pub(crate) struct Errand {
    work: Work,
    limit: Duration,
    until: BootMoment,
}

#[derive(Debug)]
enum Work {
    Command { process: ProcessIdentity, pipes: Box<[Pipe; 2]> },
    Request(Questions),
}

/// How an errand ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finished {
    /// The command exited with 0, or the address answered with a status from 200 to 299.
    Success,
    /// It did not, and why.
    Failed(String),
    /// It took longer than this, and is given up; a command is killed with its process group.
    TimedOut(Duration),
}

impl Finished {
    /// Why it was no success.
    pub(crate) fn failure(&self) -> Option<String> {
        match self {
            Self::Success => None,
            Self::Failed(reason) => Some(reason.clone()),
            Self::TimedOut(limit) => {
                let limit = Span::milliseconds(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
                Some(format!("took longer than {limit}"))
            }
        }
    }
}

impl Errand {
    /// Starts a command, tokens unexpanded, with variables of its own beside those of the program.
    pub(crate) fn command(
        context: &Context,
        prepared: &Prepared,
        command: &[String],
        facts: &[(&str, String)],
        limit: Duration,
        now: BootMoment,
    ) -> Result<Self, String> {
        let places = context.folders.places();
        let arguments: Vec<_> = command.iter().map(|argument| expand(argument, &places)).collect();
        let sink = || match context.output {
            ProgramOutput::Inherit => Sink::Inherit,
            ProgramOutput::Capture { .. } => Sink::Pipe,
        };
        let started = prepared.start_beside(context, &arguments, facts, sink)?;
        // It is not reaped yet, so its number is its own even if it has ended.
        let process = identity::identity_of(started.pid)
            .unwrap_or(ProcessIdentity { pid: started.pid, start_ticks: 0 });
        let pipes =
            Box::new([Pipe::new(started.output, Stream::Output), Pipe::new(started.error, Stream::Error)]);
        Ok(Self { work: Work::Command { process, pipes }, limit, until: now.later(limit) })
    }

    /// Sends a POST to an address, in which `{env.NAME}` stands for a variable of the program.
    pub(crate) fn post(
        prepared: &Prepared,
        address: &str,
        limit: Duration,
        now: BootMoment,
    ) -> Result<Self, String> {
        let address = expand_variables(address, |name| prepared.variable(name));
        let asked = Questions::new().and_then(|questions| {
            let question = Question::Http(Request::new(Method::Post, address.clone()));
            questions.ask(0, question, limit).map(|()| questions)
        });
        let questions = asked.map_err(|error| format!("{address} can't be asked: {error}"))?;
        Ok(Self { work: Work::Request(questions), limit, until: now.later(limit + GRACE) })
    }

    /// Readable when there is something to attend to.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let (pipes, questions) = match &self.work {
            Work::Command { pipes, .. } => (Some(pipes.iter()), None),
            Work::Request(questions) => (None, Some(questions.descriptor())),
        };
        let pipes = pipes.into_iter().flatten().filter_map(Pipe::descriptor);
        pipes.chain(questions)
    }

    /// When it is given up.
    pub(crate) fn deadline(&self) -> BootMoment {
        self.until
    }

    /// Its process, which a stop of the program may have to spare.
    pub(crate) fn process(&self) -> Option<u32> {
        match &self.work {
            Work::Command { process, .. } => Some(process.pid),
            Work::Request(_) => None,
        }
    }

    /// Takes what a command has written or an address has answered, and gives up what takes too long.
    pub(crate) fn attend(&mut self, now: BootMoment, log: &mut Log) -> Option<Finished> {
        match &mut self.work {
            Work::Command { pipes, .. } => {
                let mut lines = Vec::new();
                for pipe in pipes.iter_mut() {
                    pipe.read(&mut lines, log);
                }
                log.write(&lines);
            }
            Work::Request(questions) => {
                if let Some((_, answer)) = questions.take().into_iter().next() {
                    return Some(answer.map_or_else(Finished::Failed, |()| Finished::Success));
                }
            }
        }
        (now >= self.until).then(|| {
            self.cancel(log);
            Finished::TimedOut(self.limit)
        })
    }

    /// How it ended, if this was its process.
    pub(crate) fn answer_of(&mut self, ended: Ended, log: &mut Log) -> Option<Finished> {
        if self.process() != Some(ended.pid) {
            return None;
        }
        self.flush(log);
        Some(if ended.exit.success() {
            Finished::Success
        } else {
            Finished::Failed(format!("the command {}", ended.exit))
        })
    }

    /// Ends it: a command is killed, an answer is not waited for. It is dropped then.
    pub(crate) fn cancel(&mut self, log: &mut Log) {
        if let Work::Command { process, .. } = self.work {
            // It is reaped with everything else.
            kill_group(process);
        }
        self.flush(log);
    }

    /// Takes what is there; what something in its background writes later is not waited for.
    fn flush(&mut self, log: &mut Log) {
        let Work::Command { pipes, .. } = &mut self.work else { return };
        let mut lines = Vec::new();
        for pipe in pipes.iter_mut() {
            pipe.read(&mut lines, log);
            pipe.end(&mut lines);
        }
        log.write(&lines);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;
    use crate::host::clock;
    use crate::host::os::testing::{PROGRAM, shell, waits};
    use crate::host::output::log_file;
    use crate::model::status::Exit;
    use crate::supervise::sample::{Sample, end_of, readable};

    const LIMIT: Duration = Duration::from_secs(10);

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_command_runs_as_the_program_does_and_its_output_is_kept() {
        let sample = Sample::new(&[PROGRAM]);
        let context = &sample.context;
        let mut log = Log::open(context).unwrap();
        let command = shell(
            "echo $MAINSTAY_NAME in {data} $FACT; printf half >&2; exit 4",
            "echo %MAINSTAY_NAME% in {data} %FACT%& <nul set /p=half>&2& exit 4",
        );
        let facts = [("FACT", "partial".to_owned())];
        let prepared = sample.prepared();
        let mut errand =
            Errand::command(context, &prepared, &command, &facts, LIMIT, clock::boot_now()).unwrap();
        let ended = end_of(errand.process().unwrap());
        assert_eq!(errand.attend(clock::boot_now(), &mut log), None);
        let finished = errand.answer_of(ended, &mut log).unwrap();
        assert_eq!(finished.failure().as_deref(), Some("the command exited with code 4"));
        let log = std::fs::read_to_string(log_file(&context.folders.logs, "web")).unwrap();
        assert!(log.contains(&format!(" out web in {} partial\n", context.folders.data)), "{log}");
        assert!(log.contains(" err half\n"), "{log}");
        let none = words(&["/nowhere/x"]);
        assert!(Errand::command(context, &prepared, &none, &[], LIMIT, clock::boot_now()).is_err());
    }

    #[test]
    fn a_command_that_takes_too_long_is_killed() {
        let sample = Sample::new(&[PROGRAM]);
        let mut log = Log::open(&sample.context).unwrap();
        let now = clock::boot_now();
        let command = waits(60);
        let mut errand =
            Errand::command(&sample.context, &sample.prepared(), &command, &[], LIMIT, now).unwrap();
        let pid = errand.process().unwrap();
        assert_eq!(errand.attend(now, &mut log), None);
        let finished = errand.attend(errand.deadline(), &mut log).unwrap();
        assert_eq!(finished.failure().as_deref(), Some("took longer than 10s"));
        assert_eq!(end_of(pid).exit, Exit::Signal(9));
    }

    #[test]
    fn a_post_is_sent_and_its_answer_counts() {
        let mut sample = Sample::new(&[PROGRAM]);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        sample.context.spec.environment.insert("PORT".to_owned().try_into().unwrap(), port);
        let prepared = sample.prepared();
        let mut log = Log::open(&sample.context).unwrap();
        let server = std::thread::spawn(move || {
            ["202 Accepted", "500 Broken"].map(|status| {
                let (mut connection, _) = listener.accept().unwrap();
                let mut asked = [0; 1024];
                let length = connection.read(&mut asked).unwrap();
                connection.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).unwrap();
                String::from_utf8_lossy(&asked[..length]).into_owned()
            })
        });
        let mut sent = || {
            let address = "http://127.0.0.1:{env.PORT}/shutdown";
            let mut errand = Errand::post(&prepared, address, LIMIT, clock::boot_now()).unwrap();
            readable(errand.descriptors().next().unwrap());
            errand.attend(clock::boot_now(), &mut log).unwrap()
        };
        assert_eq!(sent(), Finished::Success);
        assert!(sent().failure().unwrap().ends_with("answered 500"));
        let [asked, _] = server.join().unwrap();
        assert!(asked.starts_with("POST /shutdown HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains("\r\nContent-Length: 0\r\n"), "{asked}");
    }
}
