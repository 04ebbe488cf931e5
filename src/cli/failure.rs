//! Failures, told: the message, its causes, what to do, and the exit code, each chosen in one place.

use std::error::Error as _;
use std::io;

use self::log::{last_lines, told_last};
use self::refusal::{distrust_help, refusal_help};
use crate::cli::excerpt;
use crate::cli::report::Report;
use crate::engine::failure::{ANY_ENGINE, CallError, Failure, StepError};
use crate::engine::supervisor::RunError;
use crate::engine::target::TargetError;
use crate::host::account;
use crate::model::answer::failure::FailureAnswer;
use crate::model::compose::EngineKind;
use crate::model::launch::ResolveError;
use crate::model::marker::Marker;
use crate::model::nearest::nearest;

pub(crate) use self::usage::usage;

mod adopt;
mod data;
mod development;
mod fetching;
mod host;
mod log;
mod origin;
mod refusal;
mod usage;
mod values;

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
        Failure::Usage(_)
        | Failure::Declined
        | Failure::Faulty(_)
        | Failure::Unresolved(_)
        | Failure::NoVersion(_) => 2,
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
        Failure::TakenBack { .. } | Failure::SettingsTakenBack { .. } | Failure::ValuesTakenBack { .. } => 7,
        Failure::Interrupted => 130,
        Failure::Down { .. }
        | Failure::ValuesLost { .. }
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
        Failure::TakenBack { log, .. }
        | Failure::SettingsTakenBack { log, .. }
        | Failure::Down { log, .. }
        | Failure::NotReady { log, .. } => last_lines(log),
        Failure::ValuesTakenBack { log, .. } | Failure::ValuesLost { log, .. } => {
            let mut lines = last_lines(log);
            lines.push(values::help(failure));
            lines
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
        Failure::NoVersion(error) => refusal::version_help(error),
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
        Failure::Call(CallError::Unavailable { manager, .. }) => unavailable(manager),
        Failure::Step { source, .. } => match source.as_ref() {
            StepError::Call(CallError::Unavailable { manager, .. }) => unavailable(manager),
            StepError::Unanswering { log, .. } => last_lines(log),
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

/// What helps where a service manager, or an engine of containers, does not answer.
fn unavailable(manager: &str) -> Vec<String> {
    if manager == ANY_ENGINE || EngineKind::ALL.iter().any(|kind| kind.as_str() == manager) {
        return vec![
            "start Docker by `systemctl start docker`, or install Podman and a Compose for it; `docker compose version` or `podman compose version` has to answer".to_owned(),
        ];
    }
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
        TargetError::Unknown { name, candidates } => {
            let names = candidates.iter().map(|marker| marker.name.as_str());
            let meant = nearest(name.as_str(), names).map(|meant| format!("did you mean `{meant}`?"));
            meant.into_iter().chain(choose(candidates)).collect()
        }
        TargetError::Nothing { candidates, .. } | TargetError::NoneOf { candidates, .. } => {
            choose(candidates)
        }
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
