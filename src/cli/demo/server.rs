//! The sample's server: it tells its version over HTTP. It is this program, so that the demo needs no other.

use crate::cli::report::Report;
use crate::engine::failure::Failure;
use crate::host::signal::{Signal, SignalPipe};
use crate::host::{environment, http};

/// Serves until SIGTERM or SIGINT.
pub(crate) fn serve(report: &Report, version: &str) -> Result<u8, Failure> {
    let port = environment::variable("PORT").and_then(|port| port.parse::<u16>().ok());
    let port = port.ok_or_else(|| Failure::Usage("the variable PORT holds no port".to_owned()))?;
    let failed = |error: std::io::Error| Failure::Usage(format!("can't serve on port {port}: {error}"));
    let stop = SignalPipe::new(&[Signal::TERM, Signal::INT]).map_err(failed)?;
    let ready = || report.line(format!("hello {version} listens on 127.0.0.1:{port}"));
    http::serve(port, &stop, ready, |path| {
        let body = match path {
            "/health" => "ok\n".to_owned(),
            "/version" => format!("hello {version}\n"),
            _ => return None,
        };
        report.line(format!("GET {path}"));
        Some(body)
    })
    .map_err(failed)?;
    report.line(format!("hello {version} was asked to end, and does"));
    Ok(0)
}
