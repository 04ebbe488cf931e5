use proptest::prelude::*;

use super::*;

const LIMIT: Duration = Duration::from_secs(10);

fn at(seconds: u64) -> BootMoment {
    BootMoment::default().later(Duration::from_secs(seconds))
}

fn terms(probe: Probe, waits: bool) -> Terms {
    Terms { probe, ready_limit: LIMIT, stop_limit: LIMIT, waits }
}

fn asked(waits: bool) -> Happened {
    Happened::Asked(terms(Probe::Tcp("127.0.0.1:1".to_owned()), waits))
}

fn starting(waits: bool) -> Overlap {
    let mut overlap = Overlap::new(LIMIT);
    assert_eq!(overlap.on(asked(waits), at(0)), [Wanted::Say(Word::Starting), Wanted::Start]);
    assert!(overlap.on(Happened::Started, at(0)).is_empty());
    overlap
}

fn said_failure(wanted: &[Wanted]) -> bool {
    wanted.iter().any(|one| matches!(one, Wanted::Say(Word::Failed { .. })))
}

#[test]
fn a_restart_takes_over_when_it_is_ready_and_the_old_one_drains() {
    let mut overlap = starting(false);
    assert_eq!(overlap.on(Happened::Tick, at(1)), [Wanted::Probe]);
    assert!(overlap.on(Happened::NotReady("refused".to_owned()), at(1)).is_empty());
    assert_eq!(overlap.on(Happened::Ready, at(2)), [Wanted::Promote, Wanted::Say(Word::Promoted)]);
    assert!(!overlap.is_quiet() && !overlap.has_candidate());
    // While the old one drains, there is no third.
    assert_eq!(overlap.on(asked(false), at(2)), [Wanted::Say(Word::Busy)]);
    assert_eq!(overlap.on(Happened::RetiredEnded, at(3)), [Wanted::KillRetired]);
    assert!(overlap.is_quiet());
    let mut overlap = starting(false);
    overlap.on(Happened::Ready, at(2));
    assert!(overlap.on(Happened::Tick, at(11)).is_empty());
    assert_eq!(overlap.on(Happened::Tick, at(12)), [Wanted::KillRetired]);
}

#[test]
fn a_switch_waits_for_the_link() {
    let ready = || {
        let mut overlap = starting(true);
        assert_eq!(overlap.on(Happened::Ready, at(2)), [Wanted::Say(Word::Ready)]);
        assert_eq!(overlap.deadline(), None);
        overlap
    };
    for happened in [Happened::Left { named: true }, Happened::Left { named: true }] {
        assert_eq!(ready().on(happened, at(3)), [Wanted::Promote, Wanted::Say(Word::Promoted)]);
    }
    for happened in [Happened::Left { named: false }, Happened::Lost, Happened::Stop] {
        let mut overlap = ready();
        let wanted = overlap.on(happened.clone(), at(3));
        assert!(said_failure(&wanted) && wanted.contains(&Wanted::EndCandidate), "{happened:?}: {wanted:?}");
        assert_eq!(overlap.on(Happened::Left { named: true }, at(3)), []);
        assert_eq!(overlap.on(Happened::Ended(Exit::Code(0)), at(4)), [Wanted::KillCandidate]);
        assert!(overlap.is_quiet());
    }
}

#[test]
fn a_candidate_that_fails_is_gone_and_changes_nothing() {
    let mut overlap = starting(true);
    let wanted = overlap.on(Happened::Ended(Exit::Code(3)), at(1));
    assert!(said_failure(&wanted) && wanted.contains(&Wanted::KillCandidate) && overlap.is_quiet());
    let mut overlap = Overlap::new(LIMIT);
    overlap.on(asked(true), at(0));
    assert!(said_failure(&overlap.on(Happened::StartFailed("no such file".to_owned()), at(0))));
    assert!(overlap.is_quiet());
    let mut overlap = starting(true);
    overlap.on(Happened::NotReady("refused".to_owned()), at(1));
    let wanted = overlap.on(Happened::Tick, at(10));
    let word = Word::Failed {
        reason: "it did not become ready in time (refused)".to_owned(),
        exit: Some(Exit::NotReady),
    };
    assert_eq!(wanted, [Wanted::Say(word), Wanted::EndCandidate]);
    assert_eq!(overlap.on(Happened::Tick, at(20)), [Wanted::KillCandidate]);
    assert!(overlap.is_quiet());
}

#[test]
fn one_that_only_has_to_live_is_ready_when_it_has() {
    let mut overlap = Overlap::new(LIMIT);
    overlap.on(Happened::Asked(terms(Probe::Delay("1s".parse().unwrap()), false)), at(0));
    overlap.on(Happened::Started, at(0));
    assert_eq!(overlap.deadline(), Some(at(1)));
    assert_eq!(overlap.on(Happened::Tick, at(1)), [Wanted::Promote, Wanted::Say(Word::Promoted)]);
}

#[test]
fn who_asked_for_a_restart_may_go() {
    let mut overlap = starting(false);
    assert!(overlap.on(Happened::Left { named: false }, at(1)).is_empty());
    assert!(overlap.on(Happened::Ready, at(1)).contains(&Wanted::Promote));
}

#[test]
fn readiness_is_not_asked_for_where_both_may_show_it() {
    let manifest = serde_json::json!({
        "name": "web", "package": { "name": "server" },
        "service": { "command": ["x"], "sockets": [{ "listen": "127.0.0.1:4000" }], "overlap": true }
    });
    let circumstances = crate::model::launch::Circumstances {
        platform: crate::model::manifest::PlatformKind::Embedded,
        scope: crate::model::manifest::Scope::User,
        deploy: "/srv".into(),
        version: "1".parse().unwrap(),
        owner: None,
    };
    let manifest = serde_json::from_value(manifest).unwrap();
    let mut spec = LaunchSpec::resolve(&manifest, None, circumstances).unwrap();
    let mut asked = |probe: Probe| {
        spec.ready.probe = probe;
        either_may_answer(&spec, |text| text.replace("{env.PORT}", "4000"))
    };
    for address in ["http://127.0.0.1:{env.PORT}/health", "http://localhost:4000", "http://[::1]:4000/?a=b"] {
        assert!(asked(Probe::Http(address.to_owned())), "{address}");
    }
    for address in ["http://127.0.0.1:4001/health", "http://localhost/4000"] {
        assert!(!asked(Probe::Http(address.to_owned())), "{address}");
    }
    assert!(asked(Probe::Tcp("127.0.0.1:4000".to_owned())));
    assert!(asked(Probe::File("ready".to_owned())));
    assert!(!asked(Probe::Notify));
}

fn anything() -> impl Strategy<Value = Happened> {
    prop_oneof![
        3 => any::<bool>().prop_map(asked),
        1 => any::<bool>().prop_map(|waits| {
            Happened::Asked(terms(Probe::Delay("2s".parse().unwrap()), waits))
        }),
        3 => Just(Happened::Ready),
        1 => Just(Happened::NotReady("no".to_owned())),
        1 => Just(Happened::Extend(Duration::from_secs(30))),
        1 => Just(Happened::Ended(Exit::Code(1))),
        2 => Just(Happened::Left { named: true }),
        1 => any::<bool>().prop_map(|named| Happened::Left { named }),
        1 => Just(Happened::Lost),
        1 => Just(Happened::RetiredEnded),
        1 => Just(Happened::Stop),
        1 => Just(Happened::Force),
        4 => Just(Happened::Tick),
    ]
}

/// A world that keeps count of who lives.
#[derive(Debug, Default)]
struct World {
    candidate: Option<Candidate>,
    retired: bool,
}

#[derive(Debug)]
struct Candidate {
    ready: bool,
    /// Whether it needs no word to stay, or has had it.
    stays: bool,
}

impl World {
    /// Does what is wanted, and checks that it can be.
    fn take(&mut self, overlap: &mut Overlap, happened: Happened, now: BootMoment, fails: bool) {
        match (&happened, &mut self.candidate) {
            (Happened::Ready, Some(candidate)) => candidate.ready |= overlap.awaits_readiness(),
            (Happened::Left { named: true }, Some(candidate)) => candidate.stays = true,
            (Happened::Ended(_), None) => return,
            (Happened::RetiredEnded, _) if !self.retired => return,
            _ => {}
        }
        let waits = matches!(&happened, Happened::Asked(terms) if terms.waits);
        let is_tick = happened == Happened::Tick;
        for wanted in overlap.on(happened, now) {
            match wanted {
                Wanted::Start => {
                    assert!(self.candidate.is_none() && !self.retired, "a third one is started");
                    self.candidate = Some(Candidate { ready: false, stays: !waits });
                    let started =
                        if fails { Happened::StartFailed("no".to_owned()) } else { Happened::Started };
                    self.take(overlap, started, now, fails);
                }
                Wanted::Promote => {
                    let candidate = self.candidate.take().expect("nobody is there to take over");
                    assert!(candidate.ready || is_tick, "it takes over before it is ready");
                    assert!(candidate.stays, "it takes over without having been told to");
                    assert!(!std::mem::replace(&mut self.retired, true), "two drain");
                }
                Wanted::EndCandidate | Wanted::Probe => assert!(self.candidate.is_some()),
                Wanted::KillCandidate => {
                    self.candidate.take().expect("nobody is there to be killed");
                }
                Wanted::KillRetired => {
                    assert!(std::mem::take(&mut self.retired), "nobody is there to be killed");
                }
                // It has lived for as long as it had to.
                Wanted::Say(Word::Ready) => self.candidate.as_mut().unwrap().ready = true,
                Wanted::Say(_) => {}
            }
        }
        assert_eq!(overlap.is_quiet(), self.candidate.is_none() && !self.retired);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// At most two live at a time; none takes over unready or unasked; and after a stop all end by time alone.
    #[test]
    fn whatever_happens_nobody_is_lost(
        events in proptest::collection::vec((anything(), 0_u64..5, any::<bool>()), 1..60)
    ) {
        let (mut overlap, mut world, mut now) = (Overlap::new(LIMIT), World::default(), 0);
        for (happened, later, fails) in events {
            now += later;
            world.take(&mut overlap, happened, at(now), fails);
        }
        world.take(&mut overlap, Happened::Stop, at(now), false);
        for _ in 0..4 {
            if let Some(deadline) = overlap.deadline() {
                world.take(&mut overlap, Happened::Tick, deadline, false);
            }
        }
        prop_assert!(overlap.is_quiet(), "{overlap:?}");
    }
}
