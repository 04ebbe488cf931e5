//! How one instance is: the service manager's word, the supervisor's report, the receipt, the launch spec and
//! the definition, put together. Nothing is changed, no lock is taken, one process is started at most.

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::container::boot::boot as boot_of_container;
use crate::engine::drift::{self, Glance};
use crate::engine::failure::CallError;
use crate::engine::manager::{Manager, Seen, State};
use crate::engine::runtimes::Own;
use crate::engine::standing::{Reported, standing};
use crate::engine::{active, development, report, space, trial, versions};
use crate::host::{account, clock, container, files, identity, lock};
use crate::model::answer::status::{
    Boot, DefinitionState, InstanceState, OperationState, Restarts, StatusAnswer, UnpackedVersion,
};
use crate::model::launch::LaunchSpec;
use crate::model::layout::{Layout, unit_name};
use crate::model::manifest::{PlatformKind, Scope, Supervision};
use crate::model::marker::Marker;
use crate::model::receipt::Receipt;
use crate::model::status::{Phase, ScheduleStanding, Status};
use crate::model::version::Version;
use crate::platform;
use crate::platform::compose::seen::ContainerSeen;
use crate::platform::compose::{FILE_NAME, entry};

/// Looks at one instance. What can't be read is left out; what can't be asked makes its state unknown.
pub fn status(manager: &dyn Manager, layout: &Layout, of: &Marker) -> StatusAnswer {
    let name = &of.name;
    let seen = manager.seen(of);
    let said = said(layout, of, seen.as_ref().ok());
    let reported = said.as_ref().ok().cloned().flatten();
    let spec = active::launch(layout, of);
    let receipt = trial::receipt(layout, name).ok().flatten();
    let live = reported.as_ref().filter(|status| identity::runs(status.supervisor));
    let state = standing(
        seen.as_ref().ok().map(|seen| seen.state),
        match (live, &reported) {
            (Some(status), _) => Reported::Live(status),
            (None, Some(status)) => Reported::Late(status),
            (None, None) if said.is_err() => Reported::Unreadable,
            (None, None) => Reported::Nothing,
        },
        of.platform,
        spec.as_ref().map(|spec| spec.supervision),
    );
    let state = match contained(&seen) {
        Some(found) if found.restarts_again() => InstanceState::BackingOff,
        Some(found) if state == InstanceState::Ready && found.is_unhealthy() => InstanceState::Failed,
        _ => state,
    };
    let path = layout.definition(name, of.platform);
    let definition = files::read(&path).ok().flatten();
    let compose = (of.platform == PlatformKind::Compose).then(|| of.folder.join(FILE_NAME));
    let compose_text = compose.as_ref().and_then(|path| files::read(path).ok().flatten());
    let rewritten = compose_text.as_deref().is_some_and(|text| !platform::compose::text::is_untouched(text));
    let socket = files::read(&layout.socket_definition(name)).ok().flatten();
    let socket = socket.filter(|_| of.platform == PlatformKind::Systemd);
    let native = spec.as_ref().is_some_and(|spec| spec.supervision == Supervision::Native);
    let process = Process::of(live, seen.as_ref().ok(), native);
    let version = active::version(layout, of)
        .or_else(|| receipt.as_ref().and_then(Receipt::active).map(|active| active.version.clone()));
    let running = live.map(|status| status.version.clone());
    StatusAnswer {
        schema: "status.v1".to_owned(),
        exit_code: state.exit_code(),
        name: name.clone(),
        component: of.component.clone(),
        platform: of.platform,
        scope: of.scope,
        folder: of.folder.clone(),
        message: message(state, &seen, &said),
        fallback: fallback(&said, seen.as_ref().ok(), live, of.platform).filter(|_| !native),
        container: container::container(),
        pid: process.pid,
        supervisor_pid: live.map(|status| status.supervisor.pid),
        started: process.started,
        ready: live.filter(|_| state == InstanceState::Ready).and_then(|status| status.ready),
        uptime_seconds: process.started.map(|started| {
            u64::try_from(clock::now().0.duration_since(started.0).as_secs()).unwrap_or_default()
        }),
        running_version: running.filter(|running| version.as_ref() != Some(running)),
        previous_version: receipt.as_ref().and_then(previous),
        versions: unpacked(layout, of, version.as_ref()),
        restarts: restarts(live, spec.as_ref()),
        last_exit: reported
            .as_ref()
            .and_then(|status| status.last_exit)
            // Of a supervised program the manager knows only how its supervisor ended.
            .or_else(|| {
                seen.as_ref().ok().filter(|seen| native && !seen.state.runs()).and_then(|seen| seen.last_exit)
            }),
        last_outcome: reported.as_ref().and_then(|status| status.last_outcome),
        health: live.and_then(|status| status.health.clone()),
        schedule: schedule(reported.as_ref(), live.is_some()),
        trial: trial::state(layout, name, live),
        taken_back: receipt.as_ref().and_then(Receipt::last_taken_back).cloned(),
        memory: seen.as_ref().ok().filter(|seen| seen.state.runs()).and_then(|seen| seen.memory),
        boot: boot(of, &seen, spec.as_ref(), definition.as_deref()),
        account: spec.as_ref().and_then(|spec| spec.account(layout)).map(str::to_owned),
        hardening: spec.as_ref().map(|spec| spec.hardening),
        definition: DefinitionState {
            edited: rewritten
                || definition.iter().chain(&socket).any(|text| !platform::untouched(of.platform, text)),
            needs_reload: seen.as_ref().is_ok_and(|seen| seen.needs_reload),
            drop_ins: drop_ins(seen.as_ref().ok(), of),
            path: compose.unwrap_or(path),
        },
        operation: operation(layout, of),
        pending_restart: receipt
            .as_ref()
            .is_some_and(|receipt| live.is_some_and(|status| receipt.awaits_restart_of(status))),
        drift: drift::at_a_glance(&Glance {
            layout,
            of,
            spec: spec.as_ref(),
            receipt: receipt.as_ref(),
            live,
            seen: seen.as_ref().ok(),
            definition: definition.as_deref(),
            socket: socket.as_deref(),
        }),
        other_runtime: Own::look().other(layout, name),
        package: None,
        development: development::standing::standings(layout, name),
        version,
        state,
    }
}

/// The version to which a rollback goes.
fn previous(receipt: &Receipt) -> Option<Version> {
    receipt.previous().map(|previous| previous.version.clone())
}

/// The versions that are unpacked; of an instance of containers, or of a package manager, there are none.
fn unpacked(layout: &Layout, of: &Marker, active: Option<&Version>) -> Vec<UnpackedVersion> {
    let found = versions::versions(layout, &of.name, &of.component).unwrap_or_default();
    let told = |found: versions::Unpacked| UnpackedVersion {
        active: active == Some(&found.version),
        version: found.version,
        digest: found.digest,
        activated: found.activated,
        taken_back: found.bad,
    };
    found.into_iter().map(told).collect()
}

/// The report of the supervisor, unless it is of an earlier one.
fn said(layout: &Layout, of: &Marker, seen: Option<&Seen>) -> Result<Option<Status>, String> {
    let said = report::look(layout, &of.name)?;
    if said.as_ref().is_some_and(|status| is_late(status, of.platform, seen)) {
        let full = space::full(layout, &of.name);
        return Err(format!("it is of an earlier supervisor, and this one can't write its own{full}"));
    }
    Ok(said)
}

/// Whether systemd has another supervisor than the one that reported, and heard from it that the program is ready: that
/// one would have written its report before, if it could.
fn is_late(status: &Status, platform: PlatformKind, seen: Option<&Seen>) -> bool {
    let active = seen.filter(|seen| platform == PlatformKind::Systemd && seen.state == State::Active);
    let main = active.and_then(|seen| seen.main_pid);
    main.is_some_and(|main| main != status.supervisor.pid) && !identity::runs(status.supervisor)
}

/// The program's process.
struct Process {
    pid: Option<u32>,
    started: Option<crate::model::moment::Moment>,
}

impl Process {
    fn of(live: Option<&Status>, seen: Option<&Seen>, native: bool) -> Self {
        let nothing = Self { pid: None, started: None };
        match (live, seen) {
            (Some(status), _) => match status.program.filter(|program| identity::runs(*program)) {
                Some(program) => Self { pid: Some(program.pid), started: status.started },
                None => nothing,
            },
            (None, Some(seen)) if native && seen.main_pid.is_some() => {
                Self { pid: seen.main_pid, started: seen.started }
            }
            _ => nothing,
        }
    }
}

fn restarts(live: Option<&Status>, spec: Option<&LaunchSpec>) -> Restarts {
    let policy = spec.map(|spec| &spec.restart);
    let now = clock::boot_now();
    let counts = |at: &&crate::model::moment::BootMoment| {
        policy.is_none_or(|policy| now.since(**at) < policy.window.duration())
    };
    Restarts {
        failures: live.map_or(0, |status| status.failures),
        counted: live.map_or(0, |status| {
            u32::try_from(status.restarts.iter().filter(counts).count()).unwrap_or(u32::MAX)
        }),
        // An engine knows no limit.
        limit: policy.filter(|_| spec.is_none_or(|spec| spec.container.is_none())).map(|policy| policy.limit),
        next_start: live.and_then(|status| status.next_start),
    }
}

/// The container of an instance that is one, if its engine has said how it is.
fn contained(seen: &Result<Seen, CallError>) -> Option<&ContainerSeen> {
    seen.as_ref().ok()?.container.as_ref()
}

fn message(
    state: InstanceState,
    seen: &Result<Seen, CallError>,
    said: &Result<Option<Status>, String>,
) -> Option<String> {
    if let Err(error) = seen {
        return Some(error.to_string());
    }
    if let Some(found) = contained(seen) {
        return found.complaint();
    }
    let reported = match said {
        Ok(reported) => reported.as_ref(),
        Err(reason) => return (state == InstanceState::Unknown).then(|| reason.clone()),
    };
    let status = reported.filter(|status| !status.message.is_empty())?;
    // What it said while all was well is no reason to be down.
    if state == InstanceState::Failed && status.phase.is_up() {
        return Some("its supervisor was killed, and nobody started it again".to_owned());
    }
    // Of one that somebody stopped, nobody wants to read what it said before; of one that ended by itself, why.
    let told = state != InstanceState::Stopped || status.phase == Phase::Completed;
    told.then(|| status.message.clone())
}

/// The runs of a schedule. Of one whose supervisor has ended, they are what they were, and no next one comes.
fn schedule(reported: Option<&Status>, lives: bool) -> Option<ScheduleStanding> {
    let schedule = reported?.schedule.clone()?;
    Some(if lives { schedule } else { ScheduleStanding { next: None, ..schedule } })
}

/// Why the supervisor's word is missing where it should be there.
fn fallback(
    said: &Result<Option<Status>, String>,
    seen: Option<&Seen>,
    live: Option<&Status>,
    platform: PlatformKind,
) -> Option<String> {
    let state = seen.map(|seen| seen.state);
    match (said, live) {
        (_, Some(status)) => stands_still(status),
        // A unit is active when its supervisor has said that the program is ready: then it has reported, too.
        (Ok(None), None) if platform == PlatformKind::Systemd && state == Some(State::Active) => {
            Some("its supervisor has left no report".to_owned())
        }
        (Err(reason), None) if state.is_some_and(State::runs) => {
            Some(format!("the report of its supervisor can't be read: {reason}"))
        }
        _ => None,
    }
}

/// A process that a signal or a debugger has stopped says nothing any more; what it said last may be long past.
fn stands_still(status: &Status) -> Option<String> {
    let process = identity::process(status.supervisor.pid)?;
    matches!(process.state, 'T' | 't').then(|| {
        format!("its supervisor, process {}, was stopped and says nothing any more", process.identity.pid)
    })
}

/// The drop-ins that are about this instance; those for all services are the distribution's.
fn drop_ins(seen: Option<&Seen>, of: &Marker) -> Vec<Utf8PathBuf> {
    let own = format!("{}.d", unit_name(&of.name));
    let paths = seen.iter().flat_map(|seen| seen.drop_ins.iter().cloned());
    paths.filter(|path| path.parent().and_then(Utf8Path::file_name) == Some(&own)).collect()
}

fn operation(layout: &Layout, of: &Marker) -> Option<OperationState> {
    if lock::is_held(&layout.operation_lock(&of.name)) == Some(true) {
        return Some(OperationState::UnderWay);
    }
    let there = |path: &Utf8Path| matches!(files::facts(path), Ok(Some(_)));
    let left = there(&layout.operation(&of.name)) || there(&layout.switch(&of.name));
    left.then_some(OperationState::Unfinished)
}

fn boot(
    of: &Marker,
    seen: &Result<Seen, CallError>,
    spec: Option<&LaunchSpec>,
    definition: Option<&str>,
) -> Boot {
    let says = |starts, reason: String| Boot { starts, reason };
    let unwanted = || says(Some(false), "the manifest says `\"boot\": false`".to_owned());
    if of.platform == PlatformKind::Embedded {
        let wanted = definition.and_then(platform::embedded::starts_at_boot);
        return match wanted {
            Some(false) => unwanted(),
            _ if booted_by_us() => says(Some(true), "process 1 is `mainstay boot`".to_owned()),
            _ => says(
                Some(false),
                format!(
                    "no service manager starts it here: let what boots this host run `mainstay boot --{}`",
                    of.scope
                ),
            ),
        };
    }
    if of.platform == PlatformKind::Compose {
        return boot_of_container(of, definition.and_then(entry::read).as_ref());
    }
    let Ok(seen) = seen else {
        return says(None, "the service manager does not answer".to_owned());
    };
    if matches!(of.platform, PlatformKind::Windows | PlatformKind::Task) {
        return boot_of_windows(of, seen, spec);
    }
    if !seen.at_boot {
        return match spec {
            Some(spec) if !spec.boot => unwanted(),
            _ if of.platform == PlatformKind::Launchd => {
                says(Some(false), "launchd has it disabled: `mainstay apply` enables it".to_owned())
            }
            _ => says(Some(false), "its unit is not enabled: `mainstay apply` enables it".to_owned()),
        };
    }
    if of.platform == PlatformKind::Launchd {
        return match of.scope {
            Scope::System => says(Some(true), "launchd starts it".to_owned()),
            Scope::User => says(Some(false), "launchd starts it when its user logs in".to_owned()),
        };
    }
    if of.scope == Scope::System {
        return says(Some(true), "its unit is enabled".to_owned());
    }
    let user = account::by_uid(account::effective_uid()).map(|user| user.name).unwrap_or_default();
    match account::lingers(&user) {
        Some(true) => says(Some(true), format!("its unit is enabled, and lingering is on for {user}")),
        Some(false) => says(
            Some(false),
            format!(
                "it starts at the first login of {user}: `loginctl enable-linger {user}` lets it start with the host"
            ),
        ),
        None => says(None, format!("its unit is enabled; whether {user} lingers can't be known")),
    }
}

/// When Windows starts it: a service with the host, a task with its user's logon.
fn boot_of_windows(of: &Marker, seen: &Seen, spec: Option<&LaunchSpec>) -> Boot {
    let is_task = of.platform == PlatformKind::Task;
    let (starts, reason) = match (seen.at_boot, spec) {
        (true, _) if is_task => {
            (false, "it starts 10 s after its user logs on, as tasks do; `windows` starts with the host")
        }
        (true, _) => (true, "Windows starts it with the host, after what the host itself needs"),
        (false, Some(spec)) if !spec.boot => (false, "the manifest says `\"boot\": false`"),
        (false, _) if is_task => (false, "its task is disabled or gone: `mainstay apply` registers it again"),
        (false, _) => {
            (false, "its service does not start by itself or is gone: `mainstay apply` registers it again")
        }
    };
    Boot { starts: Some(starts), reason: reason.to_owned() }
}

/// Whether this host, a container, is booted by mainstay.
fn booted_by_us() -> bool {
    let Ok(Some(words)) = files::read(Utf8Path::new("/proc/1/cmdline")) else { return false };
    let mut words = words.split('\0');
    let ours = words.next().is_some_and(|program| Utf8Path::new(program).file_name() == Some("mainstay"));
    ours && words.next() == Some("boot")
}
