//! An interview: which question comes next, what was answered, and whether everything is.
//!
//! It asks nobody. Whoever does takes [`Interview::next`], and gives what was typed to [`Interview::answer`].

use std::collections::BTreeMap;

use crate::model::package::{Question, QuestionKind};

pub use self::papers::{Paper, environment_path, environment_text, papers, secret_path};
pub use self::settled::{Settled, field_value};

mod papers;
mod settled;
#[cfg(test)]
mod tests;

/// From where an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The package's own default.
    Default,
    /// It was made.
    Generated,
    /// It stands in a file that is there already, which stays as it is.
    Kept,
    /// The file of variables.
    Variables,
    /// The file of answers.
    Answers,
    /// `--set`.
    Flag,
    /// A person typed it.
    Typed,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// What it is; nothing where the question may stay without.
    pub value: Option<String>,
    /// From where.
    pub source: Source,
}

/// What an empty answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Empty {
    /// This answer.
    Value(String),
    /// A secret is to be made.
    Generate,
    /// No answer.
    Skip,
    /// That something has to be typed.
    Refused,
}

/// The questions and what is known of their answers.
#[derive(Clone, Debug)]
pub struct Interview<'a> {
    questions: &'a [Question],
    given: BTreeMap<&'a str, Given>,
    /// What was typed before somebody went back.
    before: BTreeMap<&'a str, String>,
    /// Which questions were asked, in that order.
    asked: Vec<&'a Question>,
}

impl<'a> Interview<'a> {
    /// Begins, with nothing answered.
    #[must_use]
    pub fn new(questions: &'a [Question]) -> Self {
        Self { questions, given: BTreeMap::new(), before: BTreeMap::new(), asked: Vec::new() }
    }

    /// The questions, whether they are asked or not.
    #[must_use]
    pub fn questions(&self) -> &'a [Question] {
        self.questions
    }

    /// The question of that word.
    #[must_use]
    pub fn question(&self, id: &str) -> Option<&'a Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    /// What is known of an answer.
    #[must_use]
    pub fn given(&self, question: &Question) -> Option<&Given> {
        self.given.get(question.id.as_str())
    }

    /// Whether a question is asked at all, after what was answered before it.
    #[must_use]
    pub fn applies(&self, question: &Question) -> bool {
        question.when.iter().all(|(id, values)| {
            let Some(earlier) = self.question(id).filter(|earlier| self.applies(earlier)) else {
                return false;
            };
            let answer = self.given(earlier).and_then(|given| given.value.as_ref());
            values.iter().any(|value| earlier.accept(&value.to_string()).ok().as_ref() == answer)
                && answer.is_some()
        })
    }

    /// The first question that is asked and has no answer.
    #[must_use]
    pub fn next(&self) -> Option<&'a Question> {
        self.questions.iter().find(|question| self.given(question).is_none() && self.applies(question))
    }

    /// Takes an answer from elsewhere than a person who is asked, or says why it is none.
    pub fn give(&mut self, question: &'a Question, value: &str, source: Source) -> Result<(), String> {
        let value = question.accept(value)?;
        self.set(question, Some(value), source);
        Ok(())
    }

    /// Takes an answer as it is, or that there is none.
    pub fn set(&mut self, question: &'a Question, value: Option<String>, source: Source) {
        self.given.insert(&question.id, Given { value, source });
    }

    /// What Enter alone means for a question: what was typed before, else its default.
    #[must_use]
    pub fn empty(&self, question: &Question) -> Empty {
        let before = self.before.get(question.id.as_str()).cloned();
        let default = || question.accept(&question.default.as_ref()?.to_string()).ok();
        match before.or_else(default) {
            Some(value) => Empty::Value(value),
            None if question.generate.is_some() => Empty::Generate,
            None if question.optional => Empty::Skip,
            None => Empty::Refused,
        }
    }

    /// Takes what a person typed as the answer to a question. `made` is the secret that is taken where none was typed.
    pub fn answer(
        &mut self,
        question: &'a Question,
        typed: &str,
        made: impl FnOnce() -> String,
    ) -> Result<(), String> {
        let (value, source) = match (typed.is_empty(), self.empty(question)) {
            (true, Empty::Value(value)) => (Some(value), Source::Typed),
            (true, Empty::Generate) => (Some(made()), Source::Generated),
            (true, Empty::Skip) => (None, Source::Typed),
            (true, Empty::Refused) | (false, _) => (Some(Self::read(question, typed)?), Source::Typed),
        };
        self.asked.retain(|asked| asked.id != question.id);
        self.asked.push(question);
        self.set(question, value, source);
        Ok(())
    }

    /// What a person typed, in the form of an answer: a choice may be given by its number.
    fn read(question: &Question, typed: &str) -> Result<String, String> {
        let by_number = typed.parse::<usize>().ok().filter(|number| *number > 0);
        match (question.kind, by_number.and_then(|number| question.choices.get(number - 1))) {
            (QuestionKind::Choice, Some(choice)) if question.accept(typed).is_err() => {
                Ok(choice.value.clone())
            }
            _ => question.accept(typed),
        }
    }

    /// Goes back to the question that was asked last; nothing where it is the first.
    pub fn back(&mut self) -> Option<&'a Question> {
        let last = loop {
            let last = self.asked.pop()?;
            // What is not asked any more is no place to go back to.
            if self.applies(last) {
                break last;
            }
            self.given.remove(last.id.as_str());
        };
        self.forget(last);
        Some(last)
    }

    /// Asks a question again.
    pub fn revise(&mut self, question: &'a Question) {
        self.asked.retain(|asked| asked.id != question.id);
        self.forget(question);
    }

    fn forget(&mut self, question: &'a Question) {
        let given = self.given.remove(question.id.as_str());
        // A secret that was made is made anew, and one that was typed is typed again.
        let known = given.and_then(|given| given.value).filter(|_| question.kind != QuestionKind::Secret);
        if let Some(value) = known {
            self.before.insert(&question.id, value);
        }
    }

    /// Answers all that has a good answer of its own, and gives the questions that have none.
    pub fn take_defaults(&mut self, made: impl Fn() -> String) -> Vec<&'a Question> {
        let mut open = Vec::new();
        for question in self.questions {
            if self.given(question).is_some() || !self.applies(question) {
                continue;
            }
            match self.empty(question) {
                Empty::Value(value) => self.set(question, Some(value), Source::Default),
                Empty::Generate => self.set(question, Some(made()), Source::Generated),
                Empty::Skip => self.set(question, None, Source::Default),
                Empty::Refused => open.push(question),
            }
        }
        open
    }

    /// The questions that are asked, in order, with what is known of their answers.
    pub fn answers(&self) -> impl Iterator<Item = (&'a Question, Option<&Given>)> {
        let asked = self.questions.iter().filter(|question| self.applies(question));
        asked.map(|question| (question, self.given(question)))
    }

    /// The questions that were answered and are not asked.
    #[must_use]
    pub fn unasked(&self) -> Vec<&'a Question> {
        let given = self.questions.iter().filter(|question| self.given(question).is_some());
        given.filter(|question| !self.applies(question)).collect()
    }
}
