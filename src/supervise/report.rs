//! What the supervisor says of its program: the status file, and the service manager's protocol.

use std::io::{self, ErrorKind, Read as _};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::notify::Manager;
use crate::host::{clock, files, identity, own_file};
use crate::model::launch::LaunchSpec;
use crate::model::moment::{Moment, Present};
use crate::model::outcome::Outcome;
use crate::model::status::{Phase, ProcessIdentity, ScheduleStanding, Status, TrialStanding};
use crate::supervise::context::Context;
use crate::supervise::standing::Standing;

/// What a manager is asked to wait beyond the point at which the present phase ends.
const MARGIN: Duration = Duration::from_secs(15);
/// The largest status file that is read, in bytes.
const LARGEST_STATUS: u64 = 64 << 10;
/// The longest sentence that a program may say of itself, in characters.
const LONGEST_WORD: usize = 200;

#[derive(Debug)]
pub(crate) struct Reporter {
    path: Utf8PathBuf,
    status: Status,
    manager: Option<Manager>,
    ready_told: bool,
    word: Option<String>,
    /// The end of the trial, as it was last written.
    verdict: Option<TrialStanding>,
}

/// The facts of a report that the machine does not know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) program: Option<ProcessIdentity>,
    pub(crate) started: Option<Moment>,
}

impl Reporter {
    /// Goes on from what an earlier supervisor reported, if it was of the same launch. That a launch has never been ready is
    /// known of one that nothing was before, or that is on trial; one that came back may have been.
    pub(crate) fn new(context: &Context, boot_id: &str, previous: Option<&Status>) -> io::Result<Self> {
        let launch = context.spec.identity();
        let is_new = context.trial.as_ref().is_some_and(|trial| trial.launch == launch);
        let ever_ready = match previous {
            Some(status) if status.launch == launch => status.ever_ready,
            Some(_) if !is_new => None,
            _ => Some(false),
        };
        let manager = context.manager.notify_socket.as_deref().map(Manager::at).transpose()?;
        let status =
            Status { ever_ready, ..Status::begun(&context.spec, boot_id, identity::own(), clock::now()) };
        Ok(Self {
            path: context.status.clone(),
            status,
            manager,
            ready_told: false,
            word: None,
            verdict: None,
        })
    }

    pub(crate) fn status(&self) -> &Status {
        &self.status
    }

    /// What the program says of itself, for people. Says whether it is something new.
    pub(crate) fn hear(&mut self, word: &str) -> bool {
        let shown = word.chars().map(|next| if next.is_control() { ' ' } else { next });
        let word = Some(shown.take(LONGEST_WORD).collect());
        let new = self.word != word;
        self.word = word;
        new
    }

    /// Reports where the program stands. Tells the manager even if the file can't be written.
    pub(crate) fn report(&mut self, standing: &Standing, facts: Facts, now: Present) -> io::Result<()> {
        let was_ready = self.status.ready.filter(|_| self.status.started == facts.started);
        if !matches!(standing.phase, Phase::Starting | Phase::Ready) {
            self.word = None;
        }
        let status = &mut self.status;
        status.ready = match standing.phase {
            Phase::Ready => was_ready.or(Some(now.wall)),
            _ => was_ready.filter(|_| facts.program.is_some()),
        };
        status.phase = standing.phase;
        // Between two runs of a schedule it is up, whatever came of them.
        let has_run = matches!(standing.last_outcome, Some(Outcome::Success | Outcome::Partial));
        if matches!(standing.phase, Phase::Ready | Phase::Idle)
            || (matches!(standing.phase, Phase::Sleeping | Phase::Completed) && has_run)
        {
            status.ever_ready = Some(true);
        }
        status.program = facts.program;
        status.started = facts.started;
        status.failures = standing.failures;
        status.restarts = standing.restarts.moments().to_vec();
        status.next_start = standing.next_start.map(|moment| now.shown(moment));
        status.last_exit = standing.last_exit;
        status.last_outcome = standing.last_outcome;
        status.health.clone_from(&standing.health);
        status.schedule.clone_from(&standing.schedule);
        status.trial.clone_from(&standing.trial);
        status.silent_since = standing.silent_since;
        status.downtime_ms = standing.downtime_ms;
        status.refusal.clone_from(&standing.refusal);
        status.message = match &self.word {
            Some(word) => format!("{}: {word}", standing.message),
            None => standing.message.clone(),
        };
        let verdict =
            self.status.trial.as_ref().filter(|trial| trial.failed.is_some() || trial.passed()).cloned();
        let written = replace(&self.path, &self.status, verdict.is_some() && verdict != self.verdict);
        if written.is_ok() {
            self.verdict = verdict;
        }
        self.tell_manager(standing, now);
        written
    }

    /// What lives on by itself from now on.
    pub(crate) fn detached(&mut self, processes: Vec<ProcessIdentity>) {
        self.status.detached = processes;
    }

    /// Whether the end waits for somebody to be told of it.
    pub(crate) fn telling(&mut self, telling: bool) {
        self.status.telling = telling;
    }

    /// The launch that is supervised from now on.
    pub(crate) fn adopt(&mut self, spec: &LaunchSpec) {
        let launch = spec.identity();
        if self.status.launch != launch {
            // What it has shown so far it has shown elsewhere, beside the one before or not at all.
            self.status.ever_ready = None;
        }
        self.status.launch = launch;
        self.status.tree = spec.tree();
        self.status.version.clone_from(&spec.version);
    }

    /// All that a person wants to know, in one line.
    fn sentence(&self) -> String {
        let mut parts = vec![self.status.message.clone()];
        if let Some(health) = self.status.health.as_ref().filter(|health| health.failures > 0) {
            let reason = health.last_error.as_deref().unwrap_or_default();
            parts.push(format!("{} health checks in a row failed: {reason}", health.failures));
        }
        if let Some(schedule) = &self.status.schedule {
            let ScheduleStanding { cycles, successes, partials, failures, skipped, .. } = schedule;
            if *cycles > 0 {
                let runs = if *cycles == 1 { "run" } else { "runs" };
                parts.push(format!(
                    "{cycles} {runs}: {successes} success, {partials} partial, {failures} failure; {skipped} turns skipped"
                ));
            }
            parts.extend(schedule.next.map(|next| format!("next run {}", clock::local(next))));
        }
        parts.join("; ")
    }

    fn tell_manager(&mut self, standing: &Standing, now: Present) {
        let Some(manager) = &self.manager else { return };
        let mut message = format!("STATUS={}", self.sentence().replace(['\n', '\r'], " "));
        let stopping = matches!(standing.phase, Phase::Stopping | Phase::Stopped);
        // A program that is done with its work was up, and so was one that somebody's signal stopped while it started;
        // else the manager would take a clean end before that for a failure, and start it again. Of two such words in one
        // message it hears one.
        let over = matches!(standing.phase, Phase::Completed | Phase::Stopped);
        if (standing.phase.is_up() || over) && !self.ready_told {
            self.ready_told = true;
            message.push_str("\nREADY=1");
        } else if stopping {
            message.push_str("\nSTOPPING=1");
        }
        // The manager has its own limit for starts and stops; once it knows that the service is up, only the
        // policy here decides.
        if (!self.ready_told || stopping)
            && let Some(until) = standing.at_most_until
        {
            let more = until.since(now.boot).saturating_add(MARGIN).as_micros();
            message.push_str("\nEXTEND_TIMEOUT_USEC=");
            message.push_str(&more.to_string());
        }
        // A manager that is not there can't be helped.
        let _ = manager.tell(&message);
    }

    /// Tells the manager that the supervisor is alive.
    pub(crate) fn alive(&self) {
        if let Some(manager) = &self.manager {
            let _ = manager.tell("WATCHDOG=1");
        }
    }
}

/// Replaces the file whole, so that a reader sees the old status or the new one. Only what has to outlive a
/// crash of the host is synced, which is the verdict of a trial: of all else, what was true before says as much.
fn replace(path: &Utf8Path, status: &Status, lasts: bool) -> io::Result<()> {
    let mut text = serde_json::to_vec(status)?;
    text.push(b'\n');
    let temporary = Utf8PathBuf::from(format!("{path}.new"));
    let mut options = own_file::writing(0o644);
    options.write(true).create(true).truncate(true);
    let written = options.open(&temporary).and_then(|mut file| {
        io::Write::write_all(&mut file, &text)?;
        if lasts { file.sync_data() } else { Ok(()) }
    });
    match written {
        Err(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            let _ = fs_err::remove_file(&temporary);
            overwrite(path, &text).map_err(|_| error)
        }
        Err(error) => Err(error),
        Ok(()) => {
            own_file::replace(&temporary, path)?;
            match path.parent().filter(|_| lasts) {
                Some(folder) => files::sync_folder(folder).map_err(|error| error.source),
                None => Ok(()),
            }
        }
    }
}

/// Writes a file in its own place, which needs no more room as long as it is hardly longer: on a full disk it is better
/// to say how a program is, and for a moment nothing that can be read, than to say for ever how it was.
fn overwrite(path: &Utf8Path, text: &[u8]) -> io::Result<()> {
    let mut file = own_file::writing(0o644).write(true).open(path)?;
    io::Write::write_all(&mut file, text)?;
    file.set_len(text.len() as u64)
}

/// The status that a supervisor left or keeps. `None`: there is none that can be read. The file may belong to a
/// less privileged account, so no link is followed and no more is read than a status can be long.
#[must_use]
pub fn read_status(path: &Utf8Path) -> Option<Status> {
    let mut content = Vec::new();
    own_file::reading().open(path).ok()?.take(LARGEST_STATUS).read_to_end(&mut content).ok()?;
    serde_json::from_slice(&content).ok()
}
