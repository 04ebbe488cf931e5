//! `run`: the supervisor of one instance, or its guardian.

use super::guardian::{chronicle, tell};
use crate::cli::arguments::RunArguments;
use crate::cli::failure::told;
use crate::cli::report::Report;
use crate::cli::surroundings::layout;
use crate::engine::failure::Failure;
use crate::engine::guard::{self, Event};
use crate::engine::manager;
use crate::engine::resident::{Residence, reside};
use crate::engine::supervisor::{Unsupervised, Wishes, await_end, defined, guard_one, supervise};
use crate::engine::windows;
use crate::host::{environment, service};
use crate::model::layout::Layout;
use crate::model::manifest::PlatformKind;
use crate::model::operating_system::OperatingSystem;
use crate::supervise::without_supervisor;
use std::time::Duration;

/// How long a supervisor that can't do its work lets systemd wait.
const PAUSE: Duration = Duration::from_secs(1);

/// `run`
pub(crate) fn run(report: &Report, arguments: &RunArguments) -> Result<u8, Failure> {
    move_to_background(arguments)?;
    let layout = layout(arguments.scope)?;
    let name = &arguments.name;
    if arguments.detached {
        guard::detach().map_err(|error| Failure::Usage(error.to_string()))?;
    }
    let pid_file = match &arguments.pid_file {
        Some(path) => Some(environment::working_folder()?.join(path)),
        None => None,
    };
    let by_hand = !arguments.supervise && !supervised_by_systemd();
    if arguments.anew {
        return manager::take_anew(&layout, &defined(&layout, name)?).map(|()| 0);
    }
    if arguments.resident {
        return resident(report, &layout, arguments, &Wishes { echo: false, pid_file });
    }
    // Not the launch: the current link may lead nowhere until the guardian's hook has mended it.
    let platform = if arguments.supervise { PlatformKind::Systemd } else { defined(&layout, name)?.platform };
    if platform == PlatformKind::Compose {
        let reason = format!("{name} is a container, which its engine runs: `mainstay start --name {name}`");
        return Err(Failure::Usage(reason));
    }
    if !platform.is_guarded() {
        let wishes = Wishes { echo: arguments.echo, pid_file };
        if by_hand {
            await_end(&layout, name)?;
        }
        return match supervise(&layout, name, arguments.guardian, wishes) {
            Ok(ending) => Ok(ending.exit_code()),
            // Whoever types it gets what was wanted: it runs. A service manager goes on trying until it can.
            Err(hindered) if by_hand && hindered.error.holder().is_some() => {
                let holder = hindered.error.holder().map(|holder| holder.to_string()).unwrap_or_default();
                report.say(format!("{name} runs already: process {holder} supervises it"));
                Ok(0)
            }
            Err(hindered) if hindered.error.is_final() => Err(hindered.error.into()),
            Err(hindered) => Ok(give_up(report, hindered, !arguments.supervise)),
        };
    }
    if platform == PlatformKind::Windows {
        let (its_layout, its_name) = (layout.clone(), name.clone());
        let note = move |event: &Event| chronicle(&its_layout, &its_name, event);
        if windows::serve(&layout, name, note).map_err(|error| Failure::Usage(error.to_string()))? {
            return Ok(0);
        }
    }
    if arguments.windowless {
        let outcome = guard_one(&layout, name, &Wishes { echo: false, pid_file }, &mut |event| {
            chronicle(&layout, name, event);
        })?;
        // Only the death of a guardian is to be made good by a new start.
        drop(outcome);
        return Ok(0);
    }
    // A guardian that nobody typed is started by whoever knows how things stand, perhaps by the very supervisor.
    if !arguments.detached {
        await_end(&layout, name)?;
    }
    // Embedded: this process is the guardian. Whoever runs it by hand sees the program's output, and so does what
    // keeps the output of a container.
    let echo = !arguments.detached;
    let outcome = guard_one(&layout, name, &Wishes { echo, pid_file }, &mut |event| tell(report, event))?;
    Ok(outcome.map_or(0, |outcome| outcome.exit_code()))
}

/// For a service manager that goes by nothing but success: only who is to be started again ends otherwise.
fn resident(
    report: &Report,
    layout: &Layout,
    arguments: &RunArguments,
    wishes: &Wishes,
) -> Result<u8, Failure> {
    match reside(layout, &arguments.name, wishes, &mut |event| tell(report, event))? {
        Residence::Over(_) | Residence::Nothing => Ok(0),
        Residence::Again => Ok(without_supervisor(false)),
    }
}

/// Does what the definition of a Windows service or task says of its process.
fn move_to_background(arguments: &RunArguments) -> Result<(), Failure> {
    let folders = [("MAINSTAY_ROOT", &arguments.root), ("MAINSTAY_CONFIG_ROOT", &arguments.config_root)];
    let is_asked = arguments.windowless || folders.iter().any(|(_, folder)| folder.is_some());
    if is_asked && environment::operating_system() != OperatingSystem::Windows {
        let reason = "`--root`, `--config-root` and `--windowless` are for Windows: set MAINSTAY_ROOT, as definitions do";
        return Err(Failure::Usage(reason.to_owned()));
    }
    for (variable, folder) in folders {
        if let Some(folder) = folder {
            service::move_layout(variable, folder);
        }
    }
    if arguments.windowless {
        service::leave_console();
    }
    Ok(())
}

/// Whether a service manager has started this process and waits for its word (`sd_notify(3)`).
fn supervised_by_systemd() -> bool {
    environment::variable("NOTIFY_SOCKET").is_some()
}

/// Says what hinders the supervisor, and gives the exit code at which it is started again.
fn give_up(report: &Report, hindered: Unsupervised, by_systemd: bool) -> u8 {
    let on_trial = hindered.on_trial;
    told(report, &Failure::from(hindered.error));
    if by_systemd && !on_trial {
        // The guardian makes pauses of its own; systemd only the short one that suits a hand-over.
        std::thread::sleep(PAUSE);
    }
    without_supervisor(on_trial)
}
