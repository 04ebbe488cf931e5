//! Settings that the manifest adds in systemd's own words (`systemd.unit`, `systemd.service`). They stand
//! last, so they win over ours; those that would take the service out of our hands are refused.

use std::collections::BTreeMap;

use crate::platform::Inexpressible;

/// A setting that is ours, and where the manifest says the same.
type Ours = (&'static str, &'static str);

const UNIT: [Ours; 4] = [
    ("Description", "say `service.description`"),
    ("StartLimitIntervalSec", "say `service.restart.window`"),
    ("StartLimitInterval", "say `service.restart.window`"),
    ("StartLimitBurst", "say `service.restart.limit`"),
];

const SERVICE: [Ours; 31] = [
    ("Type", "it follows from `service.supervision`"),
    ("NotifyAccess", "it follows from `service.supervision`"),
    ("ExecStart", "say `service.command`"),
    ("ExecStop", "say `service.stop.signal`"),
    ("KillMode", "the whole service is always stopped"),
    ("KillSignal", "say `service.stop.signal`"),
    ("RestartKillSignal", "say `service.stop.signal`"),
    ("TimeoutSec", "say `service.ready.timeout` and `service.stop.timeout`"),
    ("TimeoutStartSec", "say `service.ready.timeout`"),
    ("TimeoutStopSec", "say `service.stop.timeout`"),
    ("Restart", "say `service.restart.when`"),
    ("RestartSec", "say `service.restart.delays`"),
    ("RestartSteps", "say `service.restart.delays`"),
    ("RestartMaxDelaySec", "say `service.restart.delays`"),
    ("RestartMode", "say `service.restart.when`"),
    ("RestartForceExitStatus", "say `service.restart.when`"),
    ("RestartPreventExitStatus", "say `service.restart.when`"),
    ("RemainAfterExit", "a service whose program has ended has ended"),
    ("PIDFile", "the program stays in the foreground"),
    ("BusName", "say `service.ready`"),
    ("RootDirectory", "mainstay itself would not be found below it"),
    ("RootImage", "mainstay itself would not be found in it"),
    ("User", "say `service.user`"),
    ("DynamicUser", "say `service.user`"),
    ("Environment", "say `service.environment`"),
    ("EnvironmentFile", "say `service.environmentFile`"),
    ("WorkingDirectory", "say `service.workingDirectory`"),
    ("StandardInput", "say `service.stdin`"),
    ("RuntimeDirectoryPreserve", "use `{run}`"),
    ("SyslogIdentifier", "it is the instance's name"),
    ("UMask", "say `service.umask`"),
];

/// What to say in the manifest instead of a setting that is mainstay's own; nothing for one that is not.
pub(super) fn instead(section: &str, key: &str) -> Option<&'static str> {
    let ours: &[Ours] = match section {
        "Unit" => &UNIT,
        "Service" => &SERVICE,
        _ => &[],
    };
    ours.iter().find(|(name, _)| *name == key).map(|(_, instead)| *instead)
}

/// The further settings of `[Unit]`, one a value.
pub(super) fn unit(extras: &BTreeMap<String, Vec<String>>) -> Result<Vec<(&str, &str)>, Inexpressible> {
    checked("systemd.unit", extras, &UNIT)
}

/// The further settings of `[Service]`, one a value.
pub(super) fn service(extras: &BTreeMap<String, Vec<String>>) -> Result<Vec<(&str, &str)>, Inexpressible> {
    checked("systemd.service", extras, &SERVICE)
}

fn checked<'a>(
    section: &str,
    extras: &'a BTreeMap<String, Vec<String>>,
    ours: &[Ours],
) -> Result<Vec<(&'a str, &'a str)>, Inexpressible> {
    for key in extras.keys() {
        let refused = |reason: String| Err(Inexpressible::new(format!("{section}.{key}"), reason));
        if let Some((_, instead)) = ours.iter().find(|(name, _)| name == key) {
            return refused(format!("mainstay sets it itself: {instead}"));
        }
        if key.starts_with("X-Mainstay-") {
            return refused("mainstay knows its instances by it".to_owned());
        }
        let well_formed = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if key.is_empty() || !well_formed {
            return refused("the name of a setting has only letters, digits and `-`".to_owned());
        }
    }
    Ok(extras
        .iter()
        .flat_map(|(key, values)| values.iter().map(|value| (key.as_str(), value.as_str())))
        .collect())
}
