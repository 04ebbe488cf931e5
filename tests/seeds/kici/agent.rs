//! An agent: asks the orchestrator for jobs and does them, one at a time.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::stop::Stop;
use crate::store::Job;
use crate::{Result, say, setting, web};

/// The orchestrator refuses its token: no start changes that.
const REFUSED: u8 = 78;

/// How it is, for whoever asks.
#[derive(Default)]
struct Standing {
    is_connected: bool,
    current: Option<(Job, Instant)>,
}

/// Runs it until it is asked to end, which is when its job is done.
pub(crate) fn run() -> Result<u8> {
    let server = setting("KICI_ORCHESTRATOR_URL").ok_or("KICI_ORCHESTRATOR_URL is not set")?;
    let home = PathBuf::from(setting("KICI_HOME").ok_or("KICI_HOME is not set")?);
    let name = setting("KICI_AGENT_NAME").unwrap_or_else(|| "agent".to_owned());
    let labels: Vec<String> = setting("KICI_AGENT_LABELS")
        .map(|text| text.split(',').map(str::to_owned).collect())
        .unwrap_or_default();
    let grace = Duration::from_secs(setting("KICI_GRACE").map_or(Ok(120), |text| text.parse())?);
    let token = setting("KICI_AGENT_TOKEN").unwrap_or_default();
    let stop = Stop::listen(home.join("stop-agent"))?;
    let standing = Arc::new(Mutex::new(Standing::default()));
    let (shown, known, whose) = (Arc::clone(&standing), labels.clone(), server.clone());
    let port = setting("KICI_AGENT_PORT").map_or(Ok(4001), |text| text.parse())?;
    web::serve(port, move |_, _| {
        let standing = shown.lock().unwrap_or_else(PoisonError::into_inner);
        let current = standing.current.as_ref().map(|(job, _)| json!({ "id": job.id, "label": job.label }));
        let orchestrator = if standing.is_connected { whose.clone() } else { "away".to_owned() };
        (200, json!({ "labels": known, "orchestrator": orchestrator, "currentJob": current }))
    })?;
    say("INFO", &format!("agent {name} for {server}"));
    let mut seen = Instant::now();
    loop {
        let current = standing.lock().unwrap_or_else(PoisonError::into_inner).current.clone();
        if stop.is_asked_for() && current.is_none() {
            say("INFO", "asked to end");
            return Ok(0);
        }
        let heard = match &current {
            Some((job, end)) if Instant::now() >= *end => {
                let heard = web::ask(&server, "POST /done", &json!({ "id": job.id }));
                if heard.is_ok() {
                    say("INFO", &format!("job {} is done", job.id));
                    standing.lock().unwrap_or_else(PoisonError::into_inner).current = None;
                }
                heard
            }
            _ => {
                let id = current.as_ref().map(|(job, _)| job.id);
                let said = json!({ "name": name, "labels": labels, "token": token, "current": id });
                web::ask(&server, "POST /poll", &said)
            }
        };
        let mut standing = standing.lock().unwrap_or_else(PoisonError::into_inner);
        match heard {
            Ok((401, _)) => {
                say("ERROR", "the orchestrator refuses the token");
                return Ok(REFUSED);
            }
            Ok((_, answer)) => {
                seen = Instant::now();
                if !standing.is_connected {
                    say("INFO", "the orchestrator is there");
                }
                standing.is_connected = true;
                take(&mut standing, &answer);
            }
            Err(error) if seen.elapsed() > grace => {
                say("ERROR", &format!("the orchestrator does not come back: {error}"));
                return Ok(1);
            }
            Err(_) => {
                if standing.is_connected {
                    say("WARN", "the orchestrator is away");
                }
                standing.is_connected = false;
            }
        }
        drop(standing);
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn take(standing: &mut Standing, answer: &Value) {
    let Ok(job) = serde_json::from_value::<Job>(answer["job"].clone()) else { return };
    say("INFO", &format!("job {} is begun", job.id));
    let end = Instant::now() + Duration::from_secs(job.seconds.into());
    standing.current = Some((job, end));
}
