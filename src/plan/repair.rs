//! The plan that puts a version tree that was just unpacked in the place of a damaged one.

use crate::model::history::{Action, Event};
use crate::model::launch::{LaunchSpec, tree_name};
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::model::moment::Moment;
use crate::model::owner::Owner;
use crate::model::version::Version;
use crate::plan::apply::put_away;
use crate::plan::step::{Operation, Plan, Step, Undo};
use crate::plan::wanted::Archive;

/// So many faults are named one by one.
const NAMED: usize = 20;

/// A version tree, and what was found to be wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Its version.
    pub version: Version,
    /// What is wrong, a sentence each; none: it is as its archive.
    pub faults: Vec<String>,
    /// The other trees that hold one of the damaged files as their own.
    pub shared_with: Vec<String>,
    /// Whether something runs from it.
    pub runs: bool,
    /// Whether its name and that of the rebuilt one can be exchanged in one step.
    pub exchanges: bool,
}

/// Decides how a version tree becomes what its archive makes: in one exchange of names, or, where that
/// can't be, by putting it away first. Where nothing is wrong with it the plan is empty.
#[must_use]
pub fn repair(
    of: &Marker,
    damage: &Damage,
    archive: &Archive,
    layout: &Layout,
    caller: &Owner,
    now: Moment,
) -> Plan {
    let mut plan = Plan::new(Operation::Repair, &LaunchSpec::bare(of));
    if damage.faults.is_empty() {
        return plan;
    }
    let (folder, tree) = (layout.install(&of.name), tree_name(&of.component, &damage.version));
    plan.notices.extend(damage.faults.iter().take(NAMED).map(|fault| format!("{tree}: {fault}")));
    if damage.faults.len() > NAMED {
        plan.notices.push(format!("{tree}: {} more", damage.faults.len() - NAMED));
    }
    for other in &damage.shared_with {
        plan.notices.push(format!("{other} holds a damaged file of {tree} as its own: repair it as well"));
    }
    if damage.runs {
        plan.notices.push(format!(
            "what runs keeps what it has loaded: `mainstay restart --name {}` brings in the rebuilt files",
            of.name
        ));
    }
    let step = Step::Publish {
        archive: archive.path.clone(),
        digest: archive.digest,
        staging: archive.staging.clone(),
        folder: folder.clone(),
        tree: tree.clone(),
        over: damage.exchanges,
    };
    if damage.exchanges {
        // The exchange is one call: it is done, or was never begun.
        plan.push(step, Undo::Nothing);
    } else {
        // Whoever finds this half done puts the old tree back in its place, damaged as it is.
        let moved = |from, to| Step::Move { from, to };
        let (place, away) = (folder.join(&tree), put_away(&folder, &tree, now.0));
        plan.push(moved(place.clone(), away.clone()), Undo::step(moved(away, place.clone())));
        let undone = put_away(&folder, &format!("undone-{tree}"), now.0);
        plan.push(step, Undo::step(moved(place, undone)));
    }
    let count = damage.faults.len();
    let event = Event {
        at: now,
        action: Action::Repaired,
        from: None,
        to: Some(damage.version.clone()),
        downtime_ms: None,
        reason: Some(match count {
            1 => format!("one fault in its files: {}", damage.faults.join("")),
            _ => format!("{count} faults in its files"),
        }),
        source: None,
        user: caller.name.clone(),
    };
    plan.push(Step::Record { path: layout.history(&of.name), event }, Undo::Nothing);
    plan.after.push(Step::EmptyTrash { folder, entry: None });
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::digest::Digest;
    use crate::model::manifest::{PlatformKind, Scope};

    fn steps(exchanges: bool) -> Vec<(String, String)> {
        let of = Marker {
            name: "web".parse().unwrap(),
            component: "server".parse().unwrap(),
            platform: PlatformKind::Embedded,
            scope: Scope::System,
            folder: "/srv/web".into(),
        };
        let damage = Damage {
            version: Version::new("1.0.0").unwrap(),
            faults: vec!["bin/server has other bytes".to_owned()],
            shared_with: Vec::new(),
            runs: false,
            exchanges,
        };
        let archive = Archive {
            path: "/srv/server.tar.gz".into(),
            digest: Digest::of(b""),
            staging: "/opt/mainstay/web/.staging".into(),
            signed_by: None,
            introduces_key: false,
        };
        let caller = Owner { uid: 0, gid: 0, name: "root".to_owned() };
        let now = Moment("2026-05-08T14:32:07Z".parse().unwrap());
        let plan = repair(&of, &damage, &archive, &Layout::system(), &caller, now);
        let said = |planned: &crate::plan::step::Planned| {
            (planned.step.to_string().replace('\\', "/"), format!("{:?}", planned.undo).replace("\\\\", "/"))
        };
        plan.steps.iter().map(said).collect()
    }

    #[test]
    fn where_names_can_not_be_exchanged_the_old_tree_is_put_away_and_comes_back() {
        let [exchange, _] = &steps(true)[..] else { panic!() };
        assert_eq!(exchange.1, "Nothing");
        let [away, publish, record] = &steps(false)[..] else { panic!("{:?}", steps(false)) };
        assert!(
            away.0.starts_with("move /opt/mainstay/web/server-1.0.0 to /opt/mainstay/web/.trash-server"),
            "{away:?}"
        );
        let back = away.1.find(".trash-server").zip(away.1.find("web/server-1.0.0"));
        assert!(back.is_some_and(|(from, to)| from < to), "{away:?}");
        assert!(publish.1.contains(".trash-undone-server-1.0.0"), "{publish:?}");
        assert_eq!(record.1, "Nothing");
    }
}
