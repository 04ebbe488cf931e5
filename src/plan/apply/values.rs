//! The way back of variables that come from files: the files are their owner's and stay as they are, so the launch
//! before is started with the values that were kept.

use crate::model::launch::LaunchSpec;
use crate::model::manifest::PlatformKind;
use crate::model::values::{FORMAT, Refused};
use crate::plan::observed::Observed;
use crate::plan::step::{Earlier, Plan, Step, Undo};
use crate::plan::wanted::Wanted;

/// What a start with the files as they are now would have to go back from.
pub(super) enum WayBack {
    /// Nothing: they say what it was started with.
    Unchanged,
    /// This has a launch started with the kept values.
    Kept(Box<Step>),
    /// There is none, and why.
    Lost(String),
}

/// The way back for a launch, away from what its files hold now.
pub(super) fn way_back(launch: &LaunchSpec, wanted: &Wanted, observed: &Observed) -> WayBack {
    let (Some(started), Some(files)) = (&observed.started, &observed.given) else {
        return WayBack::Unchanged;
    };
    if started.variables == *files {
        return WayBack::Unchanged;
    }
    let Some(kept) = &observed.kept else {
        return WayBack::Lost(if launch.has_credentials() {
            "systemd hands its files over from root's, so their values are copied nowhere".to_owned()
        } else {
            "no start with a way to keep its values has been ready".to_owned()
        });
    };
    let refused = Refused {
        format: FORMAT,
        launch: launch.identity(),
        salt: started.salt.clone(),
        files: files.clone(),
        kept: kept.clone(),
    };
    WayBack::Kept(Box::new(Step::Write {
        path: wanted.layout.refused_values(&launch.name),
        text: refused.text(),
        mode: 0o600,
        // Whoever supervises reads it.
        owner: wanted.account.clone().filter(|_| launch.platform == PlatformKind::Systemd),
    }))
}

/// Prepares a restart of the launch that runs with what its files hold now. Gives what leads back.
pub(super) fn tried(plan: &mut Plan, wanted: &Wanted, observed: &Observed) -> (Option<Step>, Earlier) {
    match way_back(&wanted.spec, wanted, observed) {
        WayBack::Unchanged => (None, Earlier::Same),
        WayBack::Lost(why) => (None, Earlier::Lost(why)),
        WayBack::Kept(back) => {
            let path = wanted.layout.refused_values(&wanted.spec.name);
            if observed.has(&path) {
                // They are tried again, since somebody asks.
                plan.push(Step::Remove { path }, Undo::step(Step::clone(&back)));
            }
            (Some(*back), Earlier::Kept)
        }
    }
}

/// Has the launch before started with the kept values, should a new one be taken back: the files may suit neither.
pub(super) fn before_switch(plan: &mut Plan, from: &LaunchSpec, wanted: &Wanted, observed: &Observed) {
    if from.identity() != wanted.spec.identity()
        && let WayBack::Kept(back) = way_back(from, wanted, observed)
    {
        plan.push(*back, Undo::Nothing);
    }
}
