//! The log of a supervised program, where the supervisor keeps one; else the supervisor's own words go where the
//! program's output goes. A log that can't be written never stops the program: what can't be kept is lost, and the
//! next line that can be written says so.

use std::io::{self, Write};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::host::output::LogWriter;
use crate::model::level::Level;
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

    /// Keeps a line of the supervisor, with the prefix of sd-daemon(3) where it is more than news: the journal takes
    /// it off and remembers it, and so does whoever reads the log file. The same stands in the status, so a line that
    /// can't be kept is no loss.
    pub(crate) fn note(&mut self, level: Level, text: &str) {
        let prefix = match level {
            Level::Error => "<3>",
            Level::Warning => "<4>",
            Level::Info | Level::Debug => "",
        };
        match &mut self.writer {
            Some(writer) => {
                let _ = writer.note(&format!("{prefix}{text}"));
                if self.echo {
                    let _ = writeln!(io::stderr(), "[mainstay] {text}");
                }
            }
            None => pass_on(format!("{prefix}{text}\n").as_bytes()),
        }
    }

    /// Keeps a line of the supervisor about something that failed beside the program.
    pub(crate) fn warn(&mut self, text: &str) {
        self.note(Level::Warning, text);
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

/// Writes a line where the supervisor's own output goes, unless whoever reads there has fallen behind: a journal that
/// does not read must not hold the supervisor.
fn pass_on(line: &[u8]) {
    let mut stderr = io::stderr();
    let mut taken = [PollFd::new(&stderr, PollFlags::OUT)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    if poll(&mut taken, Some(&now)).is_ok_and(|ready| ready > 0)
        && taken[0].revents().contains(PollFlags::OUT)
    {
        let _ = stderr.write_all(line);
    }
}
