//! Questions to service managers: the commands that only look. Their answers are read in
//! [`crate::platform::observed`].

use crate::model::layout::{socket_unit_name, unit_name};
use crate::model::level::Level;
use crate::model::manifest::Scope;
use crate::model::moment::Moment;
use crate::model::name::InstanceName;
use crate::platform::calls::systemctl;

/// The properties that [`service`] asks for, in `org.freedesktop.systemd1(5)`'s names.
const PROPERTIES: [&str; 18] = [
    "LoadState",
    "ActiveState",
    "SubState",
    "Job",
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

/// Whether a unit of this name, and one of its sockets, exist anywhere on systemd's load path, and where. For
/// [`crate::platform::observed::unit_files`].
#[must_use]
pub fn unit_files(scope: Scope, name: &InstanceName) -> Vec<String> {
    let mut argv = systemctl(scope);
    argv.extend(words(&[
        "show",
        "--property=LoadState,ActiveState,NeedDaemonReload,UnitFileState,FragmentPath,SourcePath,DropInPaths",
    ]));
    argv.extend([unit_name(name), socket_unit_name(name)]);
    argv
}

/// The command of a service as systemd itself starts it. For [`crate::platform::exec_start::started`].
#[must_use]
pub fn started(scope: Scope, name: &InstanceName) -> Vec<String> {
    let mut argv = systemctl(scope);
    argv.extend(words(&["show", "--property=ExecStart", "--value"]));
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
    /// Only the last so many. Does not count with both `since` and `follow`.
    pub lines: Option<u64>,
    /// Only those after this place in the journal (`__CURSOR`).
    pub after: Option<String>,
    /// Whether new lines are waited for.
    pub follow: bool,
    /// Whether each line comes with all its fields, as JSON.
    pub json: bool,
}

impl LogQuery {
    /// Whether the answer comes with the newest line first. journalctl(1) finds the last lines of a selection
    /// only from the end: with `--since` it counts from the beginning, with `--grep` it turns round anyway.
    #[must_use]
    pub fn newest_first(&self) -> bool {
        self.lines.is_some() && !self.follow && (self.grep.is_some() || self.since.is_some())
    }
}

/// What `--user-unit` selects, and the output of programs that had ended before journald looked which unit
/// they were of: a user's manager, unlike the host's, does not tell it when it opens the stream.
fn of_user(uid: u32, name: &InstanceName) -> Vec<String> {
    let unit = unit_name(name);
    let choices = [
        vec![format!("_SYSTEMD_USER_UNIT={unit}")],
        vec![format!("USER_UNIT={unit}")],
        vec![format!("USER_UNIT={}", socket_unit_name(name))],
        vec![format!("SYSLOG_IDENTIFIER={name}"), "_TRANSPORT=stdout".to_owned()],
    ];
    let each = choices.map(|mut choice| {
        choice.push(format!("_UID={uid}"));
        choice
    });
    each.join(&"+".to_owned())
}

/// The log of one service of the host or of the user of this number, from the journal. With `grep`, exit
/// code 1 says that nothing was found.
#[must_use]
pub fn logs(scope: Scope, uid: u32, name: &InstanceName, query: &LogQuery) -> Vec<String> {
    let mut argv = words(&["journalctl", "--no-pager", "--quiet"]);
    // Without `--user`: on hosts that do not split the journal by user, a user's lines stand in the system's
    // files, which `--user` leaves out.
    match scope {
        // What keeps systemd from opening its sockets keeps it down too.
        Scope::System => {
            argv.extend([unit_name(name), socket_unit_name(name)].map(|unit| format!("--unit={unit}")));
        }
        Scope::User => argv.extend(of_user(uid, name)),
    }
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
    match query.lines.filter(|_| !(query.follow && query.since.is_some())) {
        Some(lines) => argv.push(format!("--lines={lines}")),
        // With `--follow` journalctl shows the last ten lines only, unless told otherwise.
        None if query.follow => argv.push("--lines=all".to_owned()),
        None => {}
    }
    argv.extend(query.after.as_ref().map(|cursor| format!("--after-cursor={cursor}")));
    argv.extend(query.newest_first().then(|| "--reverse".to_owned()));
    argv.extend(query.follow.then(|| "--follow".to_owned()));
    if query.json {
        // Without `--all` a long message is left out.
        argv.extend(words(&["--all", "--output=json"]));
    } else {
        argv.push("--output=short-iso".to_owned());
    }
    argv
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(argv: &[String]) -> String {
        argv.join(" ")
    }

    #[test]
    fn questions_name_their_scope() {
        let web = InstanceName::new("web").unwrap();
        insta::assert_snapshot!([
            service(Scope::User, &web),
            unit_files(Scope::System, &web),
            services(Scope::System),
            linger("alice"),
            version(),
            logs(Scope::System, 0, &web, &LogQuery::default()),
        ].map(|argv| typed(&argv)).join("\n"), @r"
        systemctl --user --no-ask-password show --timestamp=us+utc --property=LoadState,ActiveState,SubState,Job,Result,MainPID,ExecMainCode,ExecMainStatus,ExecMainStartTimestamp,NRestarts,NeedDaemonReload,UnitFileState,FragmentPath,SourcePath,DropInPaths,MemoryCurrent,StatusText,InvocationID web.service
        systemctl --no-ask-password show --property=LoadState,ActiveState,NeedDaemonReload,UnitFileState,FragmentPath,SourcePath,DropInPaths web.service web.socket
        systemctl --no-ask-password list-units --all --type=service --output=json --no-pager
        loginctl --no-ask-password show-user --property=Linger --value alice
        systemctl --version
        journalctl --no-pager --quiet --unit=web.service --unit=web.socket --output=short-iso
        ");
    }

    #[test]
    fn the_last_lines_of_a_selection_are_counted_from_its_end() {
        let web = InstanceName::new("web").unwrap();
        let moment = Moment("2026-05-08T14:32:07.25Z".parse().unwrap());
        let selection = LogQuery { lines: Some(5), since: Some(moment), ..LogQuery::default() };
        assert!(selection.newest_first());
        insta::assert_snapshot!(typed(&logs(Scope::User, 1000, &web, &selection)), @"journalctl --no-pager --quiet _SYSTEMD_USER_UNIT=web.service _UID=1000 + USER_UNIT=web.service _UID=1000 + USER_UNIT=web.socket _UID=1000 + SYSLOG_IDENTIFIER=web _TRANSPORT=stdout _UID=1000 --since=@1778250727.250000 --lines=5 --reverse --output=short-iso");
        let all = LogQuery {
            until: Some(moment),
            level: Some(Level::Warning),
            grep: Some("a b".to_owned()),
            follow: true,
            json: true,
            ..selection
        };
        assert!(!all.newest_first());
        insta::assert_snapshot!(typed(&logs(Scope::System, 0, &web, &all)), @"journalctl --no-pager --quiet --unit=web.service --unit=web.socket --since=@1778250727.250000 --until=@1778250727.250000 --priority=4 --case-sensitive=true --grep=a b --lines=all --follow --all --output=json");
    }
}
