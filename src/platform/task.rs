//! Windows tasks: what the Task Scheduler is told of an instance that belongs to a person without an administrator's
//! rights. The definition is the task's XML; the scheduler is handed it in UTF-16, the only form that it reads in every
//! language of Windows.
//!
//! A task starts at logon and is started again when the supervisor dies. It has no word for a stop that a program could
//! obey, so the supervisor is asked itself.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind};
use serde::Serialize;

use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::platform::windows::arguments;
use crate::platform::{Inexpressible, command_line, identity, stamp, xml};

pub mod command;
pub mod encoding;
mod meaning;

pub use meaning::Meaning;

/// The beginning of the line that holds the digest of all others.
const HASH: &str = "<Source>mainstay ";
const TEMPLATE: &str = include_str!("../../templates/task.xml");
/// Where a task's marker stands.
const MARKER: &str = "RegistrationInfo/Documentation";
/// Where its program stands.
const PROGRAM: &str = "Actions/Exec/Command";

#[derive(Serialize)]
struct Values<'a> {
    stamp: &'a str,
    task: String,
    description: &'a str,
    marker: String,
    boot: &'a str,
    account: Option<&'a str>,
    program: &'a str,
    arguments: String,
}

/// What the scheduler calls the task of an instance. Names are the host's, and instances a person's: so the number of the
/// person's account (SID) is part of it.
#[must_use]
pub fn task_name(name: &InstanceName, person: Option<&str>) -> String {
    match person {
        Some(person) => format!("mainstay-{name}-{person}"),
        None => format!("mainstay-{name}"),
    }
}

/// The text of the definition. Without an account the scheduler takes the one that registers it, and the logon of
/// anybody.
pub(super) fn render(
    spec: &LaunchSpec,
    layout: &Layout,
    account: Option<&str>,
) -> Result<String, Inexpressible> {
    let none = |setting: &str, reason: &str| Err(Inexpressible::new(setting, reason));
    if spec.scope == Scope::System {
        return none(
            "platform",
            "a task belongs to the person who is logged on: use `windows` for a service of the host, or install with `--user`",
        );
    }
    let program = layout.runtime_program(&spec.name);
    // The place of a task's program takes quotes literally. It has no folder: one in which a process stands can't be moved.
    command_line::quoted_program("the install folder", program.as_str())?;
    let mut arguments = arguments::of(spec, layout);
    arguments.push("--windowless".to_owned());
    let values = Values {
        stamp: stamp::BLANK,
        task: task_name(&spec.name, account),
        description: spec.description.trim(),
        marker: serde_json::to_string(&identity(spec))
            .map_err(|error| Inexpressible::new("the marker", error.to_string()))?,
        boot: if spec.boot { "true" } else { "false" },
        account,
        program: program.as_str(),
        arguments: command_line::joined("the install folder", &arguments)?,
    };
    fill(values).map(|text| stamp::press(&(text + "\n"), HASH))
}

fn fill(values: Values<'_>) -> Result<String, Inexpressible> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    let filled = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().and_then(|syntax| {
        environment.set_syntax(syntax);
        environment.set_formatter(|output, _, value| {
            let text = value.to_string();
            let escaped = escaped(&text).map_err(|reason| Error::new(ErrorKind::BadEscape, reason))?;
            Ok(output.write_str(&escaped)?)
        });
        environment.template_from_str(TEMPLATE)?.render(Serde(values))
    });
    filled.map_err(|error| {
        let reason = error.detail().map_or_else(|| error.to_string(), str::to_owned);
        Inexpressible::new("the task", reason)
    })
}

fn escaped(text: &str) -> Result<String, String> {
    xml::escaped(text)
        .map_err(|_| format!("`{}` holds a character that XML has no words for", text.escape_debug()))
}

/// The marker in the text of a task. Most tasks are other people's, and are told by one search.
pub(super) fn marker(text: &str) -> Option<Marker> {
    if !text.contains("mainstay") {
        return None;
    }
    let marker = serde_json::from_str::<Marker>(Meaning::of(text).ok()?.get(MARKER)?).ok()?;
    (marker.platform == PlatformKind::Task).then_some(marker)
}

/// Whether a task starts when its person logs on.
#[must_use]
pub fn starts_at_logon(text: &str) -> bool {
    Meaning::of(text).is_ok_and(|meaning| {
        let says = |place: &str, value: &str| meaning.get(place).is_none_or(|said| said == value);
        meaning.get("Triggers/LogonTrigger/Delay").is_some()
            && says("Triggers/LogonTrigger/Enabled", "true")
            && says("Settings/Enabled", "true")
    })
}

/// The text with the program at the place where it really stands: the definition names the link to it, which Windows
/// can't start anything through.
#[must_use]
pub fn with_program(text: &str, program: &str) -> Option<String> {
    let named = Meaning::of(text).ok()?.get(PROGRAM)?.to_owned();
    let element = |program: &str| escaped(program).ok().map(|text| format!("<Command>{text}</Command>"));
    let (from, to) = (element(&named)?, element(program)?);
    text.contains(&from).then(|| text.replacen(&from, &to, 1))
}

/// Whether nobody has edited the text.
pub(super) fn untouched(text: &str) -> bool {
    stamp::fits(text, HASH)
}

#[cfg(test)]
mod tests;
