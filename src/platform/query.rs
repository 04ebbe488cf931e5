//! Questions to service managers: the commands that only look. Their answers are read in
//! [`crate::platform::observed`].

use crate::model::layout::unit_name;
use crate::model::level::Level;
use crate::model::manifest::Scope;
use crate::model::moment::Moment;
use crate::model::name::InstanceName;
use crate::platform::calls::systemctl;

/// The properties that [`service`] asks for, in `org.freedesktop.systemd1(5)`'s names.
const PROPERTIES: [&str; 17] = [
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "MainPID",
    "ExecMainCode",
    "ExecMainStatus",
    "ExecMainStartTimestamp",
    "NRestarts",
    "NeedDaemonReload",
    "UnitFileState",
    "FragmentPath",
    "SourcePath",
    "DropInPaths",
    "MemoryCurrent",
    "StatusText",
    "InvocationID",
];

fn words(argv: &[&str]) -> Vec<String> {
    argv.iter().copied().map(str::to_owned).collect()
}

/// All that is to be known of one service. The answer is for [`crate::platform::observed::service`].
#[must_use]
pub fn service(scope: Scope, name: &InstanceName) -> Vec<String> {
    let mut argv = systemctl(scope);
    // `--timestamp` counts for `show` from 248 on; an older systemctl refuses the option.
    argv.extend(words(&["show", "--timestamp=us+utc"]));
    argv.push(format!("--property={}", PROPERTIES.join(",")));
    argv.push(unit_name(name));
    argv
}

/// The states of all services that systemd has loaded: one quick answer however many there are, where
/// asking for each by name would load those that do not run. For [`crate::platform::observed::services`].
#[must_use]
pub fn services(scope: Scope) -> Vec<String> {
    let mut argv = systemctl(scope);
    argv.extend(words(&["list-units", "--all", "--type=service", "--output=json", "--no-pager"]));
    argv
}

/// Whether a unit of this name exists anywhere on systemd's load path, and where: a subset of
/// [`service`]. For [`crate::platform::observed::unit_file`].
#[must_use]
pub fn unit_file(scope: Scope, name: &InstanceName) -> Vec<String> {
    let mut argv = systemctl(scope);
    argv.extend(words(&["show", "--property=LoadState,FragmentPath,SourcePath"]));
    argv.push(unit_name(name));
    argv
}

/// Whether a user's services run without a login. For [`crate::platform::observed::linger`].
#[must_use]
pub fn linger(user: &str) -> Vec<String> {
    words(&["loginctl", "--no-ask-password", "show-user", "--property=Linger", "--value", user])
}

/// The version of systemd. For [`crate::platform::observed::version`].
#[must_use]
pub fn version() -> Vec<String> {
    words(&["systemctl", "--version"])
}

/// Which log lines are wanted, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// Not those before this.
    pub since: Option<Moment>,
    /// Not those after this.
    pub until: Option<Moment>,
    /// Not those that are less bad.
    pub level: Option<Level>,
    /// Only those in which this regular expression is found, upper and lower case being different.
    pub grep: Option<String>,
    /// Only the last so many.
    pub lines: Option<u64>,
    /// Only those after this place in the journal (`__CURSOR`).
    pub after: Option<String>,
    /// Whether new lines are waited for.
    pub follow: bool,
    /// Whether each line comes with all its fields, as JSON.
    pub json: bool,
}

impl LogQuery {
    /// Whether journalctl(1) answers with the newest line first: it implies `--reverse` when `--grep` and
    /// `--lines` come together, and has no way to ask for the opposite.
    #[must_use]
    pub fn newest_first(&self) -> bool {
        self.grep.is_some() && self.lines.is_some() && !self.follow
    }
}

/// The log of one service, from the journal.
#[must_use]
pub fn logs(scope: Scope, name: &InstanceName, query: &LogQuery) -> Vec<String> {
    let mut argv = words(&["journalctl", "--no-pager", "--quiet"]);
    // `--user-unit`, without `--user`: on hosts that do not split the journal by user, a user's lines
    // stand in the system's files, which `--user` leaves out.
    argv.push(match scope {
        Scope::System => format!("--unit={}", unit_name(name)),
        Scope::User => format!("--user-unit={}", unit_name(name)),
    });
    let at = |moment: &Moment| {
        let microseconds = moment.0.as_microsecond();
        format!("@{}.{:06}", microseconds.div_euclid(1_000_000), microseconds.rem_euclid(1_000_000))
    };
    argv.extend(query.since.as_ref().map(|moment| format!("--since={}", at(moment))));
    argv.extend(query.until.as_ref().map(|moment| format!("--until={}", at(moment))));
    argv.extend(query.level.map(|level| format!("--priority={}", level.priority())));
    if let Some(pattern) = &query.grep {
        argv.push("--case-sensitive=true".to_owned());
        argv.push(format!("--grep={pattern}"));
    }
    match (query.lines, query.follow) {
        (Some(lines), _) => argv.push(format!("--lines={lines}")),
        // With `--follow` journalctl shows the last ten lines only, unless told otherwise.
        (None, true) => argv.push("--lines=all".to_owned()),
        (None, false) => {}
    }
    argv.extend(query.after.as_ref().map(|cursor| format!("--after-cursor={cursor}")));
    if query.follow {
        argv.push("--follow".to_owned());
    }
    if query.json {
        // Without `--all` a long message is left out.
        argv.extend(words(&["--all", "--output=json"]));
    } else {
        argv.push("--output=short-iso".to_owned());
    }
    argv
}
