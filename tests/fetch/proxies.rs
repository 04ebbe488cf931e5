//! Proxies, and ways that are not encrypted.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::encryption::Authority;
use crate::ground::Ground;
use crate::server::{Server, found};

/// A proxy for encrypted ways: joins the two ends whatever the name, and remembers what it was asked.
fn tunnel(to: u16) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = asked.clone();
    std::thread::spawn(move || {
        for mut near in listener.incoming().flatten() {
            let log = log.clone();
            std::thread::spawn(move || {
                let (mut head, mut byte) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && near.read(&mut byte).unwrap_or(0) == 1 {
                    head.push(byte[0]);
                }
                log.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
                let mut far = TcpStream::connect(("127.0.0.1", to)).unwrap();
                near.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
                let (mut back_from, mut back_to) = (far.try_clone().unwrap(), near.try_clone().unwrap());
                let back = std::thread::spawn(move || std::io::copy(&mut back_from, &mut back_to));
                let _ = std::io::copy(&mut near, &mut far);
                let _ = far.shutdown(std::net::Shutdown::Write);
                let _ = back.join();
            });
        }
    });
    (port, asked)
}

#[test]
fn an_encrypted_way_goes_through_a_proxy() {
    let authority = Authority::new();
    let ground = Ground::new(&json!({ "download": { "ca": "ca.pem", "retries": 0, "timeout": "5s" } }));
    let archive = ground.archive("1.0.0", 1);
    let files = vec![(archive.name.clone(), archive.bytes.clone())];
    let config = authority.server("packages.example.com", false);
    let server = Server::encrypted(config, move |asked| found(&files, asked));
    authority.write(&ground);
    let (port, asked) = tunnel(server.port);
    // Only the proxy knows the name.
    let ground = ground.with("HTTPS_PROXY", format!("http://me:S3CRET@127.0.0.1:{port}"));
    let address = format!("https://packages.example.com/{}", archive.name);
    ground.install(&address).good();
    assert_eq!(ground.active_digest(), archive.digest());
    let asked = asked.lock().unwrap();
    assert!(asked[0].starts_with("CONNECT packages.example.com:443 "), "{asked:?}");
    assert!(asked[0].to_lowercase().contains("proxy-authorization: basic"), "{asked:?}");
}

#[test]
fn a_plain_way_goes_through_a_proxy_only_where_the_bytes_are_pinned() {
    let ground = Ground::new(&json!({ "download": { "retries": 0 } }));
    let archive = ground.archive("1.0.0", 1);
    let proxy = Server::of(vec![(archive.name.clone(), archive.bytes.clone())]);
    for variable in ["HTTP_PROXY", "ALL_PROXY"] {
        let ground = Ground::new(&json!({ "download": { "retries": 0 } })).with(
            if variable == "HTTP_PROXY" { "http_proxy" } else { variable },
            format!("http://127.0.0.1:{}", proxy.port),
        );
        let address = format!("http://packages.example.com/{}", archive.name);
        let output = ground.install(&address).fails(4, "plain text");
        assert!(output.err.contains("--sha256"), "{output:?}");
        ground.untouched();
        let digest = archive.digest();
        ground.run(&["install", "--no-start", "--url", &address, "--sha256", &digest]).good();
        assert_eq!(proxy.asked(&archive.name).last().unwrap().path, address);
        assert_eq!(ground.active_digest(), digest);
    }
}

#[test]
fn what_needs_no_proxy_goes_without_one() {
    let ground = Ground::new(&json!({ "download": { "retries": 0 } }));
    let archive = ground.archive("1.0.0", 1);
    let server = Server::of(vec![(archive.name.clone(), archive.bytes.clone())]);
    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let ground = ground.with("HTTP_PROXY", format!("http://127.0.0.1:{nobody}"));
    ground.install(&server.address(&archive.name)).fails(1, "can't be reached");
    let ground = ground.with("NO_PROXY", "example.com,127.0.0.1");
    ground.install(&server.address(&archive.name)).good();
    assert_eq!(ground.active_digest(), archive.digest());
}
