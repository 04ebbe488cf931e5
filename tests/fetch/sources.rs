//! The places where an archive may come from.

use serde_json::json;

use crate::ground::Ground;
use crate::server::{Reply, Server, found};

#[test]
fn the_manifest_says_where_each_version_is() {
    let ground = Ground::new(&json!({}));
    let (one, two) = (ground.archive("1.0.0", 1), ground.archive("1.1.0", 1));
    let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    let files = vec![
        (format!("v1.0.0/server-{platform}.tar.gz"), one.bytes.clone()),
        (format!("v1.1.0/server-{platform}.tar.gz"), two.bytes.clone()),
    ];
    let server = Server::of(files);
    let url = server.address("v{version}/server-{os}-{arch}.tar.gz");
    ground.declare(&json!({ "url": url }));
    ground.run(&["install", "--no-start"]).fails(2, "`--version`");
    ground.declare(&json!({ "url": url, "version": "1.0.0", "sha256": one.digest() }));
    let shown = ground.run(&["install", "--no-start", "--dry-run"]).good();
    assert!(shown.out.contains("server-1.0.0"), "{shown:?}");
    ground.untouched();
    ground.run(&["install", "--no-start"]).good();
    assert_eq!(ground.active_digest(), one.digest());
    // It is here already: nothing is fetched.
    let before = server.asked(".gz").len();
    ground.run(&["install", "--no-start"]).good();
    assert_eq!(server.asked(".gz").len(), before);
    ground.run(&["upgrade", "--yes"]).fails(2, "version 1.0.0 is active");
    ground.run(&["upgrade", "--yes", "--version", "2.0.0"]).fails(1, "there is nothing at");
    ground.run(&["upgrade", "--yes", "--version", "1.1.0"]).good();
    assert_eq!(ground.active_digest(), two.digest());
    let manifest = std::fs::read_to_string(ground.place.deploy().join("mainstay.json")).unwrap();
    assert!(manifest.contains("\"1.1.0\"") && manifest.contains(&two.digest()), "{manifest}");
    let source = ground.receipt().activations.last().unwrap().source.clone().unwrap();
    assert_eq!(source.archive, server.address(&format!("v1.1.0/server-{platform}.tar.gz")));
    assert_eq!(source.signed_by, None);
}

#[test]
fn an_edited_manifest_is_what_an_upgrade_brings() {
    let ground = Ground::new(&json!({}));
    let (one, two) = (ground.archive("1.0.0", 1), ground.archive("1.1.0", 1));
    let server =
        Server::of(vec![(one.name.clone(), one.bytes.clone()), (two.name.clone(), two.bytes.clone())]);
    let url = server.address("server-{version}.tar.gz");
    ground.declare(&json!({ "url": url, "version": "1.0.0" }));
    ground.run(&["install", "--no-start"]).good();
    // The digest in the manifest is that of the version in it: another archive is refused.
    ground.declare(&json!({ "url": url, "version": "1.1.0", "sha256": one.digest() }));
    ground.run(&["upgrade", "--yes"]).fails(5, "the manifest says");
    assert_eq!(ground.active_digest(), one.digest());
    ground.declare(&json!({ "url": url, "version": "1.1.0", "sha256": two.digest() }));
    ground.run(&["upgrade", "--yes"]).good();
    assert_eq!(ground.active_digest(), two.digest());
}

#[test]
fn a_folder_on_a_host_without_a_network_gives_its_newest() {
    let ground = Ground::new(&json!({}));
    let drop = ground.place.top().join("drop");
    std::fs::create_dir(&drop).unwrap();
    for version in ["0.9.0", "0.10.0", "0.10.1"] {
        let archive = ground.archive(version, 1);
        std::fs::copy(&archive.path, drop.join(&archive.name)).unwrap();
    }
    std::fs::rename(drop.join("server-0.10.1.tar.gz"), drop.join("other-0.10.1.tar.gz")).unwrap();
    ground.run(&["install", "--no-start", "--from", drop.as_str(), "--version", "0.9.0"]).good();
    assert_eq!(ground.receipt().active().unwrap().version.as_str(), "0.9.0");
    ground.run(&["upgrade", "--yes", "--from", drop.as_str()]).good();
    assert_eq!(ground.receipt().active().unwrap().version.as_str(), "0.10.0");
    std::fs::write(drop.join("server-nightly.tar.gz"), "").unwrap();
    let words = "`server-0.10.0.tar.gz`, `server-0.9.0.tar.gz`, `server-nightly.tar.gz`";
    ground.run(&["upgrade", "--yes", "--from", drop.as_str()]).fails(2, words);
    ground
        .run(&["upgrade", "--yes", "--from", drop.as_str(), "--version", "3.0.0"])
        .fails(2, "version 3.0.0");
}

#[test]
fn an_archive_may_come_on_standard_input() {
    let ground = Ground::new(&json!({}));
    let archive = ground.archive("1.0.0", 1);
    let digest = archive.digest();
    let other = "0".repeat(64);
    let install = ["install", "--no-start", "--from", "-", "--sha256"];
    ground.run_with(&[&install[..], &[&other]].concat(), Some(&archive.bytes)).fails(5, &digest);
    ground.untouched();
    ground.run_with(&[&install[..], &[&digest]].concat(), Some(&archive.bytes)).good();
    assert_eq!(ground.active_digest(), digest);
    assert_eq!(ground.receipt().active().unwrap().source.clone().unwrap().archive, "standard input");
    ground.run_with(&["upgrade", "--yes", "--from", "-"], Some(b"no archive")).fails(5, "standard input");
}

#[test]
fn an_address_may_be_that_of_a_file() {
    let ground = Ground::new(&json!({}));
    let archive = ground.archive("1.0.0", 1);
    ground.install(&format!("file://{}", archive.path)).good();
    assert_eq!(ground.active_digest(), archive.digest());
    let newer = ground.archive("1.1.0", 1);
    ground.declare(&json!({ "url": format!("file://{}", newer.path).replace("1.1.0", "{version}") }));
    ground.run(&["upgrade", "--yes", "--version", "1.1.0"]).good();
    assert_eq!(ground.active_digest(), newer.digest());
}

#[test]
fn what_can_not_be_fetched_is_said_before_anything_is_tried() {
    let ground = Ground::new(&json!({}));
    ground.install("ftp://example.com/a.tar.gz").fails(2, "is no address");
    ground.install("https://example.com/{name}.tar.gz").fails(2, "is no address");
    ground.install("https://example.com/{version}.tar.gz").fails(2, "which version");
    ground.install("http://192.0.2.1/server-1.0.0.tar.gz").fails(4, "plain text");
    ground.run(&["install", "--from", "a", "--url", "https://example.com/a"]).fails(2, "cannot be used with");
    ground.untouched();
}

#[test]
fn sums_beside_an_archive_count() {
    let ground = Ground::new(&json!({}));
    let archive = ground.archive("1.0.0", 1);
    let wrong = "1".repeat(64);
    let sums = archive.path.with_file_name("SHA256SUMS");
    for (text, code, words) in [
        (format!("{wrong}  {}\n", archive.name), 5, "SHA256SUMS says"),
        (format!("SHA256 ({}) = {wrong}\n", archive.name), 5, "SHA256SUMS says"),
        ("what is this\n".to_owned(), 0, "says nothing about the archive: its line 1"),
        (format!("{wrong}  other.tar.gz\n{} *{}\n", archive.digest(), archive.name), 0, ""),
    ] {
        let bytes = archive.bytes.clone();
        let (name, list) = (archive.name.clone(), text.clone());
        let server = Server::new(move |asked| match asked.path.ends_with("SHA256SUMS") {
            true => Reply::file(list.as_bytes()),
            false => found(&[(name.clone(), bytes.clone())], asked),
        });
        std::fs::write(&sums, &text).unwrap();
        for address in [format!("file://{}", archive.path), server.address(&archive.name)] {
            let ground = Ground::new(&json!({}));
            let output = ground.install(&address);
            assert!(output.code == Some(code) && output.err.contains(words), "{text} {output:?}");
            if code != 0 {
                ground.untouched();
            }
        }
    }
    std::fs::write(&sums, format!("{}  {}\n", archive.digest(), archive.name)).unwrap();
    let output = ground.run(&["install", "--no-start", "--from", archive.path.as_str(), "--sha256", &wrong]);
    output.fails(5, "`--sha256` says");
    let output = ground.run(&["install", "--no-start", "--verbose", "--from", archive.path.as_str()]).good();
    assert!(output.err.contains(&format!("is not signed; its sha256 is {}", archive.digest())), "{output:?}");
}
