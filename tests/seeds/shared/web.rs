//! As much of HTTP as the seeds speak: short questions and answers in JSON.

use std::error::Error;
use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How long either side waits for the other.
const LIMIT: Duration = Duration::from_secs(3);
/// The longest body, in bytes.
const LONGEST: usize = 1 << 20;

/// What stands before the body: the first line, and how long the body is.
fn head(reader: &mut impl std::io::BufRead) -> Result<(String, usize)> {
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(number) = lower.strip_prefix("content-length:") {
            length = number.trim().parse()?;
        }
    }
    if length > LONGEST { Err("the body is too long".into()) } else { Ok((first, length)) }
}

fn body(reader: &mut impl std::io::Read, length: usize) -> Result<Value> {
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes)?;
    Ok(if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes)? })
}

fn answer(connection: &TcpStream, handler: &impl Fn(&str, &Value) -> (u16, Value)) -> Result<()> {
    connection.set_read_timeout(Some(LIMIT))?;
    let mut reader = BufReader::new(connection);
    let (first, length) = head(&mut reader)?;
    let asked = body(&mut reader, length)?;
    // `GET /health`, without the version that follows.
    let route = first.rsplit_once(' ').map_or(first.trim(), |(route, _)| route);
    let (status, said) = handler(route, &asked);
    let said = said.to_string();
    let words = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{said}",
        said.len()
    );
    let mut writer = connection;
    Ok(writer.write_all(words.as_bytes())?)
}

/// Answers on a port from now on: the handler is given method and path, and the body.
pub(crate) fn serve(
    port: u16,
    handler: impl Fn(&str, &Value) -> (u16, Value) + Send + Sync + 'static,
) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let handler = Arc::new(handler);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let handler = Arc::clone(&handler);
            // Who asks and goes away is nobody's trouble.
            std::thread::spawn(move || drop(answer(&connection, &*handler)));
        }
    });
    Ok(())
}

/// Asks somebody: `http://HOST:PORT`, then method and path.
pub(crate) fn ask(server: &str, route: &str, asked: &Value) -> Result<(u16, Value)> {
    let host = server.trim_start_matches("http://").trim_end_matches('/');
    let address = host.to_socket_addrs()?.next().ok_or("nobody has that name")?;
    let connection = TcpStream::connect_timeout(&address, LIMIT)?;
    connection.set_read_timeout(Some(LIMIT))?;
    let asked = asked.to_string();
    let words = format!("{route} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n\r\n{asked}", asked.len());
    let mut writer = &connection;
    writer.write_all(words.as_bytes())?;
    let mut reader = BufReader::new(&connection);
    let (first, length) = head(&mut reader)?;
    let status = first.split(' ').nth(1).unwrap_or_default().parse()?;
    Ok((status, body(&mut reader, length)?))
}
