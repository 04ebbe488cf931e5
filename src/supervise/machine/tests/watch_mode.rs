//! A day of watch mode on a fast clock, against a model of the rules that is written without the machine.

use super::*;
use crate::model::status::ScheduleStanding;

/// A generator of numbers that are the same in every run (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// One run: how long it takes, in milliseconds, and how it ends.
#[derive(Clone, Copy, Debug)]
struct Run {
    takes: u64,
    exit: Exit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tally {
    ending: Ending,
    runs: u64,
    successes: u64,
    partials: u64,
    failures: u64,
    skipped: u64,
}

const DAY: u64 = 86_400_000;
const EVERY: u64 = 60_000;
const DELAYS: [u64; 4] = [1_000, 5_000, 15_000, 30_000];
const LIMIT: usize = 5;
const WINDOW: u64 = 300_000;

/// Runs of a day. `worst` of 1,000 fail.
fn day(seed: u64, worst: u64) -> (Vec<Run>, u64) {
    let mut dice = Dice(seed);
    let mut run = |_| {
        let takes = match dice.throw(20) {
            0 => 60_000 * (1 + dice.throw(4)) + dice.throw(60_000),
            1 => dice.throw(1_000),
            2 => 60_000,
            _ => dice.throw(50_000),
        };
        let exit = if dice.throw(1_000) < worst {
            [Exit::Code(1), Exit::Signal(9), Exit::Code(8), Exit::Code(42)]
                [usize::try_from(dice.throw(4)).unwrap()]
        } else {
            [Exit::Code(0), Exit::Code(2), Exit::Code(7)][usize::try_from(dice.throw(3)).unwrap()]
        };
        Run { takes, exit }
    };
    let runs = (0..3_000).map(&mut run).collect();
    // Half of the days end with a signal at some moment, the others at midnight.
    let stop = if seed.is_multiple_of(2) { dice.throw(DAY) } else { DAY };
    (runs, stop)
}

/// The rules, in as few words as they can be said. On trial for days, the first failure is the last.
fn model(runs: &[Run], stop: u64, retries: bool, on_trial: bool) -> Tally {
    let mut tally =
        Tally { ending: Ending::Stopped, runs: 0, successes: 0, partials: 0, failures: 0, skipped: 0 };
    let (mut now, mut turn, mut restarts) = (0, 0, Vec::<u64>::new());
    for run in runs {
        if now >= stop {
            return tally;
        }
        tally.runs += 1;
        let end = now + run.takes;
        if end >= stop {
            return tally;
        }
        now = end;
        match run.exit {
            Exit::Code(0 | 7) => tally.successes += 1,
            Exit::Code(2) => tally.partials += 1,
            Exit::Code(42) if run.takes >= 1_000 => continue,
            exit => {
                tally.failures += 1;
                if on_trial {
                    tally.ending = Ending::TrialFailed;
                    return tally;
                }
                restarts.retain(|made| now - made < WINDOW);
                if !retries || restarts.len() == LIMIT {
                    tally.ending = Ending::Failed(exit);
                    return tally;
                }
                restarts.push(now);
                now += DELAYS[(restarts.len() - 1).min(3)];
                continue;
            }
        }
        turn += 1;
        while turn * EVERY < now {
            turn += 1;
            tally.skipped += 1;
        }
        now = turn * EVERY;
    }
    tally
}

/// The same day in the machine.
fn lived(runs: &[Run], stop: u64, spec: &LaunchSpec, on_trial: bool) -> (Tally, Phase) {
    let trial = on_trial.then(|| super::trials::watched(spec, 3 * DAY / 1_000));
    let mut world = World::new(spec, trial.as_ref(), None, 0);
    let mut seen = 0;
    let mut end = None;
    while world.ending.is_none() {
        if world.starts.len() > seen {
            let run = runs[seen];
            seen += 1;
            end = Some((world.now.0 + run.takes, run.exit));
        }
        let deadline = world.machine.deadline().map(|deadline| deadline.0.max(world.now.0));
        let ends = end.map(|(at, _)| at);
        let next = [deadline, ends, Some(stop)].into_iter().flatten().min().unwrap();
        world.now = BootMoment(next);
        if next == stop {
            world.tell(Input::Stop);
            if world.ending.is_none() {
                world.now = BootMoment(next + 500);
                world.tell(Input::Exited(Exit::Signal(15)));
            }
        } else if ends == Some(next) {
            // A run of exactly a second is ready at the moment it ends.
            world.tell(Input::Tick);
            let (_, exit) = end.take().unwrap();
            world.tell(Input::Exited(exit));
        } else {
            world.tell(Input::Tick);
        }
    }
    let ScheduleStanding { cycles, successes, partials, failures, skipped, .. } =
        world.machine.standing().schedule.clone().unwrap();
    let ending = world.ending.unwrap();
    (Tally { ending, runs: cycles, successes, partials, failures, skipped }, world.phase())
}

fn compare(seed: u64, worst: u64, retries: bool, on_trial: bool) -> Tally {
    let (runs, stop) = day(seed, worst);
    let mut spec = super::cycles::every(EVERY / 1_000);
    if retries {
        spec.restart.when = RestartWhen::OnFailure;
    }
    let (tally, phase) = lived(&runs, stop, &spec, on_trial);
    let expected = model(&runs, stop, retries, on_trial);
    assert_eq!(tally, expected, "seed {seed}, {worst} of 1,000, retries {retries}, trial {on_trial}");
    let expected = match tally.ending {
        Ending::Stopped => Phase::Stopped,
        Ending::TrialFailed => Phase::BackingOff,
        _ => Phase::Failed,
    };
    assert_eq!(phase, expected);
    tally
}

#[test]
fn a_day_of_watch_mode_ends_as_the_rules_say() {
    let mut turns = 0;
    let mut endings = [0, 0];
    for seed in 0..24 {
        // Without a policy the first complete failure ends the service, so there are days without any.
        let whole = compare(seed, 0, false, seed % 3 == 0);
        turns = turns.max(whole.runs + whole.skipped);
        for (worst, retries) in [(2, false), (60, true), (300, true), (700, true)] {
            let tally = compare(seed, worst, retries, false);
            endings[usize::from(tally.ending == Ending::Stopped)] += 1;
            compare(seed, worst, retries, true);
        }
    }
    assert_eq!(turns, 1_440, "a whole day was lived");
    assert!(endings.iter().all(|count| *count > 10), "both endings were seen: {endings:?}");
}
