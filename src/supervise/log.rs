//! The log of a supervised program, where the supervisor keeps one. A log that can't be written never stops
//! the program: what can't be kept is lost, and the next line that can be written says so.

use std::io::{self, Write};

use crate::host::notify;
use crate::host::output::LogWriter;
use crate::host::rest::AsFd as _;
use crate::model::log_line::Stream;
use crate::supervise::context::{Context, ProgramOutput};

#[derive(Debug)]
pub(crate) struct Log {
    writer: Option<LogWriter>,
    echo: bool,
    lost: u64,
}

impl Log {
    pub(crate) fn open(context: &Context) -> io::Result<Self> {
        let spec = &context.spec;
        let (writer, echo) = match context.output {
            ProgramOutput::Inherit => (None, false),
            ProgramOutput::Capture { echo } => {
                let folder = &context.folders.logs;
                (Some(LogWriter::open(folder, spec.name.as_str(), spec.logs.clone())?), echo)
            }
        };
        Ok(Self { writer, echo, lost: 0 })
    }

    /// Keeps lines of the program.
    pub(crate) fn write(&mut self, lines: &[u8]) {
        let Some(writer) = &mut self.writer else { return };
        if lines.is_empty() {
            return;
        }
        if self.lost > 0 && writer.note(&format!("{} bytes could not be written here", self.lost)).is_ok() {
            self.lost = 0;
        }
        if let Err(unwritten) = writer.write(lines) {
            self.lost += unwritten.lost as u64;
        }
    }

    /// Keeps a line of the supervisor. What is lost of it stands in the status, too.
    pub(crate) fn note(&mut self, text: &str) {
        if let Some(writer) = &mut self.writer {
            let _ = writer.note(text);
            if self.echo {
                // The person at the terminal reads no prefix, and may have gone.
                let shown = text.strip_prefix("<4>").unwrap_or(text);
                let _ = writeln!(io::stderr(), "[mainstay] {shown}");
            }
            return;
        }
        let (line, errors) = (format!("{text}\n"), io::stderr());
        if !notify::tell_at_once(errors.as_fd(), &line) {
            let _ = errors.lock().write_all(line.as_bytes());
        }
    }

    /// Keeps a line of the supervisor that somebody should read, marked as sd-daemon(3) marks it.
    pub(crate) fn warn(&mut self, text: &str) {
        self.note(&format!("<4>{text}"));
    }

    /// Shows what the program wrote to a person at a terminal, who may have gone.
    pub(crate) fn echo(&self, piece: &[u8], stream: Stream) {
        if self.echo {
            let _ = match stream {
                Stream::Output => io::stdout().write_all(piece).and_then(|()| io::stdout().flush()),
                Stream::Error | Stream::Own => io::stderr().write_all(piece),
            };
        }
    }
}
