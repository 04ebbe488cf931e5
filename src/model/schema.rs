//! The schemas of our documents: JSON Schema, Draft-07, which every editor understands.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::model::adoption::Before;
use crate::model::answer::adopt::AdoptAnswer;
use crate::model::answer::doctor::DoctorAnswer;
use crate::model::answer::export::ExportAnswer;
use crate::model::answer::failure::FailureAnswer;
use crate::model::answer::history::HistoryAnswer;
use crate::model::answer::list::ListAnswer;
use crate::model::answer::log::LogAnswer;
use crate::model::answer::pack::PackAnswer;
use crate::model::answer::plan::ChangeAnswer;
use crate::model::answer::small::{RecoverAnswer, RenderAnswer, SchemasAnswer, TextAnswer};
use crate::model::answer::status::StatusAnswer;
use crate::model::answer::validate::ValidateAnswer;
use crate::model::answer::wave::WaveAnswer;
use crate::model::answers::Answers;
use crate::model::event_line::EventLine;
use crate::model::health_file::HealthFile;
use crate::model::history::Event;
use crate::model::index::Index;
use crate::model::launch::LaunchSpec;
use crate::model::manifest::Manifest;
use crate::model::package::PackageDescription;
use crate::model::receipt::Receipt;
use crate::model::started::Started;
use crate::model::status::Status;

mod edition;
mod refinement;
mod snippet;

/// Where schemas are published, before a schema's file name.
const ADDRESS: &str = "https://raw.githubusercontent.com/mainstay-dev/mainstay/main/schema/";

macro_rules! published {
    ($($(#[$documentation:meta])* $document:ident: $type:ty = $name:literal,)+) => {
        /// A document whose schema is published.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Published {
            $($(#[$documentation])* $document,)+
        }

        impl Published {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$document,)+];

            /// The name with its major version, after which a schema of that name never changes its meaning.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$document => $name,)+
                }
            }

            fn schema(self) -> Value {
                match self {
                    $(Self::$document => of::<$type>(),)+
                }
            }
        }
    };
}

published! {
    /// `mainstay.json` in a deploy folder.
    Manifest: Manifest = "manifest.v1",
    /// `mainstay-package.json` at the root of an archive.
    Package: PackageDescription = "package.v1",
    /// What `adopt` prints with `--json`.
    Adopt: AdoptAnswer = "adopt.v1",
    /// A file of answers to a package's questions.
    Answers: Answers = "answers.v1",
    /// What commands that change something print with `--json`.
    Change: ChangeAnswer = "change.v1",
    /// What `doctor` prints with `--json`.
    Doctor: DoctorAnswer = "doctor.v1",
    /// What `export` prints with `--json`.
    Export: ExportAnswer = "export.v1",
    /// What a failed command prints with `--json`.
    Failure: FailureAnswer = "failure.v1",
    /// What `history` prints with `--json`.
    History: HistoryAnswer = "history.v1",
    /// What `list` prints with `--json`.
    List: ListAnswer = "list.v1",
    /// What `logs` prints with `--json`, for each line.
    Log: LogAnswer = "log.v1",
    /// What `pack` prints with `--json`.
    Pack: PackAnswer = "pack.v1",
    /// What `recover` prints with `--json`.
    Recover: RecoverAnswer = "recover.v1",
    /// What `render` prints with `--json`.
    Render: RenderAnswer = "render.v1",
    /// What `schema --list` prints with `--json`.
    Schemas: SchemasAnswer = "schemas.v1",
    /// What `status` prints with `--json`.
    Status: StatusAnswer = "status.v1",
    /// What `completions` and `man` print with `--json`.
    Text: TextAnswer = "text.v1",
    /// What `validate` prints with `--json`.
    Validate: ValidateAnswer = "validate.v1",
    /// What `upgrade --all` prints with `--json`.
    Wave: WaveAnswer = "wave.v1",
    /// A line of `history.jsonl` in the state folder.
    Event: Event = "event.v1",
    /// `before-mainstay.json` in the state folder.
    Before: Before = "before.v1",
    /// `instances.json` in the configuration folder.
    Index: Index = "index.v1",
    /// `launch/<tree>.json` in the state folder.
    Launch: LaunchSpec = "launch.v1",
    /// `receipt.json` in the state folder.
    Receipt: Receipt = "receipt.v1",
    /// `report/status.json` in the state folder.
    Report: Status = "report.v1",
    /// `report/started.json` in the state folder.
    Started: Started = "started.v1",
    /// A line of `report/events.jsonl` in the state folder.
    ReportEvent: EventLine = "report-event.v1",
    /// The file for monitors that a manifest names in `healthFile`.
    Health: HealthFile = "health.v1",
}

impl Published {
    /// Those that people write: their fields have defaults and examples.
    pub const WRITTEN_BY_PEOPLE: [Self; 3] = [Self::Manifest, Self::Package, Self::Answers];

    /// The document of that name, with or without its version.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let same =
            |document: &Self| document.name() == name || document.name().split('.').next() == Some(name);
        Self::ALL.iter().copied().find(same)
    }

    /// Where the schema can be fetched.
    #[must_use]
    pub fn address(self) -> String {
        format!("{ADDRESS}{}.json", self.name())
    }

    /// The schema as it is published.
    #[must_use]
    pub fn text(self) -> String {
        let mut schema = self.schema();
        edition::with_words(&mut schema);
        if Self::WRITTEN_BY_PEOPLE.contains(&self) {
            edition::for_writers(&mut schema);
        } else {
            edition::without_rules(&mut schema);
        }
        if let Value::Object(members) = &mut schema {
            members.insert("$id".to_owned(), self.address().into());
        }
        printed(&schema)
    }
}

/// A schema's text: a member a line, and a rule a line.
fn printed(schema: &Value) -> String {
    let mut rules = Vec::new();
    let shortened = with_rules_put_aside(schema, &mut rules);
    let mut text = format!("{shortened:#}\n");
    for (index, rule) in rules.iter().enumerate() {
        text = text.replacen(&format!("\"{RULE_PUT_ASIDE}{index}\""), &rule.to_string(), 1);
    }
    text
}

const RULE_PUT_ASIDE: &str = "the rule put aside as ";

fn with_rules_put_aside(schema: &Value, rules: &mut Vec<Value>) -> Value {
    match schema {
        Value::Object(members) if members.contains_key("if") => {
            rules.push(schema.clone());
            format!("{RULE_PUT_ASIDE}{}", rules.len() - 1).into()
        }
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), with_rules_put_aside(member, rules))).collect()
        }
        Value::Array(elements) => {
            elements.iter().map(|element| with_rules_put_aside(element, rules)).collect()
        }
        _ => schema.clone(),
    }
}

/// The schema of a type.
#[must_use]
pub fn of<T: JsonSchema>() -> Value {
    SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().to_value()
}
