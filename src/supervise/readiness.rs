//! The question whether the program is ready, while it is being asked.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::process::Signal;

use crate::host::process::{Ended, Sink, Started};
use crate::host::{identity, probe};
use crate::model::launch::Probe;
use crate::model::status::ProcessIdentity;
use crate::model::token::{expand, expand_variables};
use crate::supervise::context::Context;
use crate::supervise::program::{Prepared, Program};

/// How long an answer may take that is asked for before the program starts: on this host nothing answers at
/// once, and a start must not wait for a host that is silent.
const CHECK_LIMIT: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(crate) struct Readiness {
    questions: probe::Questions,
    number: u64,
    asked: Asked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Nothing,
    Network(u64),
    Command(ProcessIdentity),
}

impl Readiness {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { questions: probe::Questions::new()?, number: 0, asked: Asked::Nothing })
    }

    pub(crate) fn descriptor(&self) -> &UnixDatagram {
        self.questions.descriptor()
    }

    /// Asks before the program starts. `Some`: the answer is there at once.
    pub(crate) fn check(&mut self, context: &Context, prepared: &Prepared) -> Option<probe::Answer> {
        match question(context, prepared) {
            Some(question) => self.ask(question, CHECK_LIMIT),
            None => Some(Err(String::new())),
        }
    }

    /// Asks. `Some`: the answer is there at once.
    pub(crate) fn start(&mut self, context: &Context, program: &Program) -> Option<probe::Answer> {
        let places = context.folders.places();
        match &context.spec.ready.probe {
            Probe::Http(_) | Probe::Tcp(_) => {
                question(context, &program.prepared).and_then(|question| self.ask(question, probe::LIMIT))
            }
            Probe::Command(command) => {
                let arguments: Vec<_> = command.iter().map(|argument| expand(argument, &places)).collect();
                match program.prepared.start_beside(context, &arguments, &[], || Sink::Null) {
                    Ok(Started { pid, .. }) => {
                        let unknown = ProcessIdentity { pid, start_ticks: 0 };
                        self.asked = Asked::Command(identity::identity_of(pid).unwrap_or(unknown));
                        None
                    }
                    Err(reason) => Some(Err(reason)),
                }
            }
            Probe::File(path) => {
                let path = context.folders.deploy.join(expand(path, &places));
                Some(match fs_err::metadata(&path).and_then(|metadata| metadata.modified()) {
                    Ok(changed) if changed >= program.file_clock => Ok(()),
                    Ok(_) => Err(format!("`{path}` is older than the program's start")),
                    Err(error) => Err(error.to_string()),
                })
            }
            Probe::Delay(_) | Probe::Notify => None,
        }
    }

    fn ask(&mut self, question: probe::Question, limit: Duration) -> Option<probe::Answer> {
        self.number += 1;
        match self.questions.ask(self.number, question, limit) {
            Ok(()) => {
                self.asked = Asked::Network(self.number);
                None
            }
            Err(error) => Some(Err(error.to_string())),
        }
    }

    /// The answer over the network, if it has come.
    pub(crate) fn answer(&mut self) -> Option<probe::Answer> {
        let mut current = None;
        for (number, answer) in self.questions.take() {
            if self.asked == Asked::Network(number) {
                self.asked = Asked::Nothing;
                current = Some(answer);
            }
        }
        current
    }

    /// The answer of a command, if it is the one that ended.
    pub(crate) fn answer_of(&mut self, ended: Ended) -> Option<probe::Answer> {
        match self.asked {
            Asked::Command(command) if command.pid == ended.pid => {
                self.asked = Asked::Nothing;
                Some(if ended.exit.success() { Ok(()) } else { Err(format!("the command {}", ended.exit)) })
            }
            _ => None,
        }
    }

    /// Nobody wants the answer any more.
    pub(crate) fn cancel(&mut self) {
        if let Asked::Command(command) = self.asked {
            // It is reaped with everything else.
            let _ = identity::signal(command, Signal::KILL);
        }
        self.asked = Asked::Nothing;
    }
}

fn question(context: &Context, prepared: &Prepared) -> Option<probe::Question> {
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
