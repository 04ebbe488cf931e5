//! Who takes what a process writes that lives on when its program and the supervisor have ended (`detach`). Without a
//! reader its next line would be its death (SIGPIPE, pipe(7)), so a small process of this same program reads on and
//! keeps it in the log, until nobody holds the other end any more.

use camino::Utf8Path;

use crate::host::identity;
use crate::host::output::{Lines, LogWriter};
use crate::host::pipe::{self, PipeReader};
use crate::host::process::{self, Input, Particulars, Sink, Start};
use crate::model::launch::LogPolicy;
use crate::model::log_line::Stream;
use crate::model::status::ProcessIdentity;
use crate::supervise::context::{Context, ProgramOutput};
use crate::supervise::environment::Environment;

/// The first words by which this program knows that it is to read on. The folder of the log, the instance, the stream
/// and the log's policy follow.
const WORDS: [&str; 2] = ["run", "--keep-output"];
/// The size of one read, in bytes.
const PIECE: usize = 16 << 10;

/// Has a process of its own read on from a pipe. `None`: the output goes elsewhere, or there can be none.
pub(super) fn start(context: &Context, pipe: &PipeReader, stream: Stream) -> Option<ProcessIdentity> {
    if context.output == ProgramOutput::Inherit {
        return None;
    }
    let policy = serde_json::to_string(&context.spec.logs).ok()?;
    let stream = if stream == Stream::Error { "err" } else { "out" };
    let words =
        [WORDS[0], WORDS[1], context.folders.logs.as_str(), context.spec.name.as_str(), stream, &policy];
    let arguments: Vec<String> = ["mainstay"].into_iter().chain(words).map(str::to_owned).collect();
    let program = process::own().ok()?;
    let start = Start {
        program: &program,
        arguments: &arguments,
        environment: Some(&Environment::new()),
        folder: Some(Utf8Path::new("/")),
        account: None,
        leads_group: true,
        input: Input::Null,
        output: Sink::Null,
        error: Sink::Null,
    };
    let particulars = Particulars { input: Some(pipe), ..Particulars::default() };
    let child = process::start_with(&start, &particulars).ok()?;
    identity::identity_of(child.pid)
}

/// Reads on from the standard input until its end, and gives the exit code; nothing if the words do not ask for it.
#[must_use]
pub fn keep_output(words: &[String]) -> Option<u8> {
    let [command, option, folder, name, stream, policy] = words else { return None };
    if [command, option] != WORDS {
        return None;
    }
    process::close_inherited();
    let Ok(policy) = serde_json::from_str::<LogPolicy>(policy) else { return Some(1) };
    let stream = if stream == "err" { Stream::Error } else { Stream::Output };
    let mut lines = Lines::new(stream);
    let mut piece = vec![0_u8; PIECE];
    loop {
        let mut whole = Vec::new();
        let length = pipe::read_input(&mut piece).unwrap_or(0);
        lines.take(piece.get(..length).unwrap_or_default(), &mut whole);
        if length == 0 {
            lines.end(&mut whole);
        }
        // Opened each time: the next supervisor keeps the same log, and puts its files away. What can't be kept is lost.
        if !whole.is_empty()
            && let Ok(mut writer) = LogWriter::open(Utf8Path::new(folder), name, policy.clone())
        {
            let _ = writer.write(&whole);
        }
        if length == 0 {
            return Some(0);
        }
    }
}
