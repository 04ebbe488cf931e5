//! Windows services: what the service control manager is asked, as values, and what it answers.
//!
//! The manager keeps its services in a database of its own. So the definition is a file that says what is to stand there
//! (`definition.json`), and the service is registered from it: the file can be compared, kept and put back as every other.

use serde::{Deserialize, Serialize};

use crate::model::duration::Span;
use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::model::operating_system::OperatingSystem;
use crate::platform::{Inexpressible, command_line, entry, identity};

pub mod account;
pub mod answer;
pub(super) mod arguments;
pub mod description;
pub mod progress;
pub(super) mod words;

pub use account::Account;

/// The pauses before the manager starts a supervisor again that has died, in milliseconds. The last one goes on.
const RECOVERY: [u64; 4] = [1_000, 5_000, 15_000, 30_000];
/// After how long without a death the pauses begin anew.
const RECOVERY_RESET: Span = Span::seconds(300);

/// What stands in the manager's database of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// What the manager calls it.
    pub name: String,
    /// What people read in its place.
    pub display_name: String,
    /// One sentence, and the marker.
    pub description: String,
    /// The program, in quotes, and its arguments.
    pub command_line: String,
    /// Who runs it.
    pub account: Account,
    /// When it starts.
    pub start: Start,
    /// The pauses before a supervisor that has died is started again, in milliseconds. Nothing, as with the next two:
    /// this system does not tell.
    pub recovery: Option<Vec<u64>>,
    /// After how long without a death they begin anew.
    pub recovery_reset: Option<Span>,
    /// How long a shutdown of the host waits for it.
    pub preshutdown: Option<Span>,
}

/// When a service starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Start {
    /// With the host, once those have that the host needs itself.
    Delayed,
    /// With the host.
    Automatic,
    /// When it is asked for.
    Demand,
    /// Never: somebody has disabled it.
    Disabled,
}

impl Start {
    /// Whether it starts with the host.
    #[must_use]
    pub fn is_at_boot(self) -> bool {
        matches!(self, Self::Delayed | Self::Automatic)
    }
}

#[derive(Serialize, Deserialize)]
struct Said {
    service: Registration,
}

/// The text of the definition.
pub(super) fn render(spec: &LaunchSpec, layout: &Layout) -> Result<String, Inexpressible> {
    if spec.scope == Scope::User {
        let reason = "a Windows service belongs to the host: use `task` for one of your own, or install with `--system`";
        return Err(Inexpressible::new("platform", reason));
    }
    Ok(entry::text(spec, Said { service: registration(spec, layout)? }))
}

fn registration(spec: &LaunchSpec, layout: &Layout) -> Result<Registration, Inexpressible> {
    let name = spec.name.to_string();
    let account = match &spec.user {
        None => Account::LocalSystem,
        Some(user) => {
            Account::of(user, &spec.name).map_err(|reason| Inexpressible::new("service.user", reason))?
        }
    };
    let program = layout.runtime_program(&spec.name);
    Ok(Registration {
        display_name: format!("{name} (mainstay)"),
        description: description::write(spec.description.trim(), &identity(spec))?,
        command_line: command_line::command_line(
            "the install folder",
            program.as_str(),
            &arguments::of(spec, layout),
        )?,
        account,
        start: if spec.boot { Start::Delayed } else { Start::Demand },
        recovery: Some(RECOVERY.to_vec()),
        recovery_reset: Some(RECOVERY_RESET),
        preshutdown: Some(spec.stop_limit()),
        name,
    })
}

fn read(text: &str) -> Option<(Marker, Said)> {
    entry::read(text, PlatformKind::Windows)
}

/// The marker in the text of a definition.
pub(super) fn marker(text: &str) -> Option<Marker> {
    read(text).map(|(marker, _)| marker)
}

/// What a definition asks the manager to keep; nothing where the text is none.
#[must_use]
pub fn wanted(text: &str) -> Option<Registration> {
    read(text).map(|(_, said)| said.service)
}

impl Registration {
    /// The same with the program at the place where it really stands: the definition names the link to it, which
    /// Windows can't start anything through.
    pub fn with_program(mut self, program: &str) -> Result<Self, Inexpressible> {
        let arguments = command_line::taken_apart(&self.command_line).split_off(1);
        self.command_line = command_line::command_line("the install folder", program, &arguments)?;
        Ok(self)
    }

    /// The program that it starts.
    #[must_use]
    pub fn program(&self) -> String {
        command_line::taken_apart(&self.command_line).swap_remove(0)
    }

    /// Whether it is the instance of this name, made by somebody who died before it got its description: it has none, and
    /// starts a copy of this tool for that instance.
    #[must_use]
    pub fn is_unfinished_of(&self, name: &InstanceName) -> bool {
        let words = command_line::taken_apart(&self.command_line);
        let Some((program, arguments)) = words.split_first() else { return false };
        let mut places = program.rsplit(['\\', '/']);
        let is_copy =
            places.next().is_some_and(|file| file.eq_ignore_ascii_case(OperatingSystem::Windows.program()))
                && places.nth(1) == Some(".runtime");
        let own = ["run", "--name", name.as_str(), "--system"];
        self.description.is_empty() && is_copy && arguments.iter().take(own.len()).map(String::as_str).eq(own)
    }

    /// In what another one differs that the manager keeps, for people.
    #[must_use]
    pub fn differences(&self, kept: &Self) -> Vec<&'static str> {
        let differs = [
            ("the display name", self.display_name != kept.display_name),
            ("the description", self.description != kept.description),
            ("the command line", self.command_line != kept.command_line),
            ("the account", self.account != kept.account),
            ("the start type", self.start != kept.start),
            ("the recovery actions", differs(self.recovery.as_ref(), kept.recovery.as_ref())),
            (
                "the recovery's reset period",
                differs(self.recovery_reset.as_ref(), kept.recovery_reset.as_ref()),
            ),
            ("the patience at a shutdown", differs(self.preshutdown.as_ref(), kept.preshutdown.as_ref())),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect()
    }
}

/// Whether the manager keeps another value; what it does not tell is none.
fn differs<T: PartialEq>(wanted: Option<&T>, kept: Option<&T>) -> bool {
    kept.is_some() && wanted != kept
}

#[cfg(test)]
mod tests;
