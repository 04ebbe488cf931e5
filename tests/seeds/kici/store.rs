//! Where the orchestrator keeps its jobs: in `PostgreSQL`, asked by `psql`, or in a file.

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What is to be done by an agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Its number.
    pub(crate) id: u32,
    /// Which agents can do it.
    pub(crate) label: String,
    /// How long it takes, in seconds.
    pub(crate) seconds: u32,
    /// `queued`, `running` or `done`.
    pub(crate) state: String,
    /// Who does it.
    pub(crate) agent: String,
}

/// Where jobs are kept.
#[derive(Clone)]
pub(crate) enum Store {
    /// A database, and the client that asks it.
    Database {
        /// Its address.
        url: String,
        /// The client.
        client: String,
    },
    /// One file.
    File(PathBuf),
}

/// What the first version of the orchestrator finds of its tables, and what it makes of that.
const MIGRATION: &str = "
    BEGIN;
    SET client_min_messages = warning;
    CREATE TABLE IF NOT EXISTS kici_schema (version integer NOT NULL);
    CREATE TABLE IF NOT EXISTS kici_jobs (id serial PRIMARY KEY, label text NOT NULL, seconds integer NOT NULL,
        state text NOT NULL DEFAULT 'queued', agent text NOT NULL DEFAULT '');
    INSERT INTO kici_schema SELECT 1 WHERE NOT EXISTS (SELECT FROM kici_schema);
    COMMIT;";
/// A job as a row of JSON.
const ROW: &str =
    "json_build_object('id', id, 'label', label, 'seconds', seconds, 'state', state, 'agent', agent)";

impl Store {
    /// Statements with values in the places of `:'one'` and `:'two'`; what comes back is one row a line.
    fn asked(url: &str, client: &str, statements: &str, one: &str, two: &str) -> Result<String> {
        let mut child = Command::new(client)
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-v", &format!("one={one}")])
            .args(["-v", &format!("two={two}"), "-f", "-", url])
            .env("PGCONNECT_TIMEOUT", "2")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        child.stdin.take().ok_or("no standard input")?.write_all(statements.as_bytes())?;
        let output = child.wait_with_output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned().into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    fn read(path: &PathBuf) -> Result<Vec<Job>> {
        match fs::read(path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    fn write(path: &PathBuf, jobs: &[Job]) -> Result<()> {
        let beside = path.with_extension("new");
        fs::write(&beside, serde_json::to_vec(jobs)?)?;
        Ok(fs::rename(beside, path)?)
    }

    /// Brings it to the form that this version wants.
    pub(crate) fn migrate(&self) -> Result<()> {
        match self {
            Self::Database { url, client } => Self::asked(url, client, MIGRATION, "", "").map(drop),
            Self::File(path) => Self::read(path).and_then(|jobs| Self::write(path, &jobs)),
        }
    }

    /// All jobs.
    pub(crate) fn jobs(&self) -> Result<Vec<Job>> {
        match self {
            Self::Database { url, client } => {
                let rows =
                    Self::asked(url, client, &format!("SELECT {ROW} FROM kici_jobs ORDER BY id;"), "", "")?;
                rows.lines().map(|row| Ok(serde_json::from_str(row)?)).collect()
            }
            Self::File(path) => Self::read(path),
        }
    }

    /// A new job; its number.
    pub(crate) fn add(&self, label: &str, seconds: u32) -> Result<u32> {
        match self {
            Self::Database { url, client } => {
                let insert =
                    "INSERT INTO kici_jobs (label, seconds) VALUES (:'one', (:'two')::integer) RETURNING id;";
                Ok(Self::asked(url, client, insert, label, &seconds.to_string())?.trim().parse()?)
            }
            Self::File(path) => {
                let mut jobs = Self::read(path)?;
                let id = jobs.last().map_or(1, |job| job.id + 1);
                let (state, agent) = ("queued".to_owned(), String::new());
                jobs.push(Job { id, label: label.to_owned(), seconds, state, agent });
                Self::write(path, &jobs)?;
                Ok(id)
            }
        }
    }

    /// A job is somebody's, done, or nobody's again.
    pub(crate) fn set(&self, id: u32, state: &str, agent: &str) -> Result<()> {
        match self {
            Self::Database { url, client } => {
                let update = format!("UPDATE kici_jobs SET state = :'one', agent = :'two' WHERE id = {id};");
                Self::asked(url, client, &update, state, agent).map(drop)
            }
            Self::File(path) => {
                let mut jobs = Self::read(path)?;
                for job in jobs.iter_mut().filter(|job| job.id == id) {
                    state.clone_into(&mut job.state);
                    agent.clone_into(&mut job.agent);
                }
                Self::write(path, &jobs)
            }
        }
    }
}
