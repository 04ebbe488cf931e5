//! Who has a port of this host.

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::files;

/// How `/proc/net/tcp` writes that a socket listens (proc(5)).
const LISTENS: &str = "0A";

/// The process that listens on a port, for people: `redis-server (process 811)`. `None`: nobody does, or the system
/// does not say, or not to this account.
#[must_use]
pub fn holder(port: u16) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let texts = tables.iter().filter_map(|table| files::read(Utf8Path::new(table)).ok().flatten());
    let sockets: Vec<String> = texts.flat_map(|text| listening(&text, port)).collect();
    if sockets.is_empty() {
        return None;
    }
    let processes = files::list(Utf8Path::new("/proc")).ok().flatten().unwrap_or_default();
    let mut numbers: Vec<u32> = processes.iter().filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    let number = numbers.into_iter().find(|number| {
        let folder = Utf8PathBuf::from(format!("/proc/{number}/fd"));
        let open = files::list(&folder).ok().flatten().unwrap_or_default();
        open.iter().any(|name| {
            let link = files::read_link(&folder.join(name)).ok().flatten();
            link.is_some_and(|link| sockets.contains(&link))
        })
    })?;
    let name =
        files::read(&Utf8PathBuf::from(format!("/proc/{number}/comm"))).ok().flatten().unwrap_or_default();
    Some(format!("{} (process {number})", name.trim()))
}

/// The sockets that listen on a port, as the links of their descriptors name them.
fn listening(table: &str, port: u16) -> Vec<String> {
    let wanted = format!(":{port:04X}");
    let lines = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let is_it = fields.get(1)?.ends_with(&wanted) && *fields.get(3)? == LISTENS;
        is_it.then(|| format!("socket:[{}]", fields.get(9).unwrap_or(&"")))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_sockets_is_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:3C58 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n   \
            1: 0100007F:3C58 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20 4 30 10 -1\n";
        assert_eq!(listening(table, 15448), ["socket:[4711]"]);
        assert!(listening(table, 40000).is_empty());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_found_by_its_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let found = holder(port).unwrap();
        assert!(found.ends_with(&format!("(process {})", std::process::id())), "{found}");
        drop(listener);
        assert_eq!(holder(port), None);
    }
}
