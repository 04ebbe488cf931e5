//! All the instances that the caller may read. However many there are, one question is asked of each service
//! manager, and the rest is read from files.

use std::collections::{BTreeSet, HashMap};

use crate::engine::manager::{self, State};
use crate::engine::registry::{self, Instances};
use crate::engine::runtimes::Own;
use crate::engine::standing::{Reported, standing};
use crate::engine::{active, container};
use crate::engine::{failure::Failure, report, trial};
use crate::host::{account, environment, identity};
use crate::model::answer::list::{ListAnswer, Listed};
use crate::model::index::Scan;
use crate::model::layout::{Layout, unit_name};
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::model::name::InstanceName;
use crate::model::owner::Owner;
use crate::platform::observed::{ActiveState, ServiceListed};

/// How many instances are named in one sentence.
const MOST_NAMED: usize = 5;

/// Lists the instances of some scopes, side by side.
#[must_use]
pub fn list(layouts: &[Layout]) -> ListAnswer {
    let found: Vec<(Vec<Listed>, Vec<String>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = layouts.iter().map(|layout| scope.spawn(|| of_scope(layout))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    answer(found)
}

/// Lists the instances of every user of this host, beside those of the host itself. Of other users' instances
/// only files are read, with those users' rights: no manager is asked, nothing is written.
pub fn list_all_users(layouts: &[Layout]) -> Result<ListAnswer, Failure> {
    let mut found = vec![];
    let own = account::effective_uid();
    for user in account::all()? {
        if user.uid == own {
            continue;
        }
        let Some(layout) = environment::layout_of(&user) else { continue };
        match account::acting_as(Some(&user), || of_other_user(&layout, &user)) {
            Ok(seen) => found.push(seen),
            Err(error) => found.push((Vec::new(), vec![format!("{error}")])),
        }
    }
    let ListAnswer { instances, notices, .. } = list(layouts);
    found.insert(0, (instances, notices));
    Ok(answer(found))
}

fn answer(found: Vec<(Vec<Listed>, Vec<String>)>) -> ListAnswer {
    let (instances, notices): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    ListAnswer {
        schema: "list.v1".to_owned(),
        instances: instances.into_iter().flatten().collect(),
        notices: notices.into_iter().flatten().collect(),
    }
}

fn of_scope(layout: &Layout) -> (Vec<Listed>, Vec<String>) {
    let Instances { markers, mut notices } = registry::instances(layout);
    let asks = markers.iter().any(|marker| marker.platform == PlatformKind::Systemd);
    let services = match asks.then(|| manager::services(layout.scope)) {
        None => Some(HashMap::new()),
        Some(Ok(services)) => Some(by_unit(services)),
        Some(Err(error)) => {
            notices.push(format!("how the {} instances are can't be known: {error}", layout.scope));
            None
        }
    };
    let states = |marker: &Marker| match marker.platform {
        // A unit that systemd has not in memory does not run.
        PlatformKind::Systemd => services.as_ref().map(|services| {
            services.get(&unit_name(&marker.name)).map_or(State::Inactive, |active| (*active).into())
        }),
        PlatformKind::Embedded | PlatformKind::Windows | PlatformKind::Task => Some(guarded(layout, marker)),
        PlatformKind::Compose => None,
        PlatformKind::Launchd => Some(supervised(layout, marker)),
    };
    let engines = contained(layout, &markers, &mut notices);
    let own = Own::look();
    let listed = markers.iter().map(|marker| Listed {
        other_runtime: own.other(layout, &marker.name),
        ..listed(
            layout,
            marker,
            engines.get(&marker.name).copied().or_else(|| states(marker)),
            None,
            &mut notices,
        )
    });
    let listed: Vec<Listed> = listed.collect();
    notices.extend(without_definition(&listed));
    notices.extend(run_by_others(&listed));
    (listed, notices)
}

/// Which instances have no definition that is theirs, in one sentence.
fn without_definition(listed: &[Listed]) -> Option<String> {
    let lost = listed.iter().filter(|instance| instance.undefined);
    let names: Vec<String> = lost.map(|instance| format!("`{}`", instance.name)).collect();
    let some = names.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = if names.len() > MOST_NAMED { ", …" } else { "" };
    (!names.is_empty()).then(|| {
        format!("the definition of {some}{more} is gone or not its own: `mainstay apply` in its folder writes it anew")
    })
}

/// Which instances another copy of mainstay runs, in one sentence.
fn run_by_others(listed: &[Listed]) -> Option<String> {
    let others: Vec<&str> = listed
        .iter()
        .filter(|instance| instance.other_runtime.is_some())
        .map(|instance| instance.name.as_str())
        .collect();
    let some = others.iter().take(MOST_NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = if others.len() > MOST_NAMED { ", …" } else { "" };
    match others.len() {
        0 => None,
        1 => Some(format!(
            "another mainstay than this one runs `{some}`: `mainstay apply` in its folder moves it"
        )),
        count => Some(format!(
            "another mainstay than this one runs {count} instances ({some}{more}): `mainstay apply` in the folder of each moves it"
        )),
    }
}

fn of_other_user(layout: &Layout, user: &Owner) -> (Vec<Listed>, Vec<String>) {
    let (mut markers, mut notices) = (Vec::new(), Vec::new());
    for kind in PlatformKind::ALL {
        match registry::scan(layout, kind) {
            Scan::Found(found) => markers.extend(found),
            Scan::Failed(reason) => {
                notices.push(format!("the {kind} instances of {} can't be read: {reason}", user.name));
            }
        }
    }
    markers.sort();
    let states = |marker: &Marker| match marker.platform {
        // Their managers are theirs to ask; a living supervisor says enough.
        PlatformKind::Systemd | PlatformKind::Launchd | PlatformKind::Windows | PlatformKind::Task => {
            report::live(layout, &marker.name).map(|_| State::Active)
        }
        PlatformKind::Embedded => Some(guarded(layout, marker)),
        // Whose engine is theirs as well.
        PlatformKind::Compose => None,
    };
    let listed = markers
        .iter()
        .map(|marker| listed(layout, marker, states(marker), Some(user.name.clone()), &mut notices))
        .collect();
    (listed, notices)
}

fn listed(
    layout: &Layout,
    marker: &Marker,
    manager: Option<State>,
    user: Option<String>,
    notices: &mut Vec<String>,
) -> Listed {
    let said = match manager {
        // What nobody runs has nothing to report; the way it ended is its manager's, but for our own.
        Some(State::Inactive | State::Failed) if marker.platform == PlatformKind::Systemd => Ok(None),
        None => Ok(None),
        Some(_) => report::look(layout, &marker.name),
    };
    if let Err(reason) = &said {
        let name = &marker.name;
        notices.push(format!(
            "the report of `{name}` can't be read, so its state is what its service manager and files say: {reason}"
        ));
    }
    let reported = match &said {
        Ok(Some(status)) if identity::runs(status.supervisor) => Reported::Live(status),
        Ok(Some(status)) => Reported::Late(status),
        Ok(None) => Reported::Nothing,
        Err(_) => Reported::Unreadable,
    };
    // Which supervision it has matters only where a dead supervisor's report lies in the way: that is rare, and
    // not worth opening a launch spec for each.
    let supervision = None;
    Listed {
        name: marker.name.clone(),
        component: marker.component.clone(),
        state: standing(manager, reported, marker.platform, supervision),
        on_trial: trial::open(layout, &marker.name).is_ok_and(|trial| trial.is_some()),
        version: active::version(layout, marker),
        platform: marker.platform,
        scope: marker.scope,
        user,
        folder: marker.folder.clone(),
        undefined: !registry::is_defined(layout, marker),
        other_runtime: None,
    }
}

/// How the containers are, as their engines say; one that does not answer is told of once.
fn contained(layout: &Layout, markers: &[Marker], notices: &mut Vec<String>) -> HashMap<InstanceName, State> {
    let mut states = HashMap::new();
    let mut silent = BTreeSet::new();
    for marker in markers.iter().filter(|marker| marker.platform == PlatformKind::Compose) {
        match container::seen(layout, marker) {
            Ok(seen) => drop(states.insert(marker.name.clone(), seen.state)),
            Err(error) => drop(silent.insert(format!("how containers are can't be known: {error}"))),
        }
    }
    notices.extend(silent);
    states
}

/// What a living supervisor says by being there.
fn supervised(layout: &Layout, marker: &Marker) -> State {
    let lives = report::live(layout, &marker.name).is_some();
    if lives { State::Active } else { State::Inactive }
}

fn guarded(layout: &Layout, marker: &Marker) -> State {
    let runs = crate::engine::guard::guardian_of(layout, &marker.name).is_some();
    if runs { State::Active } else { State::Inactive }
}

fn by_unit(services: Vec<ServiceListed>) -> HashMap<String, ActiveState> {
    services.into_iter().map(|service| (service.unit, service.active)).collect()
}
