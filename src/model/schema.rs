//! The schemas of our documents: JSON Schema, Draft-07, which every editor understands.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::model::adoption::Before;
use crate::model::answer::adopt::AdoptAnswer;
use crate::model::answer::doctor::DoctorAnswer;
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
use crate::model::event_line::EventLine;
use crate::model::health_file::HealthFile;
use crate::model::history::Event;
use crate::model::index::Index;
use crate::model::launch::LaunchSpec;
use crate::model::manifest::Manifest;
use crate::model::package::PackageDescription;
use crate::model::receipt::Receipt;
use crate::model::status::Status;

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
    /// What commands that change something print with `--json`.
    Change: ChangeAnswer = "change.v1",
    /// What `doctor` prints with `--json`.
    Doctor: DoctorAnswer = "doctor.v1",
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
    /// A line of `report/events.jsonl` in the state folder.
    ReportEvent: EventLine = "report-event.v1",
    /// The file for monitors that a manifest names in `healthFile`.
    Health: HealthFile = "health.v1",
}

impl Published {
    /// Those that people write: their fields have defaults and examples.
    pub const WRITTEN_BY_PEOPLE: [Self; 2] = [Self::Manifest, Self::Package];

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
        if let Value::Object(members) = &mut schema {
            members.insert("$id".to_owned(), self.address().into());
        }
        format!("{schema:#}\n")
    }
}

/// The schema of a type.
#[must_use]
pub fn of<T: JsonSchema>() -> Value {
    SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().to_value()
}
