//! Failures, told: the message, its causes, what to do, and the exit code, each chosen in one place.

use std::error::Error as _;
use std::io;

use self::log::{last_lines, told_last};
use crate::cli::excerpt;
use crate::cli::report::Report;
use crate::engine::failure::{CallError, Failure, StepError};
use crate::engine::supervisor::RunError;
use crate::engine::target::TargetError;
use crate::engine::trust::Distrust;
use crate::host::account;
use crate::model::answer::failure::FailureAnswer;
use crate::model::launch::ResolveError;
use crate::model::marker::Marker;
use crate::plan::refusal::Refusal;

mod adopt;
mod data;
mod fetching;
mod host;
mod log;
mod origin;

/// How many instances are named to somebody who named none: a screen's worth.
const MOST_CANDIDATES: usize = 20;

/// Tells a failure, and gives the exit code.
pub(crate) fn told(report: &Report, failure: &Failure) -> u8 {
    let answer = said(report, failure);
    if report.is_json() {
        report.document(&answer);
    }
    answer.exit_code
}

/// Tells a failure to a person, and gives it as a document.
pub(crate) fn said(report: &Report, failure: &Failure) -> FailureAnswer {
    let code = code(failure);
    let message = failure.to_string();
    let mut causes = Vec::new();
    let mut source = failure.source();
    while let Some(error) = source {
        let text = error.to_string();
        // A transparent error shows its source as itself.
        if text != message && causes.last() != Some(&text) {
            causes.push(text);
        }
        source = error.source();
    }
    let mut help = help(failure);
    help.extend(room(failure));
    let mut answer = FailureAnswer::new(code, message, causes, help);
    match failure {
        Failure::Faulty(problems) => {
            let width = report.columns_of_talk().unwrap_or(excerpt::USUAL_WIDTH);
            report.faults(&excerpt::of_all(problems, width), &answer.help);
            answer.problems.clone_from(&problems.list);
        }
        _ => report.failure(&answer.message, &answer.causes, &answer.help),
    }
    answer
}

/// The exit code of a failure.
fn code(failure: &Failure) -> u8 {
    match failure {
        Failure::Usage(_) | Failure::Faulty(_) | Failure::Unresolved(_) | Failure::NoVersion(_) => 2,
        Failure::Adopt(error) => adopt::code(error),
        Failure::Target(_) => 3,
        Failure::Run(error) if matches!(**error, RunError::NotInstalled(_)) => 3,
        Failure::Refused(_)
        | Failure::Distrusted(_)
        | Failure::Inexpressible(_)
        | Failure::Rights(_)
        | Failure::HostLacks { .. }
        | Failure::Changed(_) => 4,
        Failure::Archive(error) if error.wants_room() => 1,
        Failure::Archive(_)
        | Failure::OtherArchive(_)
        | Failure::Signature(_)
        | Failure::Origin(_)
        | Failure::Pack(_) => 5,
        Failure::Fetch(error) => fetching::code(error),
        Failure::Busy(_) => 6,
        Failure::TakenBack { .. } => 7,
        Failure::Interrupted => 130,
        Failure::Down { .. }
        | Failure::NotRevived { .. }
        | Failure::DataAway { .. }
        | Failure::NoWayBack { .. } => 8,
        Failure::Space(_)
        | Failure::NotReady { .. }
        | Failure::NeverReady { .. }
        | Failure::Held { .. }
        | Failure::Tree(_)
        | Failure::Step { .. }
        | Failure::Stuck { .. }
        | Failure::Unclosed { .. }
        | Failure::Call(_)
        | Failure::Newer { .. }
        | Failure::Damaged { .. }
        | Failure::File(_)
        | Failure::Lock(_)
        | Failure::Account(_)
        | Failure::Environment(_)
        | Failure::Run(_)
        | Failure::Afterwards { .. }
        | Failure::Hook(_)
        | Failure::Unprepared { .. }
        | Failure::OneWay { .. }
        | Failure::Killed => 1,
    }
}

/// What the person can do.
fn help(failure: &Failure) -> Vec<String> {
    match failure {
        Failure::Target(error) => target_help(error),
        Failure::Adopt(error) => adopt::help(error),
        Failure::Refused(refusal) => refusal_help(refusal),
        Failure::Distrusted(distrust) => distrust_help(distrust),
        Failure::Fetch(error) => fetching::help(error),
        Failure::Signature(error) => fetching::signature_help(error),
        Failure::HostLacks { .. } | Failure::Unprepared { .. } => host::help(failure),
        Failure::TakenBack { log, .. } | Failure::Down { log, .. } | Failure::NotReady { log, .. } => {
            last_lines(log)
        }
        Failure::NeverReady { log, written, .. } => {
            let mut lines = told_last(log);
            lines.push("correct the command and type it again: nothing of this try is in its way".to_owned());
            lines.extend(written.iter().map(|folder| format!("its whole log stays in `{folder}`")));
            lines
        }
        Failure::NoWayBack { log, bring, .. } => {
            let mut lines = last_lines(log);
            let bring = bring.as_ref().map_or_else(
                || "bring the version before with its package manager".to_owned(),
                |command| format!("bring the version before: `{command}`"),
            );
            lines.push(format!("{bring}, then `mainstay upgrade --restart-only`"));
            lines
        }
        Failure::NotRevived { call, log, .. } => adopt::not_revived(call, log),
        Failure::Origin(error) => origin::help(error),
        Failure::Held { holders, .. } => {
            let mut lines = match holders.len() {
                0 => vec!["none of its processes is left".to_owned()],
                _ => vec!["these processes are of it:".to_owned()],
            };
            lines.extend(holders.iter().map(|holder| format!("  {holder}")));
            lines.push("`mainstay doctor` says what else is in its way".to_owned());
            lines
        }
        Failure::Busy(name) => vec![format!(
            "wait for it to end, then try again; `mainstay status --name {name}` shows how far it is"
        )],
        Failure::Changed(_) => vec!["look at the new plan with `--dry-run`, then try again".to_owned()],
        Failure::Rights(_) => vec![elevated()],
        Failure::NoVersion(_) => vec!["say it with `--version`".to_owned()],
        Failure::Unresolved(
            ResolveError::PackagePath { field, .. } | ResolveError::PackageLink { field, .. },
        ) => {
            vec![
                "tell the vendor of the package: it may be hostile".to_owned(),
                format!("if you want that file, name it yourself, as `{field}` of your manifest"),
            ]
        }
        Failure::Unresolved(ResolveError::NoCommand) => {
            vec!["add `\"service\": {\"command\": [\"{package}/bin/…\"]}` to the manifest".to_owned()]
        }
        Failure::Faulty(_) => {
            vec!["`mainstay validate` checks it again; `mainstay schema` prints what is allowed".to_owned()]
        }
        Failure::Newer { .. } => vec!["use the mainstay that wrote it, or a newer one".to_owned()],
        Failure::Stuck { .. } | Failure::DataAway { .. } => {
            vec!["mend the cause, then run `mainstay recover`".to_owned()]
        }
        Failure::Call(CallError::Unavailable { .. }) => unavailable(),
        Failure::Step { source, .. } => match source.as_ref() {
            StepError::Call(CallError::Unavailable { .. }) => unavailable(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// What helps where the disk is full, wherever that was met.
fn room(failure: &Failure) -> Vec<String> {
    let full = |error: &(dyn std::error::Error + 'static)| {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    };
    // Of what was undone only the words are left.
    let words = failure.to_string();
    let said =
        ["No space left on device", "quota exceeded", "is full"].iter().any(|word| words.contains(word));
    let archive = said || matches!(failure, Failure::Archive(error) if error.wants_room());
    let mut source = failure.source();
    let mut met = archive || matches!(failure, Failure::Space(_));
    while let Some(error) = source.filter(|_| !met) {
        met = full(error);
        source = error.source();
    }
    if !met {
        return Vec::new();
    }
    vec![
        "`mainstay upgrade --cleanup` removes old versions, on a full disk too; `--dry-run` shows which"
            .to_owned(),
        "`df -h` and `df -i` show where there is no room left".to_owned(),
    ]
}

/// What helps where a service manager does not answer.
fn unavailable() -> Vec<String> {
    let own = account::by_uid(account::effective_uid()).ok().filter(|own| !own.is_root());
    match own.filter(|own| account::lingers(&own.name) != Some(true)) {
        // A user's manager runs while the user is logged in, or lingers.
        Some(own) => vec![
            format!("let root type `loginctl enable-linger {}`, so that its services run without a login", own.name),
            "then run this again, or log in as this user first".to_owned(),
        ],
        None => vec![
            "is the service manager running, and does this account have a session of its own? For another user's services, log in as that user".to_owned(),
        ],
    }
}

/// The same command with root's rights, to be copied and typed.
fn elevated() -> String {
    format!("run it again as root: `sudo {}`", crate::host::environment::typed_command())
}

fn target_help(error: &TargetError) -> Vec<String> {
    let choose = |candidates: &[Marker]| -> Vec<String> {
        if candidates.is_empty() {
            return vec![
                "nothing is installed here yet: `mainstay install --name web --binary ./server` makes a service of a program, `--from ARCHIVE` one of an archive".to_owned(),
            ];
        }
        let mut lines = vec!["these are installed:".to_owned()];
        lines.extend(candidates.iter().take(MOST_CANDIDATES).map(|marker| {
            format!("  {:<24} {:<9} {:<7} {}", marker.name, marker.platform, marker.scope, marker.folder)
        }));
        if let Some(others) = candidates.len().checked_sub(MOST_CANDIDATES).filter(|others| *others > 0) {
            lines.push(format!("  and {others} more: `mainstay list`"));
        }
        lines.push("name one with `--name NAME` or `--instance-dir FOLDER`, or go to its folder".to_owned());
        lines
    };
    match error {
        TargetError::Nothing { candidates, .. }
        | TargetError::Unknown { candidates, .. }
        | TargetError::NoneOf { candidates, .. } => choose(candidates),
        TargetError::OtherScope { scope, .. } => {
            vec![format!("its scope is `{scope}`: add `--{scope}`"), elevated()]
        }
        TargetError::NoManifest(_) => {
            vec!["write a `mainstay.json` there, or name another folder".to_owned()]
        }
        TargetError::Several { names, .. } => {
            vec![format!("they are {}: say which with `--component`", names.join(", "))]
        }
        TargetError::NotInstalled { .. } => {
            vec![
                "install it with `mainstay install --from ARCHIVE`; where no archive brings the program, with `mainstay install`".to_owned(),
            ]
        }
    }
}

fn refusal_help(refusal: &Refusal) -> Vec<String> {
    match refusal {
        Refusal::NameTaken { .. } => vec![
            "another version of that service? `mainstay upgrade` in its folder".to_owned(),
            "another service? give it another `name` in the manifest".to_owned(),
            "the same service, from now on from here? `--take-over`".to_owned(),
        ],
        Refusal::Undefined { .. }
        | Refusal::NotOurs { .. }
        | Refusal::AlreadyOurs { .. }
        | Refusal::HasSocket { .. } => adopt::refusal_help(refusal),
        Refusal::OtherPlatform { installed, .. } => vec![
            format!("to stay there, write `\"platform\": \"{installed}\"` in the manifest"),
            "to move it, uninstall it first: its data and configuration stay".to_owned(),
        ],
        Refusal::NotHere { platform, usual } => host::no_platform(*platform, *usual),
        Refusal::MissingVariables { variables, file, .. } => {
            let place = file.as_ref().map_or_else(
                || "write them into `service.environment` of the manifest".to_owned(),
                |file| format!("write them into `{file}`, a line `KEY=value` each"),
            );
            variables.iter().map(|(name, meaning)| format!("{name}: {meaning}")).chain([place]).collect()
        }
        Refusal::OtherComponent { .. } => {
            vec!["choose another `name`, uninstall the instance first, or use `--take-over`".to_owned()]
        }
        Refusal::OtherAccount { name, wanted, data, .. } => vec![
            format!("`mainstay uninstall --name {name}`, which keeps its data and configuration"),
            format!(
                "then `chown -R {} '{data}'`, if that is there, and install it again",
                wanted.as_deref().unwrap_or("ACCOUNT")
            ),
        ],
        Refusal::NoTree { .. } => vec![
            "bring it: `mainstay upgrade --from ARCHIVE`, or let the manifest say where it is (`package.url`)"
                .to_owned(),
        ],
        Refusal::OtherKey { name, wanted, .. } => {
            let mut lines = vec![format!(
                "to give the old key up: `mainstay uninstall --name {name}`, then install again; data and configuration stay"
            )];
            if let Some(wanted) = wanted {
                lines.insert(0, format!(
                    "the new key counts once an archive comes that the old one has signed, with `key:{wanted}` in the trusted comment"
                ));
            }
            lines
        }
        Refusal::OtherTree { .. } => vec!["`--force` puts the new one in its place".to_owned()],
        Refusal::LiveTree { .. } => {
            vec!["stop the service first, or give the archive a version of its own".to_owned()]
        }
        Refusal::Downgrade { .. } | Refusal::NoOrder { .. } => {
            vec![
                "`--force` does it all the same; `mainstay upgrade --rollback` goes to the version before"
                    .to_owned(),
            ]
        }
        Refusal::DataTooNew { .. }
        | Refusal::NoSnapshot { .. }
        | Refusal::DataUnusable { .. }
        | Refusal::NoRoom { .. }
        | Refusal::DataNeedsRestart { .. } => data::help(refusal),
        Refusal::Unclear { reasons, .. } => {
            let mut lines = reasons.clone();
            lines.push("mend that, then run this again".to_owned());
            lines
        }
        Refusal::SocketsMove(_) => vec!["leave `--no-restart` out, or stop the service first".to_owned()],
        Refusal::BadVersion { name, bad } => vec![
            format!(
                "`mainstay upgrade --name {name} --from ARCHIVE --force` tries it again; where it is still unpacked, \
                 `--to {} --force` does too",
                bad.version
            ),
            "an archive with other bytes is another matter; `mainstay history` shows what happened"
                .to_owned(),
        ],
        Refusal::OlderProgram { to, .. } => {
            vec![format!("if it is meant: `mainstay upgrade --version {to}`; else bring the newer one first")]
        }
        Refusal::NoOldProgram { bring, .. } => {
            let bring = bring.as_ref().map_or_else(
                || "bring the version that you want with its package manager".to_owned(),
                |command| format!("bring it: `{command}`"),
            );
            vec![format!("{bring}, then `mainstay upgrade --version VERSION`")]
        }
        Refusal::ForeignTool { instead, .. } => vec![instead.clone()],
        Refusal::OtherToolKey { .. } => {
            vec!["leave `--public-key` out, or let the owner of that file exchange it".to_owned()]
        }
        Refusal::OutsidePackage { .. } => vec![
            "let `service.command` begin with `{package}/…`, or set `package.source` to `manager`".to_owned(),
            "`--force` unpacks and records it all the same".to_owned(),
        ],
        Refusal::NoPrevious(_) => vec![
            "`mainstay history` shows what was active; `--to VERSION` goes to any that is unpacked"
                .to_owned(),
        ],
    }
}

fn distrust_help(distrust: &Distrust) -> Vec<String> {
    match distrust {
        Distrust::Writable { path, .. } => vec![format!("`chmod go-w '{path}'`")],
        Distrust::Owner { path, owner, .. } => {
            vec![format!("`chown {owner} '{path}'`, or run this as its owner")]
        }
        Distrust::NotAFile(_) | Distrust::Unreadable { .. } => vec!["put the file itself there".to_owned()],
        Distrust::NotAFolder(_) => vec!["name the folder that holds the manifest".to_owned()],
        Distrust::OtherUser { owner, .. } => {
            vec![format!(
                "leave `service.user` out, or set it to `{owner}`; to run as another account, let root own the folder"
            )]
        }
        Distrust::OtherGroup { .. } => {
            vec!["name one of the owner's groups, or let root own the folder".to_owned()]
        }
        Distrust::Socket { .. } => {
            vec!["listen somewhere else, or let root own the folder".to_owned()]
        }
        Distrust::Setting { .. } => vec!["leave it out, or let root own the folder".to_owned()],
    }
}
