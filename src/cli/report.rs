//! The mouth: data on standard output, talk on standard error, and with `--json` nothing on standard output
//! but JSON.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::cli::arguments::OutputArguments;
use crate::cli::screen::Screen;
use crate::cli::words;
use crate::cli::wrap::fitted;
use crate::engine::event::Event;
use crate::host::{environment, terminal};
use crate::plan::step::{DevelopmentVerb, Step};

/// What a person or a program is told.
pub(crate) struct Report {
    output: OutputArguments,
    bar: RefCell<Option<(String, ProgressBar)>>,
    closed: Cell<bool>,
    lost: Cell<bool>,
    undoes: Cell<bool>,
    /// What was noted already.
    noted: RefCell<BTreeSet<String>>,
    /// What is noted at the end.
    held: RefCell<Vec<String>>,
}

/// Colours by meaning; they vanish where the output is no terminal or `NO_COLOR` is set.
pub(crate) mod style {
    use super::{AnsiColor, Style};

    pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
    pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
    pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
    pub(crate) const HINT: Style = AnsiColor::Cyan.on_default();
    pub(crate) const STRONG: Style = Style::new().bold();
    pub(crate) const FAINT: Style = Style::new().dimmed();
}

/// A text in a style.
pub(crate) fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

impl Report {
    pub(crate) fn new(output: OutputArguments) -> Self {
        Self {
            output,
            bar: RefCell::new(None),
            closed: Cell::new(false),
            lost: Cell::new(false),
            undoes: Cell::new(false),
            noted: RefCell::new(BTreeSet::new()),
            held: RefCell::new(Vec::new()),
        }
    }

    /// Whether standard output is for a program.
    pub(crate) fn is_json(&self) -> bool {
        self.output.json
    }

    /// Whether each step is to be told.
    pub(crate) fn is_verbose(&self) -> bool {
        self.output.verbose
    }

    /// Whether a person sits at the terminal, to be asked.
    pub(crate) fn can_ask(&self) -> bool {
        !self.output.json && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Whether a person reads standard output as it comes.
    pub(crate) fn is_watched(&self) -> bool {
        !self.output.json && std::io::stdout().is_terminal()
    }

    /// Data: a line on standard output, unless that is for JSON. In front of a person it is broken between words.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        match self.columns() {
            Some(columns) => self.verbatim(fitted(text.as_ref(), columns)),
            None => self.verbatim(text),
        }
    }

    /// Data: a line on standard output that is not broken, as one of a file.
    pub(crate) fn verbatim(&self, text: impl AsRef<str>) {
        if !self.output.json {
            self.out(&format!("{}\n", text.as_ref()));
        }
    }

    /// What was done: a line on standard output, for whoever wants to hear more than what failed.
    pub(crate) fn done(&self, text: impl std::fmt::Display) {
        if !self.output.quiet {
            self.line(format!("{} {text}", styled(style::GOOD, "done:")));
        }
    }

    /// Data for a program: one document on standard output.
    pub(crate) fn document(&self, document: &impl Serialize) {
        // A document holds only strings, numbers, lists and maps of strings.
        let text = serde_json::to_string_pretty(document).unwrap_or_default();
        self.raw(&format!("{text}\n"));
    }

    /// Data for a program, a document a line.
    pub(crate) fn document_line(&self, document: &impl Serialize) {
        self.raw(&(serde_json::to_string(document).unwrap_or_default() + "\n"));
    }

    /// Data as it is, to the byte.
    pub(crate) fn raw(&self, text: &str) {
        let mut stdout = std::io::stdout().lock();
        let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
        self.note(written);
    }

    /// Data that may have styles, several lines at once.
    pub(crate) fn text(&self, text: &str) {
        self.out(text);
    }

    /// How much the terminal shows that standard output is; nothing where it is none.
    pub(crate) fn extent(&self) -> Option<terminal::Extent> {
        if self.output.json { None } else { terminal::extent(std::io::stdout()) }
    }

    /// How many columns standard error has for a person; nothing where it is no terminal.
    #[expect(clippy::unused_self, reason = "the mouth is asked, as for standard output")]
    pub(crate) fn columns_of_talk(&self) -> Option<usize> {
        terminal::extent(std::io::stderr()).map(|extent| extent.columns)
    }

    /// How many columns standard output has for a person; nothing where it is no terminal.
    pub(crate) fn columns(&self) -> Option<usize> {
        self.extent().map(|extent| extent.columns)
    }

    /// A screen on which to draw again and again, where a person looks at one.
    pub(crate) fn screen(&self) -> Option<Screen> {
        if self.is_watched() && terminal::moves_its_cursor() { Screen::open() } else { None }
    }

    /// Whether nobody reads standard output any more, as after `| head`: then there is nothing left to tell.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    fn out(&self, text: &str) {
        let mut stdout = anstream::stdout().lock();
        let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
        self.note(written);
    }

    /// A reader who has gone is no failure; a full disk is.
    fn note(&self, written: std::io::Result<()>) {
        let Err(error) = written else { return };
        if !self.closed.replace(true) && error.kind() != std::io::ErrorKind::BrokenPipe {
            self.lost.set(true);
            self.failure("what was to be told could not be written", &[error.to_string()], &[]);
        }
    }

    /// Whether data could not be written, and somebody waits for it.
    pub(crate) fn lost_data(&self) -> bool {
        self.lost.get()
    }

    /// Talk: a line on standard error.
    pub(crate) fn say(&self, text: impl AsRef<str>) {
        if !self.output.quiet {
            self.over_the_bar(text.as_ref());
        }
    }

    /// Something that did not go as wished and does not matter much.
    /// Whoever was asked about a plan has read its notices already; a digest is short for whoever wants to hear little.
    pub(crate) fn notice(&self, text: impl AsRef<str>) {
        let text = text.as_ref();
        if !self.noted.borrow_mut().insert(text.to_owned()) {
            return;
        }
        let shown = if self.is_verbose() { text.to_owned() } else { words::with_short_digests(text) };
        self.say(format!("{} {shown}", styled(style::DOUBTFUL, "note:")));
    }

    /// What was noted of one instance says nothing of the next.
    pub(crate) fn forget_notes(&self) {
        self.noted.borrow_mut().clear();
    }

    /// Something that is told at the end, unless the command fails by the very thing.
    pub(crate) fn later(&self, text: String) {
        self.held.borrow_mut().push(text);
    }

    /// Tells what was held back.
    pub(crate) fn tell_held(&self) {
        for text in self.held.take() {
            self.notice(text);
        }
    }

    /// What failed, why, and what to do.
    pub(crate) fn failure(&self, message: &str, causes: &[String], help: &[String]) {
        self.end_bar();
        // Among them are lines of a program's log.
        let visible = |text: &str| text.split('\n').map(words::visible).collect::<Vec<_>>().join("\n");
        talk(&in_lines(&format!("{} {}", styled(style::BAD, "error:"), visible(message))));
        for cause in causes {
            talk(&in_lines(&format!("  {} {}", styled(style::FAINT, "because"), visible(cause))));
        }
        for line in help {
            talk(&help_line(&visible(line)));
        }
    }

    /// What somebody has to see who is asked: a line on standard error, also for whoever wants to hear little.
    pub(crate) fn show(&self, text: &str) {
        self.over_the_bar(text);
    }

    /// Faults of a document, each with the text around it, and what to do.
    pub(crate) fn faults(&self, excerpts: &str, help: &[String]) {
        self.end_bar();
        talk(excerpts);
        for line in help {
            talk(&help_line(line));
        }
    }

    /// A question, without an end of line.
    pub(crate) fn ask(&self, question: &str) {
        self.end_bar();
        talk(&format!("{} ", in_lines(question).trim_end()));
    }

    /// What an operation tells while it works.
    pub(crate) fn event(&self, event: Event) {
        match event {
            Event::Unpacking { archive, read, total } => {
                self.progress(
                    &format!("unpacking {}", archive.file_name().unwrap_or_default()),
                    read,
                    Some(total),
                );
            }
            Event::Fetching { what, read, total } => {
                self.progress(&format!("fetching {}", words::visible(&what)), read, total);
            }
            Event::Step(Step::AwaitReady { tree, .. }) => {
                self.say(format!("  waiting until {tree} is ready"));
            }
            Event::Step(Step::Development { container, verb: DevelopmentVerb::Up }) => {
                self.end_bar();
                self.say(format!("  waiting until {} answers in {}", container.service, container.container));
            }
            Event::Step(step) => {
                self.end_bar();
                if self.output.verbose {
                    self.say(format!("  {step}"));
                }
            }
            // Whoever hears everything has heard it already.
            Event::Said { by, line, failed } if failed != self.is_verbose() => {
                self.say(format!("  {by}: {line}"));
            }
            Event::Said { .. } => {}
            Event::Preparing(step) => self.say(format!("  {}", words::visible(&step))),
            // Step by step it is for whoever wants to hear everything; anybody else hears that it takes a moment.
            Event::Undoing(step) if self.output.verbose || self.output.json => {
                self.forget_notes();
                self.notice(format!("undoing: {step}"));
            }
            Event::Undoing(_) => {
                self.end_bar();
                if !self.undoes.replace(true) {
                    self.say("  undoing what was done");
                }
            }
            Event::Recovered { name, operation, finished } => {
                let outcome = if finished { "finished" } else { "undone" };
                self.notice(format!("an interrupted {operation} of {name} was {outcome}"));
            }
            Event::Notice(text) => self.notice(text),
        }
    }

    /// Draws how far something has come, where somebody watches.
    fn progress(&self, label: &str, read: u64, total: Option<u64>) {
        if self.output.quiet || self.output.json || !std::io::stderr().is_terminal() {
            return;
        }
        if self.bar.borrow().as_ref().is_none_or(|(known, _)| known != label) {
            self.end_bar();
            let template = match total {
                Some(_) => "  {msg} [{bar:30}] {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
                None => "  {msg} {bytes}, {bytes_per_sec}",
            };
            let style = ProgressStyle::with_template(template);
            let bar = ProgressBar::new(total.unwrap_or(0)).with_message(label.to_owned());
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            // What was there before did not come in this time, and says nothing about the speed.
            bar.reset_eta();
            *self.bar.borrow_mut() = Some((label.to_owned(), bar.with_position(read)));
        }
        if let Some((_, bar)) = &*self.bar.borrow() {
            bar.set_position(read);
        }
        if total.is_some_and(|total| read >= total) {
            self.end_bar();
        }
    }

    fn end_bar(&self) {
        if let Some((_, bar)) = self.bar.borrow_mut().take() {
            bar.finish_and_clear();
        }
    }

    fn over_the_bar(&self, text: &str) {
        let text = in_lines(text);
        match &*self.bar.borrow() {
            Some((_, bar)) => bar.suspend(|| talk(&text)),
            None => talk(&text),
        }
    }
}

/// A text with its styles, if the terminal is to have colours.
pub(super) fn coloured(text: &str) -> String {
    match anstream::AutoStream::choice(&std::io::stdout()) {
        anstream::ColorChoice::Never => anstream::adapter::strip_str(text).to_string(),
        _ => text.to_owned(),
    }
}

/// A terminal that knows no escapes gets none, also where `CI` lets others believe that colours are wanted. Whoever forces
/// them (`CLICOLOR_FORCE`) has them.
pub(super) fn settle_colours() {
    let dumb = environment::variable("TERM").is_some_and(|terminal| terminal == "dumb");
    if dumb && environment::variable("CLICOLOR_FORCE").is_none() {
        anstream::ColorChoice::Never.write_global();
    }
}

/// How many lines a screen takes.
pub(super) fn rows() -> usize {
    terminal::extent(std::io::stdout()).map_or(usize::MAX, |extent| extent.rows)
}

/// Writes to the terminal as it is, without waiting for a line's end.
pub(super) fn terminal_write(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
}

/// What somebody who interrupts a command is told, from whatever thread.
pub(crate) fn interrupted(text: &str) {
    talk(&format!("\n{}", in_lines(&format!("{} {text}", styled(style::DOUBTFUL, "note:")))));
}

/// What helps. What is quoted stands below its first line, and says so once.
fn help_line(line: &str) -> String {
    if line.starts_with("  ") {
        in_lines(line)
    } else {
        in_lines(&format!("{} {line}", styled(style::HINT, "help:")))
    }
}

/// A text with its line's end, broken between words where a person sits in front of standard error.
fn in_lines(text: &str) -> String {
    let columns = terminal::extent(std::io::stderr()).map(|extent| extent.columns);
    columns.map_or_else(|| text.to_owned(), |columns| fitted(text, columns)) + "\n"
}

/// Writes to standard error. The terminal may have gone, or the disk be full that it is kept on: an operation goes on
/// all the same, so that nothing stays half done for want of somebody to tell.
fn talk(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}
