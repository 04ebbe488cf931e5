//! The settings of systemd that a manifest may add to a unit, and those that mainstay writes itself.

use thiserror::Error;

/// The prefix of the settings that hold an instance's marker.
const MARKER_PREFIX: &str = "x-mainstay-";

/// What mainstay writes into `[Unit]`, each with the manifest's field for it, where there is one.
const OWNED_IN_UNIT: [(&str, &str); 6] = [
    ("Description", "service.description"),
    ("StartLimitAction", "service.restart"),
    ("StartLimitBurst", "service.restart"),
    ("StartLimitInterval", "service.restart"),
    ("StartLimitIntervalSec", "service.restart"),
    ("SourcePath", ""),
];

/// What mainstay writes into `[Service]`, or what would take the program out of its hands.
const OWNED_IN_SERVICE: [(&str, &str); 56] = [
    ("BusName", "service.ready"),
    ("DynamicUser", "service.user"),
    ("Environment", "service.environment"),
    ("EnvironmentFile", "service.environmentFile"),
    ("ExecStart", "service.command"),
    ("ExecStop", "service.stop"),
    ("ExitType", ""),
    ("FileDescriptorStoreMax", ""),
    ("FinalKillSignal", "service.stop"),
    ("GuessMainPID", ""),
    ("ImportCredential", "service.secrets"),
    ("KillMode", "service.stop"),
    ("KillSignal", "service.stop.signal"),
    ("LimitNOFILE", "service.limits.openFiles"),
    ("LoadCredential", "service.secrets"),
    ("LoadCredentialEncrypted", "service.secrets"),
    ("MemoryLimit", "service.limits.memory"),
    ("MemoryMax", "service.limits.memory"),
    ("NotifyAccess", "service.ready.notify"),
    ("OpenFile", ""),
    ("PAMName", "service.user"),
    ("PIDFile", "service.ready"),
    ("PassEnvironment", "service.environment"),
    ("PermissionsStartOnly", "service.user"),
    ("ReloadSignal", ""),
    ("RemainAfterExit", ""),
    ("Restart", "service.restart.when"),
    ("RestartForceExitStatus", "service.restart"),
    ("RestartKillSignal", "service.stop.signal"),
    ("RestartMaxDelaySec", "service.restart.delays"),
    ("RestartMode", "service.restart"),
    ("RestartPreventExitStatus", "service.restart"),
    ("RestartSec", "service.restart.delays"),
    ("RestartSteps", "service.restart.delays"),
    ("RootDirectory", ""),
    ("RootDirectoryStartOnly", ""),
    ("RootImage", ""),
    ("SendSIGHUP", "service.stop"),
    ("SendSIGKILL", "service.stop"),
    ("SetCredential", "service.secrets"),
    ("SetCredentialEncrypted", "service.secrets"),
    ("Sockets", ""),
    ("StandardError", ""),
    ("StandardInput", "service.stdin"),
    ("StandardOutput", ""),
    ("SuccessExitStatus", "service.restart"),
    ("TasksMax", "service.limits.processes"),
    ("TimeoutAbortSec", "service.stop.timeout"),
    ("TimeoutSec", "service.stop.timeout"),
    ("TimeoutStartSec", "service.ready.timeout"),
    ("TimeoutStopSec", "service.stop.timeout"),
    ("Type", "service.ready"),
    ("UnsetEnvironment", "service.environment"),
    ("User", "service.user"),
    ("WatchdogSec", ""),
    ("WorkingDirectory", "service.workingDirectory"),
];

/// Lists of `[Service]` that hold something of mainstay's, to which a manifest adds. An empty value would empty them.
pub const ADDED_TO: [&str; 4] = ["ExecStartPre", "ExecStopPost", "ReadWritePaths", "RuntimeDirectory"];

/// What a schema says of a value of one of these.
pub const ADDED_PATTERN: &str =
    "^(?=[\\s\\S]*\\S)(?![\\s\\S]*\\\\\\s*$)[^\\u0000-\\u0008\\u000a-\\u001f\\u007f-\\u009f]*$";
/// What a schema says of the name of a setting: [`check_name`], but for the settings that mainstay writes.
pub const NAME_PATTERN: &str = "^(?![Xx]-[Mm][Aa][Ii][Nn][Ss][Tt][Aa][Yy]-)[A-Za-z][A-Za-z0-9-]*$";
/// What a schema says of the value of a setting: [`check_value`].
pub const VALUE_PATTERN: &str = "^(?![\\s\\S]*\\\\\\s*$)[^\\u0000-\\u0008\\u000a-\\u001f\\u007f-\\u009f]*$";

/// The settings of a section that mainstay writes itself, or keeps.
#[must_use]
pub fn owned(section: Section) -> Vec<&'static str> {
    let owned: &[(&str, &str)] = match section {
        Section::Unit => &OWNED_IN_UNIT,
        Section::Service => &OWNED_IN_SERVICE,
    };
    owned.iter().map(|(name, _)| *name).collect()
}

/// A section of a unit to which a manifest may add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// `[Unit]`.
    Unit,
    /// `[Service]`.
    Service,
}

/// Why a setting can't be added to a unit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingError {
    /// The name can't stand before the equals sign.
    #[error("`{0}` can't name a setting: use letters, digits and `-`")]
    Name(String),
    /// mainstay writes it from another field.
    #[error("`{name}` is written by mainstay: use `{instead}`")]
    Owned {
        /// The setting.
        name: String,
        /// The manifest's field.
        instead: &'static str,
    },
    /// mainstay writes it, or could not keep its promises with it.
    #[error("`{0}` is kept by mainstay: it can't be set here")]
    Kept(String),
    /// The value would take back what mainstay writes.
    #[error("an empty `{0}` would take back what mainstay itself says there")]
    Empties(String),
    /// The value would end the line or run on into the next one.
    #[error("a value must stay on its line: no line feed, no other control character, no `\\` at its end")]
    Value,
}

/// Refuses a name that can't be added to a section.
pub fn check_name(section: Section, name: &str) -> Result<(), SettingError> {
    let mut bytes = name.bytes();
    let well_formed = bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !well_formed {
        return Err(SettingError::Name(name.to_owned()));
    }
    if name.to_ascii_lowercase().starts_with(MARKER_PREFIX) {
        return Err(SettingError::Kept(name.to_owned()));
    }
    let owned: &[(&str, &str)] = match section {
        Section::Unit => &OWNED_IN_UNIT,
        Section::Service => &OWNED_IN_SERVICE,
    };
    match owned.iter().find(|(owned, _)| owned.eq_ignore_ascii_case(name)) {
        None => Ok(()),
        Some((_, "")) => Err(SettingError::Kept(name.to_owned())),
        Some((_, instead)) => Err(SettingError::Owned { name: name.to_owned(), instead }),
    }
}

/// Refuses a value that would not stay on its line of the unit, or would take back lines of mainstay's.
pub fn check_value(name: &str, value: &str) -> Result<(), SettingError> {
    if value.trim().is_empty() && ADDED_TO.iter().any(|list| list.eq_ignore_ascii_case(name)) {
        return Err(SettingError::Empties(name.to_owned()));
    }
    let strays = value.contains(|letter: char| letter.is_control() && letter != '\t')
        || value.trim_end().ends_with('\\');
    if strays { Err(SettingError::Value) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mainstay_writes_is_refused_with_the_field_for_it() {
        let refusal = |section, name| check_name(section, name).unwrap_err().to_string();
        assert_eq!(refusal(Section::Service, "User"), "`User` is written by mainstay: use `service.user`");
        assert_eq!(
            refusal(Section::Service, "execstart"),
            "`execstart` is written by mainstay: use `service.command`"
        );
        assert_eq!(
            refusal(Section::Service, "WatchdogSec"),
            "`WatchdogSec` is kept by mainstay: it can't be set here"
        );
        assert_eq!(
            refusal(Section::Unit, "X-Mainstay-Hash"),
            "`X-Mainstay-Hash` is kept by mainstay: it can't be set here"
        );
        for name in ["", "After=", "a b", "[Service]", "-a", "é", "A\nB"] {
            assert_eq!(check_name(Section::Unit, name), Err(SettingError::Name(name.to_owned())));
        }
        for name in ["After", "ConditionPathExists", "X-Other", "ExecStart"] {
            assert_eq!(check_name(Section::Unit, name), Ok(()), "{name}");
        }
    }

    #[test]
    fn values_stay_on_their_line() {
        for value in ["a", "a b\tc", "%n", "", "a\\b"] {
            assert_eq!(check_value("A", value), Ok(()), "{value:?}");
        }
        for value in ["a\nb", "a\r", "\u{1b}", "a\\", "a\\ ", "\u{85}"] {
            assert_eq!(check_value("A", value), Err(SettingError::Value), "{value:?}");
        }
        let emptied = SettingError::Empties("ExecStartPre".to_owned());
        assert_eq!(check_value("ExecStartPre", " "), Err(emptied));
    }
}
