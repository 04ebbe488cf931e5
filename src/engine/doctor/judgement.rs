//! The doctor's judgement: facts in, findings out. Each check is a function of its own.

use crate::engine::doctor::facts::{Enabled, Facts, Manifest};
use crate::engine::doctor::fix::Fix;
use crate::host::remedy;
use crate::model::answer::doctor::{Check, Finding, Verdict};
use crate::model::answer::status::{InstanceState, OperationState};
use crate::model::manifest::{PlatformKind, Scope};

mod development;
mod host;
mod needs;
mod runtime;
mod trial;
mod version;

/// Less room than this, and a file system is full, in bytes: hardly a log line and no version fits into it.
const FULL: u64 = 16 << 20;
/// Less room than this, and where that is less than a fiftieth too, it is nearly full.
const NEARLY_FULL: u64 = 1 << 30;

/// What a check has found, and what mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) finding: Finding,
    pub(crate) fix: Option<Fix>,
}

/// All checks that have something to look at.
pub(crate) fn judge(facts: &Facts) -> Vec<Judged> {
    let always: [fn(&Facts) -> Judged; 12] = [
        service,
        definition,
        version::version,
        runtime::runtime,
        manifest,
        operation,
        locks,
        processes,
        disk,
        host::index,
        host::permissions,
        host::clock,
    ];
    let sometimes: [fn(&Facts) -> Option<Judged>; 8] =
        [boot, report, pid_file, sockets, secrets, logs, needs::needs, development::development];
    let mut found: Vec<Judged> = always.iter().map(|check| check(facts)).collect();
    found.extend(sometimes.iter().filter_map(|check| check(facts)));
    found.sort_by_key(|judged| judged.finding.check);
    found
}

fn sound(check: Check, message: impl Into<String>) -> Judged {
    found(check, Verdict::Sound, message, None)
}

fn doubtful(check: Check, message: impl Into<String>, hint: impl Into<String>) -> Judged {
    found(check, Verdict::Doubtful, message, Some(hint.into()))
}

fn wrong(check: Check, message: impl Into<String>, hint: impl Into<String>) -> Judged {
    found(check, Verdict::Wrong, message, Some(hint.into()))
}

fn found(check: Check, verdict: Verdict, message: impl Into<String>, hint: Option<String>) -> Judged {
    Judged { finding: Finding { check, verdict, message: message.into(), hint, fix: None }, fix: None }
}

impl Judged {
    fn mended_by(mut self, fix: Fix) -> Self {
        self.finding.fix = Some(fix.to_string());
        self.fix = Some(fix);
        self
    }
}

fn service(facts: &Facts) -> Judged {
    let status = &facts.status;
    let name = &status.name;
    if let Err(reason) = &facts.manager {
        let message = format!("{} can't be asked: {reason}", status.platform);
        return wrong(Check::Service, message, "is it running, and has this account a session of its own?");
    }
    let because = status.message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
    let failing = status.health.as_ref().filter(|health| health.failures > 0);
    match (status.state, failing) {
        (InstanceState::Failed, _) => wrong(
            Check::Service,
            format!("it failed and stays down{because}"),
            format!("`mainstay logs --name {name}` shows why, `mainstay start --name {name}` tries again"),
        ),
        (InstanceState::BackingOff, _) => doubtful(
            Check::Service,
            format!("it ends again and again{because}"),
            format!("`mainstay logs --name {name}` shows why"),
        ),
        (state, Some(health)) => doubtful(
            Check::Service,
            format!(
                "{state}, but it failed {} questions in a row whether it works{}",
                health.failures,
                health.last_error.as_deref().map(|error| format!(": {error}")).unwrap_or_default()
            ),
            format!("`mainstay logs --name {name}` shows why"),
        ),
        (state, None) => sound(Check::Service, state.to_string()),
    }
}

fn definition(facts: &Facts) -> Judged {
    let status = &facts.status;
    let path = &status.definition.path;
    if !facts.defined {
        let message = format!("there is no definition of it at `{path}`, so nothing starts it");
        return wrong(Check::Definition, message, "`mainstay apply` in its folder writes it anew");
    }
    if let Some(path) = &facts.lost_socket {
        let message = format!("there is no definition of its sockets at `{path}`, so nobody holds them");
        return wrong(Check::Definition, message, "`mainstay apply` in its folder writes it anew");
    }
    if status.definition.needs_reload {
        let user = if status.scope == Scope::User { "--user " } else { "" };
        let hint = format!("`systemctl {user}daemon-reload`");
        let message = "systemd has not read the definition as it is now";
        return wrong(Check::Definition, message, hint).mended_by(Fix::Reload);
    }
    if status.definition.edited {
        let hint = "`mainstay apply` in its folder writes it anew; what is to stay goes into the manifest";
        return doubtful(Check::Definition, format!("`{path}` was edited by hand"), hint);
    }
    if let Some(drop_in) = status.definition.drop_ins.first() {
        let hint = "what is to stay goes into `systemd` of the manifest";
        return doubtful(Check::Definition, format!("`{drop_in}` changes what it says"), hint);
    }
    sound(Check::Definition, "the definition is as mainstay wrote it")
}

fn boot(facts: &Facts) -> Option<Judged> {
    let status = &facts.status;
    let name = &status.name;
    match facts.boot {
        Some(Enabled { wanted: true, is: false }) => Some(
            wrong(
                Check::Boot,
                "it is to start at boot, and its unit is not enabled",
                "`mainstay apply` enables it",
            )
            .mended_by(Fix::Boot(true)),
        ),
        Some(Enabled { wanted: false, is: true }) => Some(
            wrong(
                Check::Boot,
                "the manifest says `\"boot\": false`, and its unit is enabled",
                "`mainstay apply` disables it",
            )
            .mended_by(Fix::Boot(false)),
        ),
        _ => match &facts.unlingering {
            Some(user) => Some(
                wrong(
                    Check::Boot,
                    format!("it starts with the first login of {user} and ends with the last one"),
                    format!("`loginctl enable-linger {user}`, as root where this account may not"),
                )
                .mended_by(Fix::Linger(user.clone())),
            ),
            None if status.platform == PlatformKind::Embedded && status.boot.starts == Some(false) => {
                let message = format!("it does not start at boot: {}", status.boot.reason);
                // A person who says so in the manifest knows.
                Some(sound(Check::Boot, message))
            }
            None => facts.boot.map(|enabled| {
                let starts = if enabled.wanted { "starts" } else { "does not start" };
                sound(Check::Boot, format!("{name} {starts} at boot, as its manifest says"))
            }),
        },
    }
}

fn manifest(facts: &Facts) -> Judged {
    match &facts.manifest {
        Manifest::Missing(path) => doubtful(
            Check::Manifest,
            format!("there is no manifest at `{path}`: it runs on, and can't be changed"),
            "bring the folder back, or run `mainstay apply` in its new place",
        ),
        Manifest::Faulty(reason) => {
            let hint = "`mainstay validate` in its folder tells every fault";
            doubtful(Check::Manifest, format!("the manifest can't be used: {reason}"), hint)
        }
        Manifest::Sound { doubts, .. } if !doubts.is_empty() => {
            doubtful(Check::Manifest, doubts.join("; "), "`mainstay validate` in its folder tells the places")
        }
        Manifest::Sound { changed: true, .. } => doubtful(
            Check::Manifest,
            "the manifest says something else than was last applied",
            "`mainstay plan` in its folder shows what, `mainstay apply` does it",
        ),
        Manifest::Sound { .. } => sound(Check::Manifest, "the manifest is what was applied"),
    }
}

fn operation(facts: &Facts) -> Judged {
    let name = &facts.status.name;
    match facts.status.operation {
        Some(OperationState::UnderWay) => {
            doubtful(Check::Operation, "a command is at work on it", "look again when it has ended")
        }
        Some(OperationState::Unfinished) => wrong(
            Check::Operation,
            "an operation was left unfinished",
            format!("`mainstay recover --name {name}` finishes or undoes it"),
        )
        .mended_by(Fix::Recover),
        None => sound(Check::Operation, "no operation was left unfinished"),
    }
}

/// A lock ends with its holder, however that dies, so there are no stale ones: only holders that do not go on.
fn locks(facts: &Facts) -> Judged {
    let stuck = facts.locks.iter().find_map(|lock| {
        let (pid, name, state) = lock.holder.as_ref()?;
        let state = match state {
            'T' | 't' => "was stopped and does not go on",
            'D' => "waits in the kernel for a device or a file system",
            _ => return None,
        };
        Some((format!("process {pid} ({name}), which holds `{}`, {state}", lock.path), *pid))
    });
    if let Some((message, pid)) = stuck {
        return wrong(Check::Locks, message, format!("`kill -CONT {pid}` lets it go on, if it was stopped"));
    }
    match facts.locks.first() {
        None => sound(Check::Locks, "nobody holds its locks; what an earlier holder left does not count"),
        Some(lock) => {
            let holder = lock.holder.as_ref();
            let holder =
                holder.map_or("a process".to_owned(), |(pid, name, _)| format!("process {pid} ({name})"));
            sound(Check::Locks, format!("{holder} holds `{}`, and works", lock.path))
        }
    }
}

fn report(facts: &Facts) -> Option<Judged> {
    let reason = facts.status.fallback.as_ref()?;
    let hint = format!("`mainstay restart --name {}` starts another supervisor", facts.status.name);
    Some(wrong(Check::Report, reason.clone(), hint))
}

fn processes(facts: &Facts) -> Judged {
    let holders = &facts.holders;
    let told = || holders.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let state = facts.status.state;
    if matches!(state, InstanceState::Stopped | InstanceState::Failed)
        && !facts.supervised
        && !holders.is_empty()
    {
        let pids: Vec<String> = holders.iter().map(|holder| holder.identity.pid.to_string()).collect();
        let message = format!("it does not run, and processes of it do: {}", told());
        let hint = format!(
            "nothing supervises them: `mainstay start --name {}` ends them and starts it anew; `kill {}` only ends them",
            facts.status.name,
            pids.join(" ")
        );
        return wrong(Check::Processes, message, hint);
    }
    let too_long = facts.unchanged_for.is_some_and(|unchanged| unchanged > facts.stop_limit);
    if state == InstanceState::Stopping && too_long && !holders.is_empty() {
        let message = format!("it does not stop, because of {}", told());
        let hint =
            "a process in state D goes when its device answers; one that a debugger holds, when that lets go";
        return wrong(Check::Processes, message, hint);
    }
    let waits = holders.iter().find(|holder| holder.state == 'D');
    match waits {
        Some(holder) => doubtful(Check::Processes, holder.to_string(), "look at what it reads or writes"),
        None if holders.is_empty() => sound(Check::Processes, "no process of it is left"),
        None => sound(Check::Processes, format!("its {} processes are supervised", holders.len())),
    }
}

fn pid_file(facts: &Facts) -> Option<Judged> {
    let file = facts.pid_file.as_ref()?;
    let path = &file.path;
    if file.ours {
        return Some(sound(Check::PidFile, format!("`{path}` names the program")));
    }
    let Some(pid) = file.pid else {
        let message = format!("`{path}` holds no process number");
        return Some(doubtful(Check::PidFile, message, "the next start replaces it"));
    };
    Some(match &file.process {
        Some(name) if facts.holders.iter().any(|holder| holder.identity.pid == pid) => doubtful(
            Check::PidFile,
            format!(
                "`{path}` names process {pid} ({name}), which is left of an earlier life of this service"
            ),
            "the next start replaces it",
        ),
        Some(name) => wrong(
            Check::PidFile,
            format!("`{path}` names process {pid} ({name}), which is not of this service"),
            "if that process did not write it, remove the file: a start refuses to replace it",
        ),
        None => doubtful(
            Check::PidFile,
            format!("`{path}` names process {pid}, which has ended"),
            "the next start replaces it",
        )
        .mended_by(Fix::RemovePidFile { path: path.clone(), pid, account: file.account.clone() }),
    })
}

fn sockets(facts: &Facts) -> Option<Judged> {
    let path = facts.dead_sockets.first()?;
    let message = format!("nobody listens at the socket `{path}`");
    Some(doubtful(Check::Sockets, message, "the next start of the service makes it anew"))
}

fn secrets(facts: &Facts) -> Option<Judged> {
    if let Some(reason) = &facts.unreadable {
        let hint = "put the file in its place again, or correct it; until then nothing restarts what runs";
        return Some(wrong(Check::Secrets, format!("{reason}: its next start fails"), hint));
    }
    let path = facts.open_secrets.first()?;
    let message = format!("every account of this host can read the secret in `{path}`");
    Some(doubtful(Check::Secrets, message, format!("`{}`", remedy::close_to_readers(path))))
}

fn logs(facts: &Facts) -> Option<Judged> {
    let (size, expected) = facts.logs?;
    // The file that is written, and whatever the last lines are longer than the limit.
    if size <= expected.saturating_mul(2).saturating_add(1 << 20) {
        return Some(sound(Check::Logs, format!("its log files take {} KiB", size >> 10)));
    }
    let message = format!(
        "its log folder takes {} MiB, and `logs` of the manifest allows {}",
        size >> 20,
        expected >> 20
    );
    Some(doubtful(Check::Logs, message, "something else writes there, or files of an earlier rule are left"))
}

fn disk(facts: &Facts) -> Judged {
    for disk in &facts.disks {
        let folder = &disk.folder;
        if disk.no_files {
            let message = format!("the file system of `{folder}` takes no more files");
            return wrong(Check::Disk, message, "remove what is not needed: `df -i` counts them");
        }
        if disk.available < FULL {
            let message =
                format!("the file system of `{folder}` is full: {} KiB are left", disk.available >> 10);
            let hint = "make room: `mainstay upgrade --cleanup` removes old versions";
            return wrong(Check::Disk, message, hint);
        }
    }
    let nearly = |disk: &&crate::engine::doctor::facts::Disk| {
        disk.available < NEARLY_FULL && disk.available < disk.size / 50
    };
    match facts.disks.iter().find(nearly) {
        Some(disk) => doubtful(
            Check::Disk,
            format!(
                "the file system of `{}` is nearly full: {} MiB are left",
                disk.folder,
                disk.available >> 20
            ),
            "`mainstay upgrade --cleanup` removes old versions",
        ),
        None => sound(Check::Disk, "there is room on its file systems"),
    }
}

#[cfg(test)]
mod tests;
