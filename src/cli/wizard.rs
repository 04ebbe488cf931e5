//! A new manifest with its answers: from flags and files, and from a person where there is one.

use std::cell::Cell;

use crate::host::signal::Signal;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use self::asking::{Person, unreadable};
use self::gathered::gather;
use self::looked::looked;
use crate::cli::arguments::AnswerArguments;
use crate::cli::report::Report;
use crate::engine::beside::{self, VariablesFile};
use crate::engine::failure::Failure;
use crate::engine::peek::description_in;
use crate::engine::target::Declared;
use crate::host::{account, environment, files, random, untrusted};
use crate::model::contradiction::read_manifest;
use crate::model::draft;
use crate::model::environment_file;
use crate::model::interview::{self, Interview, Settled, Source};
use crate::model::launch::own_paths_only;
use crate::model::package::{PackageDescription, Question};

mod asking;
mod gathered;
mod looked;

/// What was typed that answers questions, and how the rest is found out.
pub(crate) struct Wizard<'a> {
    pub(crate) report: &'a Report,
    pub(crate) typed: &'a AnswerArguments,
    /// A file of variables that was typed.
    pub(crate) variables: Option<&'a VariablesFile>,
    /// The answers that were typed, by the words of their questions.
    pub(crate) settings: Vec<(String, String)>,
    /// Whether everything is to be answered without a person.
    pub(crate) yes: bool,
    /// Whether services for development are to give what they give.
    pub(crate) development: bool,
    /// What is to be typed for a template of answers.
    pub(crate) package: String,
    /// The signals that nobody else waits for while somebody is asked.
    pub(crate) ending: &'a [Signal],
    /// What becomes of a manifest that has all answers in it.
    pub(crate) finish: fn(&mut Value),
    /// Whether somebody was asked, and has agreed to what is written.
    pub(crate) agreed: Cell<bool>,
}

/// The environment file and the secrets as they are before.
struct Standing<'a> {
    manifest: &'a Value,
    description: &'a PackageDescription,
    /// The environment file that is there.
    written: Option<String>,
    /// The environment file that was typed, where none is there.
    brought: Option<String>,
}

/// Whether somebody sits at the terminal who may be asked: not where a script or a build runs.
pub(crate) fn may_ask(report: &Report) -> bool {
    let builds = environment::variable("CI").is_some_and(|value| !matches!(&*value, "" | "0" | "false"));
    report.can_ask() && !builds
}

impl Wizard<'_> {
    /// The manifest with the answers to the questions of the package that is unpacked in a folder.
    pub(crate) fn declare(&self, declared: &Declared, tree: &Utf8Path) -> Result<Declared, Failure> {
        let description = match description_in(tree)? {
            Some(description) => description,
            None => undescribed(declared)?,
        };
        self.complete(declared, &description)
    }

    /// The manifest with the answers to a package's questions, and the files that go with it.
    pub(crate) fn complete(
        &self,
        declared: &Declared,
        description: &PackageDescription,
    ) -> Result<Declared, Failure> {
        // Before any of them is looked at.
        own_paths_only(&description.service)?;
        // It was read as JSON before.
        let mut manifest: Value = serde_json::from_str(declared.document.text()).unwrap_or_default();
        straight(declared, description)?;
        let unasked = self.without_given(description);
        let description = unasked.as_ref().unwrap_or(description);
        let standing = self.standing(declared, &manifest, description)?;
        let mut interview = Interview::new(&description.questions);
        let exists = |question: &Question| -> Result<bool, Failure> {
            let Some(name) = &question.secret else { return Ok(false) };
            let path = interview::secret_path(&manifest, description, name, &question.id);
            let path = declared.deploy.folder.join(path);
            Ok(account::acting_as(declared.deploy.owner.as_ref(), || files::facts(&path))??.is_some())
        };
        gather(self, description, &mut interview, &standing, &exists)?;
        self.answer_the_rest(declared, description, &mut interview, &standing)?;
        let kept =
            |question: &Question| interview.given(question).is_some_and(|it| it.source == Source::Kept);
        for question in interview.unasked().into_iter().filter(|question| !kept(question)) {
            self.report.notice(format!(
                "`{}` is not asked with these answers, so its answer is left out",
                question.id
            ));
        }
        let settled = Settled::of(&interview);
        let written = standing.written.as_deref().or(standing.brought.as_deref());
        let papers = interview::papers(&mut manifest, description, &settled, written);
        (self.finish)(&mut manifest);
        let beside = beside::of(declared, papers)?;
        let text = serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n";
        let (manifest, document) = read_manifest("the manifest made of the answers", &text)?;
        Ok(Declared { manifest, document, beside, ..declared.clone() })
    }

    /// The package without the questions that services for development answer, unless they are answered by what was typed.
    fn without_given(&self, description: &PackageDescription) -> Option<PackageDescription> {
        if !self.development || self.typed.answers.is_some() {
            return None;
        }
        let given = |question: &Question| {
            let variable = question.variable.as_ref();
            variable.is_some_and(|name| {
                description.development.values().any(|it| it.variables.contains_key(name))
            })
        };
        let typed = |question: &Question| self.settings.iter().any(|(id, _)| *id == question.id);
        let mut rest = description.clone();
        rest.questions.retain(|question| !given(question) || typed(question));
        Some(rest)
    }

    /// Asks, where somebody may be asked; else takes what has a good answer, and names what has none.
    fn answer_the_rest(
        &self,
        declared: &Declared,
        description: &PackageDescription,
        interview: &mut Interview<'_>,
        standing: &Standing<'_>,
    ) -> Result<(), Failure> {
        let asks = may_ask(self.report) && !self.yes && !self.typed.no_wizard;
        if self.typed.wizard && !may_ask(self.report) {
            return Err(Failure::Usage(
                "`--wizard` asks at a terminal, and there is none: give the answers with `--set QUESTION=ANSWER` or \
                 `--answers FILE`"
                    .to_owned(),
            ));
        }
        if asks && interview.next().is_some() {
            let files = |interview: &Interview<'_>| {
                let mut manifest = standing.manifest.clone();
                let settled = Settled::of(interview);
                let written = standing.written.as_deref().or(standing.brought.as_deref());
                let papers = interview::papers(&mut manifest, standing.description, &settled, written);
                let files = beside::of(declared, papers).unwrap_or_default();
                files.iter().map(|file| &file.path).chain([&declared.path]).map(ToString::to_string).collect()
            };
            let title = if self.package.is_empty() {
                "A manifest is made of your answers.".to_owned()
            } else {
                format!("{} {} has questions.", description.component, description.version)
            };
            let mut person = Person::new(self.report, self.ending)?;
            person.interview(
                &title,
                interview,
                &|question, typed| fitting(standing.manifest, question, looked(question, typed)?),
                &files,
            )?;
            self.agreed.set(true);
            return Ok(());
        }
        let made = random::hex32().map_err(unreadable)?;
        let fresh = || random::hex32().unwrap_or_else(|_| made.clone());
        let open = interview.take_defaults(fresh);
        if open.is_empty() {
            return Ok(());
        }
        let asked: Vec<String> =
            open.iter().map(|question| format!("`{}` ({})", question.id, question.ask)).collect();
        let flags: Vec<String> = open
            .iter()
            .filter(|question| !question.is_secret())
            .map(|question| format!("`--set {}=…`", question.id))
            .chain(["`--answers FILE`".to_owned()])
            .collect();
        Err(Failure::Usage(format!(
            "nobody is there to be asked, and these questions of `{}` have no answer of their own: {}; answer with {} \
             (`mainstay init {} --print-answers` makes such a file)",
            description.component,
            asked.join(", "),
            flags.join(", "),
            self.package
        )))
    }

    fn standing<'b>(
        &self,
        declared: &Declared,
        manifest: &'b Value,
        description: &'b PackageDescription,
    ) -> Result<Standing<'b>, Failure> {
        let path = declared.deploy.folder.join(interview::environment_path(manifest, description));
        let written = account::acting_as(declared.deploy.owner.as_ref(), || {
            untrusted::read(&path, environment_file::LARGEST)
        })??;
        let brought = match self.variables {
            None => None,
            Some(typed) if written.is_some() => {
                self.report.notice(format!("`{path}` is kept as it is, and `{}` left aside", typed.path));
                None
            }
            Some(typed) => Some(typed.text.clone()),
        };
        Ok(Standing { manifest, description, written, brought })
    }
}

/// A package that says nothing of itself, as one that asks nothing.
fn undescribed(declared: &Declared) -> Result<PackageDescription, Failure> {
    let text = serde_json::json!({ "component": declared.manifest.package.name, "version": "0" });
    Ok(crate::model::contradiction::read_package_description("a package", &text.to_string())?.0)
}

/// Refuses folders of links on the way to the files that a package names: what leads out of the deploy folder has to be
/// named by the manifest itself.
fn straight(declared: &Declared, description: &PackageDescription) -> Result<(), Failure> {
    let ours = &declared.manifest.service;
    let environment_file = description.service.environment_file.iter();
    let environment_file = environment_file
        .filter(|_| ours.environment_file.is_none())
        .map(|path| ("service.environmentFile".to_owned(), path.as_path()));
    let secrets = description.service.secrets.iter().filter(|(name, _)| !ours.secrets.contains_key(*name));
    let secrets = secrets.map(|(name, secret)| (format!("service.secrets.{name}"), secret.file.as_path()));
    let elsewhere = |question: &&Question| {
        question.secret.as_ref().is_some_and(|name| {
            !ours.secrets.contains_key(name) && !description.service.secrets.contains_key(name)
        })
    };
    let own: Vec<(String, Utf8PathBuf)> = description
        .questions
        .iter()
        .filter(elsewhere)
        .map(|question| ("service.secrets".to_owned(), Utf8PathBuf::from(format!("secrets/{}", question.id))))
        .collect();
    let own = own.iter().map(|(field, path)| (field.clone(), path.as_path()));
    for (field, path) in environment_file.chain(secrets).chain(own) {
        beside::straight(&declared.deploy, &field, path)?;
    }
    Ok(())
}

/// Refuses an answer that its field of the manifest does not take: at the end it would take all others along.
fn fitting(manifest: &Value, question: &Question, typed: String) -> Result<String, String> {
    let refused = question.field.as_ref().and_then(|field| {
        // What is no answer at all is told by its question.
        let answer = question.accept(&typed).ok()?;
        draft::refusal(manifest, field, interview::field_value(question, &answer))
    });
    refused.map_or(Ok(typed), Err)
}
