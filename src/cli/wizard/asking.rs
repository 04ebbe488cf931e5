//! Asking: one question after the other, with a way back, and a summary at the end.

use crate::host::signal::Signal;

use crate::cli::report::{Report, style, styled};
use crate::cli::words::visible;
use crate::cli::wrap::hanging;
use crate::engine::failure::Failure;
use crate::host::files::FileError;
use crate::host::keyboard::{self, Keyboard, Typed};
use crate::model::interview::{Empty, Given, Interview, Source};
use crate::model::package::{Question, QuestionKind};

/// What is typed to go back.
const BACK: &str = "<";
/// What stands in the place of a secret.
const MASK: &str = "********";

/// A person at a terminal.
pub(super) struct Person<'a> {
    report: &'a Report,
    keyboard: Keyboard,
    width: usize,
}

/// What a person says to a summary.
enum Verdict<'a> {
    Yes,
    No,
    Back,
    Change(&'a Question),
}

impl<'a> Person<'a> {
    /// Begins to ask. `ending` are the signals that nobody else in this program waits for.
    pub(super) fn new(report: &'a Report, ending: &[Signal]) -> Result<Self, Failure> {
        let keyboard = Keyboard::open(ending).map_err(unreadable)?;
        Ok(Self { report, keyboard, width: keyboard::width() })
    }

    /// Asks all that has no answer, and at the end whether it is right. `files` are those that the answers become.
    pub(super) fn interview<'q>(
        &mut self,
        title: &str,
        interview: &mut Interview<'q>,
        look: &dyn Fn(&Question, &str) -> Result<String, String>,
        files: &dyn Fn(&Interview<'_>) -> Vec<String>,
    ) -> Result<(), Failure> {
        self.say("", &styled(style::STRONG, visible(title)));
        self.say(
            "",
            &format!(
                "Enter takes what stands in brackets, `{BACK}` goes back, Ctrl-C ends and writes nothing."
            ),
        );
        loop {
            while let Some(question) = interview.next() {
                self.question(question, interview, look)?;
            }
            match self.summary(interview, files)? {
                Verdict::Yes => return Ok(()),
                Verdict::No => return Err(Failure::Declined),
                Verdict::Back => {
                    interview.back();
                }
                Verdict::Change(question) => interview.revise(question),
            }
        }
    }

    fn question<'q>(
        &mut self,
        question: &'q Question,
        interview: &mut Interview<'q>,
        look: &dyn Fn(&Question, &str) -> Result<String, String>,
    ) -> Result<(), Failure> {
        self.report.show("");
        self.say("", &styled(style::STRONG, visible(&question.ask)));
        if let Some(explain) = &question.explain {
            self.say("  ", &visible(explain));
        }
        for (index, choice) in question.choices.iter().enumerate() {
            let label = choice.label.as_ref().filter(|label| **label != choice.value);
            let label = label.map(|label| format!(" ({label})")).unwrap_or_default();
            let explain = choice.explain.as_ref().map(|explain| format!(": {explain}")).unwrap_or_default();
            let number = format!("  {}) ", index + 1);
            self.say(&number, &visible(&format!("{}{label}{explain}", choice.value)));
        }
        let empty = interview.empty(question);
        let made = crate::host::random::hex32().map_err(unreadable)?;
        loop {
            let typed = self.prompt(&offered(question, &empty), question.kind == QuestionKind::Secret)?;
            let typed = if question.kind == QuestionKind::Secret { &*typed } else { typed.trim() };
            if typed == BACK {
                if interview.back().is_some() {
                    return Ok(());
                }
                self.wrong("this is the first question");
                continue;
            }
            let looked = if typed.is_empty() { Ok(String::new()) } else { look(question, typed) };
            match looked.and_then(|typed| interview.answer(question, &typed, || made.clone())) {
                Ok(()) => return Ok(()),
                Err(reason) => self.wrong(&reason),
            }
        }
    }

    /// Shows the answers and the files, before anything is written.
    fn summary<'q>(
        &mut self,
        interview: &Interview<'q>,
        files: &dyn Fn(&Interview<'_>) -> Vec<String>,
    ) -> Result<Verdict<'q>, Failure> {
        self.report.show("");
        self.say("", &styled(style::STRONG, "These are the answers:"));
        let answers: Vec<(&Question, Option<&Given>)> = interview.answers().collect();
        for (index, (question, given)) in answers.iter().enumerate() {
            let number = format!("  {}) ", index + 1);
            self.say(&number, &format!("{}: {}", question.id, shown(question, *given)));
        }
        let written = files(interview);
        if !written.is_empty() {
            self.say("", &styled(style::STRONG, "These files are written:"));
            for file in &written {
                self.say("  ", &visible(file));
            }
        }
        let changeable = |id: &str| {
            let number = id.parse::<usize>().ok().and_then(|number| answers.get(number.checked_sub(1)?));
            let named = number.or_else(|| answers.iter().find(|(question, _)| question.id == id));
            named.map(|(question, given)| (*question, *given))
        };
        self.report.show("");
        self.say("", "Is that right? A number changes that answer.");
        loop {
            let typed = self.prompt("Y/n", false)?;
            let typed = typed.trim();
            match typed.to_lowercase().as_str() {
                "" | "y" | "yes" => return Ok(Verdict::Yes),
                "n" | "no" => return Ok(Verdict::No),
                BACK => return Ok(Verdict::Back),
                _ => {}
            }
            match changeable(typed) {
                Some((_, Some(given))) if matches!(given.source, Source::Kept | Source::Variables) => {
                    self.wrong(
                        "this stands in a file that is there already or was typed, which stays as it is",
                    );
                }
                Some((question, _)) => return Ok(Verdict::Change(question)),
                None => self.wrong("type `y`, `n`, or the number of an answer"),
            }
        }
    }

    fn prompt(&mut self, offered: &str, hidden: bool) -> Result<String, Failure> {
        let offered = if offered.is_empty() { String::new() } else { format!("[{offered}] ") };
        self.report.ask(&format!("{}>", visible(&offered)));
        match self.keyboard.line(hidden).map_err(unreadable)? {
            Typed::Line(line) => Ok(line),
            Typed::Interrupted => {
                self.report.show("");
                Err(Failure::Interrupted)
            }
        }
    }

    fn wrong(&self, reason: &str) {
        self.say("  ", &styled(style::BAD, visible(reason)));
    }

    /// A text, broken where the terminal ends; further lines stand below its first word.
    fn say(&self, before: &str, text: &str) {
        let further = before.chars().count();
        for line in hanging(&format!("{before}{text}"), self.width, further) {
            self.report.show(&line);
        }
    }
}

/// What Enter alone takes, in words.
fn offered(question: &Question, empty: &Empty) -> String {
    match (empty, question.kind) {
        (Empty::Value(_), _) if question.is_secret() => MASK.to_owned(),
        (Empty::Value(value), QuestionKind::YesNo) => if value == "true" { "Y/n" } else { "y/N" }.to_owned(),
        (Empty::Value(value), _) => value.clone(),
        (Empty::Generate, _) => "generate one".to_owned(),
        (Empty::Skip, _) => "none".to_owned(),
        (Empty::Refused, QuestionKind::YesNo) => "y/n".to_owned(),
        (Empty::Refused, _) => String::new(),
    }
}

/// An answer, for a summary.
fn shown(question: &Question, given: Option<&Given>) -> String {
    let Some(given) = given else { return "none".to_owned() };
    match (given.source, &given.value) {
        (Source::Kept, _) => "as it is".to_owned(),
        (Source::Generated, _) => "generated".to_owned(),
        (_, None) => "none".to_owned(),
        (_, Some(_)) if question.is_secret() => MASK.to_owned(),
        (_, Some(value)) if question.kind == QuestionKind::YesNo => {
            if value == "true" { "yes" } else { "no" }.to_owned()
        }
        (_, Some(value)) if question.kind == QuestionKind::Url => {
            visible(&without_password(value)).into_owned()
        }
        (_, Some(value)) => visible(value).into_owned(),
    }
}

/// An address without what stands between the account's name and the host.
fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@').and_then(|(account, host)| Some((account.split_once(':')?.0, host))) {
        Some((account, host)) => format!("{scheme}://{account}:{MASK}@{host}{path}"),
        None => address.to_owned(),
    }
}

pub(super) fn unreadable(source: std::io::Error) -> Failure {
    FileError { action: "ask at", path: "the terminal".into(), source }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (address, expected) in [
            ("postgres://kici:hunter2@db:5432/kici", "postgres://kici:********@db:5432/kici"),
            ("postgres://kici:a@b@db/kici", "postgres://kici:********@db/kici"),
            ("postgres://db/kici?x=a:b@c", "postgres://db/kici?x=a:b@c"),
            ("https://user@host", "https://user@host"),
        ] {
            assert_eq!(without_password(address), expected);
        }
    }
}
