//! The orchestrator: keeps jobs, hands them to agents, and says over HTTP how it is.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::stop::Stop;
use crate::store::{Job, Store};
use crate::{Result, say, setting, web};

/// An agent that has been silent for longer is away.
const SILENCE: Duration = Duration::from_secs(1);

struct Orchestrator {
    mode: String,
    port: u16,
    platform: Option<String>,
    token: Option<String>,
    /// How long an agent may be away before its job is another's.
    grace: Duration,
    store: Store,
    is_connected: AtomicBool,
    /// The code of an end that it came to by itself; 0: none.
    end: AtomicU8,
    agents: Mutex<BTreeMap<String, Instant>>,
    /// One at a time decides about jobs.
    handing_out: Mutex<()>,
    began: Instant,
}

/// What it can't do without. Each has a code of its own, so that whoever supervises sees which it was.
fn lacking() -> Option<u8> {
    let has = |name: &str| setting(name).is_some();
    let url = setting("KICI_DATABASE_URL");
    if url.is_some_and(|url| !url.starts_with("postgres://") && !url.starts_with("postgresql://")) {
        return Some(11);
    }
    if setting("KICI_SECRETS_KEY").is_none_or(|key| key.len() != 64) {
        return Some(12);
    }
    match setting("KICI_MODE").as_deref() {
        Some("independent") if has("KICI_PLATFORM_URL") || has("KICI_PLATFORM_KEY") => Some(13),
        Some("independent") => None,
        Some("platform" | "hybrid") if has("KICI_PLATFORM_URL") && has("KICI_PLATFORM_KEY") => None,
        Some("platform" | "hybrid") => Some(14),
        _ => Some(15),
    }
}

impl Orchestrator {
    fn new() -> Result<Self> {
        let home = PathBuf::from(setting("KICI_HOME").ok_or("KICI_HOME is not set")?);
        let store = setting("KICI_DATABASE_URL").map_or(Store::File(home.join("jobs.json")), |url| {
            Store::Database { url, client: setting("KICI_PSQL").unwrap_or_else(|| "psql".to_owned()) }
        });
        Ok(Self {
            mode: setting("KICI_MODE").unwrap_or_default(),
            port: setting("KICI_PORT").map_or(Ok(4000), |text| text.parse())?,
            platform: setting("KICI_PLATFORM_URL"),
            token: setting("KICI_AGENT_TOKEN"),
            grace: Duration::from_secs(setting("KICI_GRACE").map_or(Ok(120), |text| text.parse())?),
            store,
            is_connected: AtomicBool::new(false),
            end: AtomicU8::new(0),
            agents: Mutex::default(),
            handing_out: Mutex::default(),
            began: Instant::now(),
        })
    }

    fn jobs(&self) -> Vec<Job> {
        if !self.is_connected.load(Ordering::SeqCst) {
            return Vec::new();
        }
        self.store.jobs().unwrap_or_else(|error| {
            say("ERROR", &format!("the database went away: {error}"));
            self.is_connected.store(false, Ordering::SeqCst);
            Vec::new()
        })
    }

    fn agents(&self, longest: Duration) -> Vec<String> {
        let agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        agents.iter().filter(|(_, seen)| seen.elapsed() < longest).map(|(name, _)| name.clone()).collect()
    }

    fn health(&self) -> Value {
        let jobs = self.jobs();
        let count = |state: &str| jobs.iter().filter(|job| job.state == state).count();
        let is_there = self.is_connected.load(Ordering::SeqCst);
        let database = match self.store {
            Store::File(_) => "a file",
            Store::Database { .. } if is_there => "connected",
            Store::Database { .. } => "disconnected",
        };
        json!({
            "status": if is_there { "ok" } else { "degraded" },
            "mode": self.mode, "port": self.port, "database": database, "platform": self.platform,
            "agents": { "connected": self.agents(SILENCE).len() }, "scaler": setting("KICI_SCALER"),
            "jobs": { "queued": count("queued"), "running": count("running"), "done": count("done") },
        })
    }

    /// An agent says that it is there, and is given a job if it has none.
    fn poll(&self, said: &Value) -> Result<(u16, Value)> {
        let text = |name: &str| said[name].as_str().unwrap_or_default();
        if self.token.as_ref().is_some_and(|token| token != text("token")) {
            return Ok((401, json!({ "error": "no such token" })));
        }
        let name = text("name").to_owned();
        let is_new = {
            let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
            agents.insert(name.clone(), Instant::now()).is_none()
        };
        if is_new {
            say("INFO", &format!("agent {name} registered with labels {}", said["labels"]));
        }
        if !said["current"].is_null() {
            return Ok((200, json!({ "job": null })));
        }
        let labels: Vec<&str> =
            said["labels"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let _turn = self.handing_out.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |job: &Job| labels.is_empty() || labels.contains(&job.label.as_str());
        let next = self.jobs().into_iter().find(|job| job.state == "queued" && fits(job));
        if let Some(job) = &next {
            self.store.set(job.id, "running", &name)?;
            say("INFO", &format!("job {} is {name}'s", job.id));
        }
        Ok((200, json!({ "job": next })))
    }

    /// Jobs of agents that have been away for longer than their grace are nobody's again.
    fn reclaim(&self) -> Result<()> {
        if self.began.elapsed() < self.grace {
            return Ok(());
        }
        let here = self.agents(self.grace);
        for job in self.jobs().iter().filter(|job| job.state == "running" && !here.contains(&job.agent)) {
            say("WARN", &format!("agent {} does not come back: job {} is queued again", job.agent, job.id));
            self.store.set(job.id, "queued", "")?;
        }
        Ok(())
    }

    fn answer(&self, route: &str, said: &Value) -> Result<(u16, Value)> {
        let number =
            |name: &str| said[name].as_u64().and_then(|it| u32::try_from(it).ok()).unwrap_or_default();
        Ok(match route {
            "GET /health" => (200, self.health()),
            "POST /poll" => self.poll(said)?,
            "POST /jobs" => {
                let label = said["label"].as_str().unwrap_or_default();
                (201, json!({ "id": self.store.add(label, number("seconds"))? }))
            }
            "POST /done" => {
                self.store.set(number("id"), "done", "")?;
                say("INFO", &format!("job {} is done", number("id")));
                (200, json!({}))
            }
            // What a fault of its own comes to.
            "POST /fatal" => {
                self.end.store(1, Ordering::SeqCst);
                (202, json!({}))
            }
            _ => (404, json!({ "error": "no such place" })),
        })
    }
}

/// Runs it until it is asked to end, or can't go on.
pub(crate) fn run() -> Result<u8> {
    if let Some(code) = lacking() {
        say("ERROR", &format!("its settings are not whole ({code})"));
        return Ok(code);
    }
    let home = PathBuf::from(setting("KICI_HOME").ok_or("KICI_HOME is not set")?);
    let stop = Stop::listen(home.join("stop-orchestrator"))?;
    let orchestrator = Arc::new(Orchestrator::new()?);
    let served = Arc::clone(&orchestrator);
    web::serve(orchestrator.port, move |route, said| {
        served.answer(route, said).unwrap_or_else(|error| (503, json!({ "error": error.to_string() })))
    })?;
    say("INFO", &format!("mode {}, port {}", orchestrator.mode, orchestrator.port));
    let mut next = Instant::now();
    while !stop.is_asked_for() && orchestrator.end.load(Ordering::SeqCst) == 0 {
        if Instant::now() >= next {
            next = Instant::now() + Duration::from_secs(1);
            if orchestrator.is_connected.load(Ordering::SeqCst) {
                orchestrator.reclaim()?;
            } else {
                match orchestrator.store.migrate() {
                    Ok(()) => {
                        say("INFO", "the database is as this version wants it");
                        orchestrator.is_connected.store(true, Ordering::SeqCst);
                    }
                    Err(error) => say("WARN", &format!("no database yet: {error}")),
                }
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let code = orchestrator.end.load(Ordering::SeqCst);
    say("INFO", if code == 0 { "asked to end" } else { "a fault that it can't go on with" });
    Ok(code)
}
