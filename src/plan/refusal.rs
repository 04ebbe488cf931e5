//! Why a plan is not made: the guards.

use camino::Utf8PathBuf;
use thiserror::Error;

use crate::model::compose::EngineKind;
use crate::model::manifest::PlatformKind;
use crate::model::name::{ComponentName, InstanceName};
use crate::model::public_key::PublicKey;
use crate::model::receipt::BadVersion;
use crate::model::variable::VariableName;
use crate::model::version::Version;

/// A guard that says no.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A folder that is to be written has something else in it.
    #[error("`{folder}` is not empty, and no earlier export as it was written: {entry}")]
    Occupied {
        /// The folder.
        folder: Utf8PathBuf,
        /// What is in it, as a sentence.
        entry: String,
    },
    /// It can't be known which versions are still needed.
    #[error("no version of `{name}` is removed, because it can't be known which ones are needed")]
    Unclear {
        /// The instance.
        name: InstanceName,
        /// What can't be known, and why, as sentences.
        reasons: Vec<String>,
    },
    /// The instance's name is taken by another folder.
    #[error("an instance `{name}` is already installed from `{folder}`")]
    NameTaken {
        /// The name.
        name: InstanceName,
        /// The folder that has it.
        folder: Utf8PathBuf,
    },
    /// The name of a service's container or volume is taken.
    #[error("the {what} `{name}` of {engine} is there, and mainstay has not made it for this instance")]
    DevelopmentTaken {
        /// `container` or `volume`.
        what: &'static str,
        /// Its name.
        name: String,
        /// Whose engine it is in.
        engine: EngineKind,
    },
    /// A volume is there, and the secret that it was made with is not.
    #[error("the volume `{volume}` is there from before, and the secret that it was made with is not")]
    DevelopmentLocked {
        /// The volume.
        volume: String,
        /// Whose engine it is in.
        engine: EngineKind,
    },
    /// The port of a service for development is taken.
    #[error("port {port} of this host, which `{service}` is to have, is taken{}", held(holder.as_deref()))]
    DevelopmentPort {
        /// The service.
        service: ComponentName,
        /// The port.
        port: u16,
        /// Who has it, where that is known.
        holder: Option<String>,
    },
    /// No container engine answers.
    #[error("services for development need a container engine, and none answers: {reason}")]
    NoEngine {
        /// What each said.
        reason: String,
    },
    /// Its definition is not there, or says no longer whose it is.
    #[error("the definition of `{name}` at `{place}` is gone, masked or without its marker")]
    Undefined {
        /// The instance.
        name: InstanceName,
        /// Where it has to be.
        place: Utf8PathBuf,
    },
    /// A unit of that name is not ours.
    #[error("a service `{name}` that mainstay did not make is defined in `{definition}`")]
    NotOurs {
        /// The name.
        name: InstanceName,
        /// Where it is defined.
        definition: String,
    },
    /// What is to be adopted is an instance of mainstay's.
    #[error("`{name}` is mainstay's already, of the folder `{folder}`")]
    AlreadyOurs {
        /// The instance.
        name: InstanceName,
        /// Its deploy folder.
        folder: Utf8PathBuf,
    },
    /// What is to be adopted is started by a unit of sockets.
    #[error("`{name}` can't be adopted with its sockets, which are defined in `{definition}`")]
    HasSocket {
        /// The service.
        name: InstanceName,
        /// Where they are defined.
        definition: String,
    },
    /// The instance is defined on another platform.
    #[error("the instance `{name}` is installed on {installed}, and {wanted} is wanted")]
    OtherPlatform {
        /// The instance.
        name: InstanceName,
        /// Where it is.
        installed: PlatformKind,
        /// Where it is wanted.
        wanted: PlatformKind,
    },
    /// The platform's service manager is not on this host.
    #[error("there is no platform `{platform}` on this host")]
    NotHere {
        /// The platform.
        platform: PlatformKind,
        /// The one that this host has.
        usual: PlatformKind,
    },
    /// The definition names another component.
    #[error("the instance `{name}` runs the component `{installed}`, not `{wanted}`")]
    OtherComponent {
        /// The instance.
        name: InstanceName,
        /// What is installed.
        installed: ComponentName,
        /// What the manifest says.
        wanted: ComponentName,
    },
    /// The instance runs as another account, whose its folders are.
    #[error(
        "the instance `{name}` runs as {}, and its data, report and run folders would stay that account's; {} is wanted",
        account(installed.as_deref()), account(wanted.as_deref())
    )]
    OtherAccount {
        /// The instance.
        name: InstanceName,
        /// As whom it runs; nothing for the account that installed it.
        installed: Option<String>,
        /// As whom it is wanted to run.
        wanted: Option<String>,
        /// Its data folder.
        data: Utf8PathBuf,
    },
    /// The wanted version is not unpacked here and no archive was given.
    #[error("version {version} of `{component}` is not unpacked here")]
    NoTree {
        /// Whether another version of it is installed.
        installed: bool,
        /// The component.
        component: ComponentName,
        /// The version.
        version: Version,
    },
    /// A tree of that version is there and holds other bytes.
    #[error("version {version} of `{component}` is already unpacked, from another archive")]
    OtherTree {
        /// The component.
        component: ComponentName,
        /// The version.
        version: Version,
    },
    /// The wanted version is older than the active one.
    #[error("version {to} is older than the active {from}")]
    Downgrade {
        /// What is active.
        from: Version,
        /// What is wanted.
        to: Version,
    },
    /// Nobody can say which of the two versions is older.
    #[error(
        "nobody can say whether {to} is older than the active {from}: they are not both semantic versions"
    )]
    NoOrder {
        /// What is active.
        from: Version,
        /// What is wanted.
        to: Version,
    },
    /// The version was taken back before.
    #[error("version {} was taken back at {:.0}: {}", bad.version, bad.at.0, bad.reason)]
    BadVersion {
        /// The instance.
        name: InstanceName,
        /// The version, when and why.
        bad: Box<BadVersion>,
    },
    /// There is no version to go back to.
    #[error("there is no version of `{0}` left to roll back to")]
    NoPrevious(InstanceName),
    /// The older version can't work with the data as they are.
    #[error("the data are those of {from}, and {to} can't work with them: {reason}")]
    DataTooNew {
        /// What is active.
        from: Version,
        /// What is wanted.
        to: Version,
        /// Why.
        reason: String,
        /// The snapshot that could go back, in words.
        snapshot: Option<String>,
    },
    /// There is no snapshot to go back to.
    #[error("there is no snapshot of the data that {version} left")]
    NoSnapshot {
        /// The version that is wanted.
        version: Version,
    },
    /// No snapshot can be taken of a folder.
    #[error("no snapshot can be taken of `{path}` (`upgrade.data`): {reason}")]
    DataUnusable {
        /// The folder.
        path: Utf8PathBuf,
        /// Why.
        reason: String,
    },
    /// The disk has no room for a snapshot.
    #[error("a snapshot of the data takes {needed}, and the disk of `{folder}` has {available} left")]
    NoRoom {
        /// Where it would lie.
        folder: Utf8PathBuf,
        /// What it needs, a reserve included.
        needed: String,
        /// What there is.
        available: String,
    },
    /// Data are moved only in a switch, which takes a restart.
    #[error("{to} needs the data of `{name}` moved, which takes a restart")]
    DataNeedsRestart {
        /// The instance.
        name: InstanceName,
        /// What is wanted.
        to: Version,
    },
    /// Sockets are opened elsewhere by a restart alone.
    #[error("the sockets of `{0}` change, which takes a restart")]
    SocketsMove(InstanceName),
    /// The manifest pins another key than the one that was pinned before, or none.
    #[error("archives of `{name}` are signed with the key {remembered}, and the manifest now names {}", key(wanted.as_ref()))]
    OtherKey {
        /// The instance.
        name: InstanceName,
        /// The key that was pinned.
        remembered: PublicKey,
        /// The one that the manifest pins.
        wanted: Option<PublicKey>,
    },
    /// What a package manager holds is older than what is active.
    #[error("the service starts `{program}`, which is version {to}: older than the active {from}")]
    OlderProgram {
        /// The real file.
        program: Utf8PathBuf,
        /// What is active.
        from: Version,
        /// What is there.
        to: Version,
    },
    /// There is no old program: only who brought the new one can bring it.
    #[error(
        "`{name}` starts a program that mainstay did not unpack, so there is no old one here to go back to"
    )]
    NoOldProgram {
        /// The instance.
        name: InstanceName,
        /// What brings the old one.
        bring: Option<String>,
    },
    /// The tool's own program file is a package manager's.
    #[error("`{program}` was put there by {by}, which alone replaces it")]
    ForeignTool {
        /// The file.
        program: Utf8PathBuf,
        /// Who has put it there.
        by: String,
        /// What to do instead.
        instead: String,
    },
    /// Another key than the one that is pinned for the tool itself.
    #[error("`{file}` pins the key {pinned} for mainstay itself, and another one was typed")]
    OtherToolKey {
        /// The file that pins it.
        file: Utf8PathBuf,
        /// The key in it.
        pinned: PublicKey,
    },
    /// The service does not start what archives bring.
    #[error("`{name}` starts `{program}`, which no archive brings: its version would change by word only")]
    OutsidePackage {
        /// The instance.
        name: InstanceName,
        /// The program that its command names.
        program: String,
    },
    /// The program can't start without variables that nothing sets.
    #[error("`{name}` can't start without {}", list(variables))]
    MissingVariables {
        /// The instance.
        name: InstanceName,
        /// The variables, each with what it is for.
        variables: Vec<(VariableName, String)>,
        /// The environment file, if there is to be one.
        file: Option<Utf8PathBuf>,
    },
    /// What runs would not start again.
    #[error("`{name}` runs, and would not start again: {reason}")]
    StartsNoMore {
        /// The instance.
        name: InstanceName,
        /// Why.
        reason: String,
    },
    /// The live tree can't be replaced under a running program.
    #[error("version {version} of `{component}` is the active one: its tree is in use")]
    LiveTree {
        /// The component.
        component: ComponentName,
        /// The version.
        version: Version,
    },
}

fn list(variables: &[(VariableName, String)]) -> String {
    let names: Vec<String> = variables.iter().map(|(name, _)| format!("`{name}`")).collect();
    names.join(", ")
}

fn held(holder: Option<&str>) -> String {
    holder.map(|holder| format!(" by {holder}")).unwrap_or_default()
}

fn key(key: Option<&PublicKey>) -> String {
    key.map_or_else(|| "none".to_owned(), |key| format!("the key {key}"))
}

fn account(user: Option<&str>) -> String {
    user.map_or_else(|| "the account that installed it".to_owned(), |user| format!("`{user}`"))
}
