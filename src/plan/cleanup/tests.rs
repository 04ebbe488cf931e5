//! Against a simpler model: a tree goes only if nobody has a reason to keep it.

use camino::Utf8PathBuf;
use proptest::prelude::*;

use super::*;
use crate::model::digest::Digest;
use crate::model::duration::Span;
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::model::name::{ComponentName, InstanceName};
use crate::model::receipt::{Activation, BadVersion};
use crate::model::trial::Watch;
use crate::model::version::Version;
use crate::plan::reference::Reference;
use crate::plan::step::Planned;

/// Versions that a test has to do with; the last two have no order.
const VERSIONS: [&str; 8] = ["0.9.0", "1.0.0", "1.1.0-rc.1", "1.1.0", "1.10.0", "2.0.0", "nightly", "z9"];

fn name_of(version: usize) -> String {
    format!("server-{}", VERSIONS[version])
}

/// One world: what is there, and who refers to what, all by place in [`VERSIONS`].
#[derive(Clone, Debug)]
struct World {
    trees: BTreeSet<usize>,
    broken: BTreeSet<usize>,
    link: Option<usize>,
    activations: Vec<usize>,
    bad: BTreeSet<usize>,
    trial: Option<(usize, Option<usize>)>,
    pins: BTreeSet<usize>,
    in_use: BTreeSet<usize>,
    running: Runs,
    references: Vec<(Referrer, Known)>,
    keep: u32,
}

/// What the service manager says.
#[derive(Clone, Debug, PartialEq)]
enum Runs {
    Unknown,
    Nothing,
    From(usize),
}

/// A fact of three values.
#[derive(Clone, Debug)]
enum Known {
    None,
    These(BTreeSet<usize>),
    Unreadable,
}

fn some() -> impl Strategy<Value = BTreeSet<usize>> {
    prop::collection::btree_set(0..VERSIONS.len(), 0..3)
}

fn reference() -> impl Strategy<Value = (Referrer, Known)> {
    let by = prop_oneof![
        Just(Referrer::Disk),
        Just(Referrer::Process),
        Just(Referrer::Supervisor),
        Just(Referrer::Switch),
        Just(Referrer::Operation),
        Just(Referrer::Link),
        Just(Referrer::Instance),
        Just(Referrer::Pins),
    ];
    let known = prop_oneof![
        6 => Just(Known::None),
        6 => some().prop_map(Known::These),
        1 => Just(Known::Unreadable),
    ];
    (by, known)
}

fn world() -> impl Strategy<Value = World> {
    let one = 0..VERSIONS.len();
    let things = (
        prop::collection::btree_set(one.clone(), 0..=VERSIONS.len()),
        some(),
        prop::option::of(one.clone()),
        prop::collection::vec(one.clone(), 0..5),
        some(),
        prop::option::of((one.clone(), prop::option::of(one.clone()))),
    );
    let others = (
        some(),
        some(),
        prop_oneof![1 => Just(Runs::Unknown), 2 => Just(Runs::Nothing), 6 => one.prop_map(Runs::From)],
        prop::collection::vec(reference(), 0..4),
        1_u32..5,
    );
    (things, others).prop_map(|(things, others)| {
        let (trees, broken, link, activations, bad, trial) = things;
        let (pins, in_use, running, references, keep) = others;
        World { trees, broken, link, activations, bad, trial, pins, in_use, running, references, keep }
    })
}

fn version(place: usize) -> Version {
    Version::new(VERSIONS[place]).unwrap()
}

fn spec_of(place: usize) -> LaunchSpec {
    let of = Marker {
        name: InstanceName::new("web").unwrap(),
        component: ComponentName::new("server").unwrap(),
        platform: PlatformKind::Embedded,
        scope: Scope::System,
        folder: "/deploy".into(),
    };
    LaunchSpec { version: version(place), ..LaunchSpec::bare(&of) }
}

impl World {
    fn spec(&self) -> LaunchSpec {
        let mut spec = spec_of(self.link.unwrap_or(0));
        spec.keep = self.keep;
        spec.upgrade.pins = self.pins.iter().map(|place| version(*place)).collect();
        spec
    }

    fn digest(place: usize) -> Digest {
        Digest::of(VERSIONS[place].as_bytes())
    }

    fn observed(&self) -> Observed {
        let now = Moment(jiff::Timestamp::UNIX_EPOCH);
        let spec = self.spec();
        let receipt = Receipt {
            format: 1,
            name: spec.name.clone(),
            component: spec.component.clone(),
            platform: spec.platform,
            scope: spec.scope,
            folder: Utf8PathBuf::from("/deploy"),
            activations: self
                .activations
                .iter()
                .map(|place| Activation { version: version(*place), digest: None, source: None, at: now })
                .collect(),
            manifest: String::new(),
            lingering_by_us: false,
            pending_restart: false,
            bad: self
                .bad
                .iter()
                .map(|place| BadVersion {
                    version: version(*place),
                    digest: Some(Self::digest(*place)),
                    reason: "it crashed".to_owned(),
                    at: now,
                })
                .collect(),
            public_key: None,
            changed: now,
        };
        let trial = self.trial.map(|(to, from)| {
            let watch = from.map(|from| Watch {
                period: Span::seconds(600),
                from: Box::new(spec_of(from)),
                definitions: Vec::new(),
                digest: None,
                migrate_back: None,
            });
            Trial::of(&spec_of(to), watch)
        });
        let names = |places: &BTreeSet<usize>| places.iter().map(|place| name_of(*place)).collect();
        let running = match &self.running {
            Runs::Unknown => Running::Unknown,
            Runs::Nothing => Running::No,
            Runs::From(place) => Running::Yes(Some(name_of(*place))),
        };
        let references = self.references.iter().map(|(by, known)| Reference {
            by: *by,
            trees: match known {
                Known::None => Fact::None,
                Known::These(places) => Fact::of(places.iter().map(|place| name_of(*place))),
                Known::Unreadable => Fact::Unreadable("it can't be read".to_owned()),
            },
        });
        Observed {
            receipt: Some(receipt),
            link: self.link.map(name_of),
            trial,
            trees: self
                .trees
                .iter()
                .map(|place| Tree {
                    name: name_of(*place),
                    version: version(*place),
                    whole: (!self.broken.contains(place)).then(|| Self::digest(*place)),
                })
                .collect(),
            specs: self.trees.iter().map(|place| (name_of(*place), spec_of(*place))).collect(),
            snapshots: names(&self.trees),
            in_use: names(&self.in_use),
            running,
            references: references.collect(),
            ..Observed::default()
        }
    }

    /// The model: whether anything but the number of versions keeps a tree. `None`: that can't be known.
    fn live(&self, place: usize) -> Option<bool> {
        let unreadable = self.references.iter().any(|(_, known)| matches!(known, Known::Unreadable));
        if unreadable || self.running == Runs::Unknown {
            return None;
        }
        let referred = self
            .references
            .iter()
            .any(|(_, known)| matches!(known, Known::These(places) if places.contains(&place)));
        let on_trial = self.trial.is_some_and(|(to, from)| to == place || from == Some(place));
        Some(
            referred
                || on_trial
                || self.link.unwrap_or(0) == place
                || self.pins.contains(&place)
                || self.in_use.contains(&place)
                || self.running == Runs::From(place),
        )
    }

    fn gone(plan: &Plan) -> BTreeSet<usize> {
        let layout = Layout::system();
        let folder = layout.install(&plan.of.name);
        let of =
            |path: &camino::Utf8Path| (0..VERSIONS.len()).find(|place| folder.join(name_of(*place)) == *path);
        plan.steps
            .iter()
            .filter_map(|planned| match &planned.step {
                Step::Move { from, .. } => of(from),
                _ => None,
            })
            .collect()
    }

    fn plan(&self) -> Result<Plan, Refusal> {
        let caller = Owner { name: "root".to_owned(), uid: 0, gid: 0 };
        cleanup(
            &self.spec(),
            &Layout::system(),
            &self.observed(),
            &caller,
            Moment(jiff::Timestamp::UNIX_EPOCH),
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn nothing_live_ever_goes(world in world()) {
        match world.plan() {
            Err(Refusal::Unclear { .. }) => prop_assert!(world.live(0).is_none()),
            Err(other) => prop_assert!(false, "{other}"),
            Ok(plan) => {
                for place in World::gone(&plan) {
                    prop_assert_eq!(world.live(place), Some(false), "{} goes", VERSIONS[place]);
                }
            }
        }
    }

    /// As many whole versions as the manifest keeps are left, if there were as many that are not bad; what was active
    /// last is among them; and what is no use to anybody does not stay.
    #[test]
    fn as_many_stay_as_are_to_be_kept_and_no_more(world in world()) {
        let Ok(plan) = world.plan() else { return Ok(()) };
        let gone = World::gone(&plan);
        let whole = |place: &usize| world.trees.contains(place) && !world.broken.contains(place);
        let good: BTreeSet<usize> =
            (0..VERSIONS.len()).filter(|place| whole(place) && !world.bad.contains(place)).collect();
        let left = good.difference(&gone).count();
        let active_bad = world.link.is_some_and(|link| whole(&link) && world.bad.contains(&link));
        let keep = world.keep as usize - usize::from(active_bad && world.activations.iter().any(|place| Some(*place) == world.link));
        prop_assert!(left >= good.len().min(keep), "{left} of {} are left, {gone:?}", good.len());
        let last: Vec<usize> = {
            let mut last: Vec<usize> = Vec::new();
            for place in world.activations.iter().rev() {
                if good.contains(place) && !last.contains(place) {
                    last.push(*place);
                }
            }
            last.truncate(keep);
            last
        };
        prop_assert!(last.iter().all(|place| !gone.contains(place)), "{last:?} {gone:?}");
        let idle = world.trees.iter().filter(|place| !gone.contains(place) && world.live(**place) == Some(false));
        prop_assert!(idle.count() <= world.keep as usize);
    }

    #[test]
    fn a_second_clean_up_finds_nothing(world in world()) {
        let Ok(plan) = world.plan() else { return Ok(()) };
        let mut next = world.clone();
        for place in World::gone(&plan) {
            next.trees.remove(&place);
        }
        let again = next.plan().unwrap();
        prop_assert!(again.is_empty(), "{:?}", again.steps);
    }
}

#[test]
fn launches_and_snapshots_go_with_their_tree() {
    let world = World {
        trees: [0, 1, 5].into(),
        broken: BTreeSet::new(),
        link: Some(5),
        activations: vec![0, 1, 5],
        bad: BTreeSet::new(),
        trial: None,
        pins: BTreeSet::new(),
        in_use: BTreeSet::new(),
        running: Runs::From(5),
        references: Vec::new(),
        keep: 2,
    };
    let plan = world.plan().unwrap();
    let said = |planned: &Planned| planned.step.to_string().replace('\\', "/");
    let steps: Vec<String> = plan.steps.iter().map(said).collect();
    assert_eq!(World::gone(&plan), [0].into());
    assert!(
        steps.iter().any(|step| step == "remove /var/lib/mainstay/web/launch/server-0.9.0.json"),
        "{steps:?}"
    );
    assert!(
        steps.iter().any(|step| step.starts_with("move /var/lib/mainstay/web/snapshots/server-0.9.0 ")),
        "{steps:?}"
    );
    assert_eq!(beyond(&world.spec(), &world.observed().trees), 1);
}
