//! A small HTTP server: `server --port N [--version TEXT] [--ready-after MILLISECONDS]`.
//!
//! `/version` answers the text, `/pid` the process number, `/exit/N` ends it with that code, `/health` answers
//! 200, before it is ready 503. `/say` answers what stands in the file of `--say FILE`, however long, `/slow` does not
//! answer for three seconds. A POST to `/shutdown` ends it well, one to `/refuse` is answered with 500. After
//! `/hang` it answers nothing any more.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::ExitCode;
use std::time::{Duration, Instant};

fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let port: u16 = option("--port").ok_or("--port is missing")?.parse()?;
    let version = option("--version").unwrap_or_else(|| "1".to_owned());
    let ready_after = Duration::from_millis(option("--ready-after").map_or(Ok(0), |text| text.parse())?);
    let began = Instant::now();
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    writeln!(std::io::stdout(), "listening on {port}")?;
    for connection in listener.incoming() {
        let mut connection = connection?;
        let mut line = String::new();
        let mut question = BufReader::new(&connection);
        question.read_line(&mut line)?;
        // To the end of its head: to close on what is unread would reset the connection.
        let mut rest = String::new();
        while question.read_line(&mut rest).is_ok_and(|count| count > 2) {
            rest.clear();
        }
        drop(question);
        let path = line.split(' ').nth(1).unwrap_or("/");
        let (status, body) = match path {
            "/version" => ("200 OK", version.clone()),
            "/pid" => ("200 OK", std::process::id().to_string()),
            "/say" => {
                ("503 Service Unavailable", std::fs::read_to_string(option("--say").unwrap_or_default())?)
            }
            "/slow" => {
                std::thread::sleep(Duration::from_secs(3));
                ("200 OK", "{}".to_owned())
            }
            "/health" if began.elapsed() < ready_after => ("503 Service Unavailable", "not yet".to_owned()),
            "/health" => ("200 OK", "well".to_owned()),
            "/shutdown" if line.starts_with("POST") => ("202 Accepted", String::new()),
            "/refuse" => ("500 Internal Server Error", String::new()),
            "/hang" => ("200 OK", String::new()),
            _ => ("404 Not Found", String::new()),
        };
        if let Some(code) = path.strip_prefix("/exit/") {
            return Ok(ExitCode::from(code.parse::<u8>()?));
        }
        let length = body.len();
        // Who asked may have gone.
        let _ = write!(
            connection,
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        match path {
            "/shutdown" if status.starts_with("202") => {
                writeln!(std::io::stdout(), "asked to end")?;
                return Ok(ExitCode::SUCCESS);
            }
            "/hang" => {
                // The connection is closed, so that whoever asked for this has its answer.
                drop(connection);
                loop {
                    std::thread::park();
                }
            }
            _ => {}
        }
    }
    Ok(ExitCode::SUCCESS)
}
