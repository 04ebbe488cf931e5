//! `KiCI`: an orchestrator that keeps jobs, and agents that do them.
//!
//! ```text
//! kici orchestrator
//! kici agent
//! kici stop orchestrator|agent    asks it to end, where no signal can
//! ```
//!
//! All settings are variables: `KICI_MODE`, `KICI_PORT`, `KICI_DATABASE_URL`, `KICI_SECRETS_KEY`, … of the one,
//! `KICI_ORCHESTRATOR_URL`, `KICI_AGENT_TOKEN`, `KICI_AGENT_LABELS`, … of the other.

#![allow(clippy::disallowed_methods, reason = "a program of its own reads its environment itself")]

mod agent;
mod orchestrator;
#[path = "../shared/stop.rs"]
mod stop;
mod store;
#[path = "../shared/web.rs"]
mod web;

use std::io::Write as _;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn say(level: &str, words: &str) {
    let _ = writeln!(std::io::stdout(), "{level} {words}");
}

/// A setting that says something.
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn run() -> Result<u8> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["orchestrator"] => orchestrator::run(),
        ["agent"] => agent::run(),
        ["stop", who] => {
            let home = setting("KICI_HOME").ok_or("KICI_HOME is not set")?;
            std::fs::write(std::path::Path::new(&home).join(format!("stop-{who}")), "")?;
            Ok(0)
        }
        _ => Err("usage: kici orchestrator|agent|stop orchestrator|stop agent".into()),
    }
}

fn main() -> ExitCode {
    run().map_or_else(
        |error| {
            say("ERROR", &error.to_string());
            ExitCode::FAILURE
        },
        ExitCode::from,
    )
}
