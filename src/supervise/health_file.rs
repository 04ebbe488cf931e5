//! The file for monitors and container health checks, kept in step with the status.
//!
//! Whoever keeps it calls [`update`](HealthKeeper::update) after each report; it writes only what is new. The file is
//! written with the rights of the program's account, so that a manifest can name no place that its owner could not
//! write to.

use std::io;

use camino::Utf8PathBuf;

use crate::host::process::{Credentials, as_account};
use crate::host::{clock, untrusted};
use crate::model::health_file::{HealthFile, SCHEMA};
use crate::model::moment::Moment;
use crate::model::outcome::Outcome;
use crate::model::status::{Phase, Status};
use crate::model::token::expand;
use crate::supervise::context::Context;

/// The largest health file that is read, in bytes: it holds one sentence of a program.
const LARGEST: u64 = 64 << 10;

#[derive(Debug)]
pub(crate) struct HealthKeeper {
    path: Utf8PathBuf,
    account: Option<Credentials>,
    record: Record,
    written: Option<HealthFile>,
}

impl HealthKeeper {
    /// The file that the launch spec names, if it names one. What an earlier supervisor wrote there goes on.
    pub(crate) fn of(context: &Context) -> Option<Self> {
        let named = context.spec.health_file.as_ref()?;
        let path = context.folders.deploy.join(expand(named, &context.folders.places()));
        let account = context.account.credentials.clone();
        let kept =
            as_account(account.as_ref(), || untrusted::read(&path, LARGEST).map_err(|error| error.source));
        let kept = kept.ok().flatten().and_then(|text| serde_json::from_str(&text).ok());
        let record = kept.map_or_else(Record::default, |kept| Record::from(&kept, clock::now()));
        Some(Self { path, account, record, written: None })
    }

    /// Writes what the status changes. An error names the file; what could not be written is written with the next
    /// update.
    pub(crate) fn update(&mut self, status: &Status) -> Result<(), String> {
        self.record.take(status);
        let document = self.record.document(status);
        if self.written.as_ref() == Some(&document) {
            return Ok(());
        }
        self.replace(&document)
            .map_err(|error| format!("the health file `{}` can't be written: {error}", self.path))?;
        self.written = Some(document);
        Ok(())
    }

    fn replace(&self, document: &HealthFile) -> io::Result<()> {
        let mut text = serde_json::to_vec(document)?;
        text.push(b'\n');
        as_account(self.account.as_ref(), || untrusted::replace(&self.path, &text, 0o644))
    }
}

/// What has to be remembered from one status to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Record {
    last_success: Option<Moment>,
    /// The failures since then under an earlier supervisor.
    carried: u32,
    /// Whether no status has been seen yet: what that counts was written by the earlier supervisor too.
    begins: bool,
    /// The failures that the status counted when the last success came.
    forgiven: u32,
    /// The failures that the status counts now.
    counted: u32,
    last_error: Option<String>,
}

impl Record {
    /// Goes on with what an earlier supervisor has written. A success that is still to come is none.
    fn from(kept: &HealthFile, now: Moment) -> Self {
        Self {
            last_success: kept.last_success.filter(|success| *success <= now),
            carried: kept.consecutive_failures,
            begins: true,
            last_error: kept.last_error.clone(),
            ..Self::default()
        }
    }

    fn take(&mut self, status: &Status) {
        if std::mem::take(&mut self.begins) {
            self.counted = status.failures;
            self.forgiven = status.failures;
        }
        let health = status.health.clone().unwrap_or_default();
        let run = status.schedule.as_ref().filter(|run| run.last_outcome == Some(Outcome::Success));
        // A run has only begun when it is ready.
        let ready = status.ready.filter(|_| status.schedule.is_none());
        let successes = [ready, health.last_success, run.and_then(|run| run.last_end)];
        let success = successes.into_iter().flatten().max();
        if status.failures > self.counted {
            self.last_error = status.last_exit.map(|exit| format!("the program {exit}"));
        }
        self.counted = status.failures;
        if success > self.last_success {
            self.last_success = success;
            self.forgiven = self.counted;
            self.carried = 0;
            self.last_error = None;
        }
        if health.failures > 0 {
            self.last_error = health.last_error;
        } else if status.phase == Phase::Failed && self.last_error.is_none() {
            self.last_error = Some(status.message.clone());
        }
    }

    fn document(&self, status: &Status) -> HealthFile {
        let consecutive = self.counted.saturating_sub(self.forgiven).saturating_add(self.carried);
        let unanswered = status.health.as_ref().map_or(0, |health| health.failures);
        HealthFile {
            schema: SCHEMA.to_owned(),
            phase: status.phase,
            last_start: status.started,
            last_success: self.last_success,
            consecutive_failures: consecutive.saturating_add(unanswered),
            last_error: self.last_error.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::os::testing::PROGRAM;
    use crate::model::launch::LaunchSpec;
    use crate::model::manifest::{PlatformKind, Scope};
    use crate::model::marker::Marker;
    use crate::model::status::{Exit, HealthStanding, ProcessIdentity, ScheduleStanding};
    use crate::supervise::sample::Sample;

    fn moment(second: i64) -> Moment {
        Moment(jiff::Timestamp::from_second(second).unwrap())
    }

    fn status() -> Status {
        let marker = Marker {
            name: "web".parse().unwrap(),
            component: "server".parse().unwrap(),
            platform: PlatformKind::Embedded,
            scope: Scope::User,
            folder: "/d".into(),
        };
        let supervisor = ProcessIdentity { pid: 1, start_ticks: 1 };
        let begun = Status::begun(&LaunchSpec::bare(&marker), "", supervisor, moment(1));
        Status { started: Some(moment(2)), message: "starting".to_owned(), ..begun }
    }

    fn facts(record: &Record, status: &Status) -> (u32, Option<i64>, Option<String>) {
        let document = record.document(status);
        let second = document.last_success.map(|moment| moment.0.as_second());
        (document.consecutive_failures, second, document.last_error)
    }

    #[test]
    fn failures_are_counted_until_the_next_success() {
        let mut record = Record::default();
        let mut now = status();
        let mut told = |now: &Status| {
            record.take(now);
            facts(&record, now)
        };
        assert_eq!(told(&now), (0, None, None));
        for failures in 1..=2 {
            now = Status { failures, last_exit: Some(Exit::Code(7)), ..now };
            assert_eq!(told(&now), (failures, None, Some("the program exited with code 7".to_owned())));
        }
        now.ready = Some(moment(5));
        assert_eq!(told(&now), (0, Some(5), None));
        let refused =
            HealthStanding { failures: 2, last_error: Some("503".to_owned()), ..Default::default() };
        now.health = Some(refused);
        assert_eq!(told(&now), (2, Some(5), Some("503".to_owned())));
        now.health = Some(HealthStanding { last_success: Some(moment(9)), ..Default::default() });
        assert_eq!(told(&now), (0, Some(9), None));
        now = Status { failures: 3, ready: None, ..now };
        assert_eq!(told(&now), (1, Some(9), Some("the program exited with code 7".to_owned())));
        now.phase = Phase::Failed;
        assert_eq!(told(&now).0, 1);
    }

    #[test]
    fn only_a_good_run_is_a_success() {
        let mut record = Record::default();
        for (outcome, success) in
            [(Outcome::Partial, None), (Outcome::Success, Some(20)), (Outcome::Failure, Some(20))]
        {
            let second = if outcome == Outcome::Success { 20 } else { 30 };
            let run = ScheduleStanding {
                last_end: Some(moment(second)),
                last_outcome: Some(outcome),
                ..Default::default()
            };
            let now = Status { schedule: Some(run), ready: Some(moment(29)), ..status() };
            record.take(&now);
            assert_eq!(facts(&record, &now).1, success, "{outcome}");
        }
    }

    #[test]
    fn the_record_goes_on_under_the_next_supervisor() {
        let mut sample = Sample::new(&[PROGRAM]);
        sample.context.spec.health_file = Some("{run}/health.json".to_owned());
        let mut keeper = HealthKeeper::of(&sample.context).unwrap();
        keeper.update(&Status { ready: Some(moment(5)), ..status() }).unwrap();
        let failed = Status { failures: 2, last_exit: Some(Exit::Code(7)), ..status() };
        keeper.update(&failed).unwrap();
        let error = Some("the program exited with code 7".to_owned());
        // Whether the next one goes on counting, as after a death of its predecessor, or begins at nothing.
        for (begins, fails) in [(failed.clone(), 3), (status(), 1)] {
            let mut keeper = HealthKeeper::of(&sample.context).unwrap();
            keeper.record.take(&begins);
            assert_eq!(facts(&keeper.record, &begins), (2, Some(5), error.clone()));
            let again = Status { failures: fails, last_exit: Some(Exit::Code(8)), ..status() };
            keeper.record.take(&again);
            let error = Some("the program exited with code 8".to_owned());
            assert_eq!(facts(&keeper.record, &again), (3, Some(5), error));
            let ready = Status { ready: Some(moment(9)), ..again };
            keeper.record.take(&ready);
            assert_eq!(facts(&keeper.record, &ready), (0, Some(9), None));
        }
        std::fs::write(sample.context.folders.run.join("health.json"), "{").unwrap();
        assert_eq!(HealthKeeper::of(&sample.context).unwrap().record, Record::default());
    }

    #[test]
    fn the_file_is_written_only_when_something_is_new() {
        let mut sample = Sample::new(&[PROGRAM]);
        assert!(HealthKeeper::of(&sample.context).is_none());
        sample.context.spec.health_file = Some("{run}/health.json".to_owned());
        let path = sample.context.folders.run.join("health.json");
        let mut keeper = HealthKeeper::of(&sample.context).unwrap();
        keeper.update(&status()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let read: HealthFile = serde_json::from_str(&text).unwrap();
        assert_eq!((read.phase, read.last_start), (Phase::Starting, Some(moment(2))));
        assert!(text.contains(r#""lastSuccess":null"#), "{text}");
        std::fs::remove_file(&path).unwrap();
        keeper.update(&status()).unwrap();
        assert!(!path.exists());
        std::fs::create_dir(&path).unwrap();
        let changed = Status { phase: Phase::Ready, ..status() };
        assert!(keeper.update(&changed).unwrap_err().contains("health.json"));
        std::fs::remove_dir(&path).unwrap();
        keeper.update(&changed).unwrap();
        assert!(path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn it_is_written_with_the_rights_of_the_programs_account() {
        use std::os::unix::fs::{MetadataExt as _, chown};
        if crate::host::account::effective_uid() != 0 {
            return;
        }
        let mut sample = Sample::new(&[PROGRAM]);
        std::fs::set_permissions(&sample.root, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        sample.context.spec.health_file = Some("{run}/health.json".to_owned());
        let (uid, gid) = (65_534, 65_534);
        sample.context.account.credentials = Some(Credentials { uid, gid, groups: vec![gid] });
        let mut keeper = HealthKeeper::of(&sample.context).unwrap();
        assert!(keeper.update(&status()).unwrap_err().contains("denied"));
        chown(&sample.context.folders.run, Some(uid), Some(gid)).unwrap();
        keeper.update(&status()).unwrap();
        assert_eq!(std::fs::metadata(&keeper.path).unwrap().uid(), uid);
    }
}
