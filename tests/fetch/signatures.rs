//! Signatures: made with minisign's own library, and for the old kind by hand.

use minisign::KeyPair;
use serde_json::{Value, json};

use crate::ground::{Archive, Ground};
use crate::real::Output;
use crate::server::Server;

const COMMENT: &str = "name:server version:1.0.0";

fn key() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().unwrap()
}

/// The second line of a `.pub` file.
fn public(key: &KeyPair) -> String {
    key.pk.to_base64()
}

fn signature(key: &KeyPair, bytes: &[u8], comment: &str) -> String {
    minisign::sign(Some(&key.pk), &key.sk, bytes, Some(comment), None).unwrap().to_string()
}

/// Lays a signature beside an archive.
fn sign(key: &KeyPair, archive: &Archive, comment: &str) {
    lay(archive, &signature(key, &archive.bytes, comment));
}

fn lay(archive: &Archive, text: &str) {
    std::fs::write(format!("{}.minisig", archive.path), text).unwrap();
}

fn pinned(key: &KeyPair) -> Value {
    json!({ "publicKey": public(key) })
}

fn install(ground: &Ground, archive: &Archive) -> Output {
    ground.run(&["install", "--no-start", "--from", archive.path.as_str()])
}

fn upgrade(ground: &Ground, archive: &Archive) -> Output {
    ground.run(&["upgrade", "--yes", "--from", archive.path.as_str()])
}

#[test]
fn a_good_signature_lets_an_archive_in_and_is_recorded() {
    let key = key();
    let ground = Ground::new(&pinned(&key));
    let archive = ground.archive("1.0.0", 1);
    sign(&key, &archive, COMMENT);
    let output = install(&ground, &archive).good();
    assert!(!output.err.contains("not signed"), "{output:?}");
    let receipt = ground.receipt();
    assert_eq!(receipt.public_key.as_ref().unwrap().as_str(), public(&key));
    let source = receipt.active().unwrap().source.clone().unwrap();
    assert_eq!(source.signed_by.unwrap().as_str(), public(&key));
    let history = ground.run(&["history", "--json"]).good();
    assert!(history.out.contains(&public(&key)), "{history:?}");
}

#[test]
fn a_signature_is_fetched_with_its_archive_or_named() {
    let key = key();
    let ground = Ground::new(&pinned(&key));
    let archive = ground.archive("1.0.0", 1);
    let text = signature(&key, &archive.bytes, COMMENT);
    let server = Server::of(vec![(archive.name.clone(), archive.bytes.clone())]);
    // Without one, the archive is not even asked for: the answer is the same.
    ground.install(&server.address(&archive.name)).fails(5, "is not signed");
    ground.untouched();
    let named = ground.place.top().join("named");
    std::fs::write(&named, &text).unwrap();
    let input = ["install", "--no-start", "--from", "-", "--signature", named.as_str()];
    ground.run_with(&input, Some(&archive.bytes[1..])).fails(5, "does not fit");
    ground.run_with(&input, Some(&archive.bytes)).good();
    let newer = ground.archive("1.1.0", 1);
    let text = signature(&key, &newer.bytes, "name:server version:1.1.0");
    let server = Server::of(vec![
        (newer.name.clone(), newer.bytes.clone()),
        (format!("{}.minisig", newer.name), text.into_bytes()),
    ]);
    ground.run(&["upgrade", "--yes", "--url", &server.address(&newer.name)]).good();
    assert_eq!(ground.active_digest(), newer.digest());
}

#[test]
fn whatever_does_not_vouch_for_this_archive_is_refused() {
    let (mine, other) = (key(), key());
    let ground = Ground::new(&pinned(&mine));
    let (archive, another) = (ground.archive("1.0.0", 1), ground.archive("1.0.0", 2));
    let good = signature(&mine, &archive.bytes, COMMENT);
    let cases = [
        ("nothing", None, "is not signed"),
        ("another key", Some(signature(&other, &archive.bytes, COMMENT)), "with another key"),
        ("another archive", Some(signature(&mine, &another.bytes, COMMENT)), "does not fit"),
        (
            "another name",
            Some(signature(&mine, &archive.bytes, "name:others version:1.0.0")),
            "the name `others`",
        ),
        (
            "another version",
            Some(signature(&mine, &archive.bytes, "name:server version:0.9.0")),
            "the version `0.9.0`",
        ),
        ("no word of it", Some(signature(&mine, &archive.bytes, "file:server-1.0.0.tar.gz")), "no one name"),
        (
            "two words of it",
            Some(signature(&mine, &archive.bytes, "name:server version:1.0.0 version:2.0.0")),
            "no one version",
        ),
        ("a changed comment", Some(good.replace("version:1.0.0", "version:1.0.1")), "does not fit"),
        ("no signature", Some("hello\n".to_owned()), "is none"),
        ("an empty one", Some(String::new()), "is none"),
        ("too large a one", Some("x".repeat(1 << 20)), "larger than"),
    ];
    for (what, text, words) in cases {
        let _ = std::fs::remove_file(format!("{}.minisig", archive.path));
        if let Some(text) = text {
            lay(&archive, &text);
        }
        let code = if what == "too large a one" { 1 } else { 5 };
        let output = install(&ground, &archive);
        assert!(output.code == Some(code) && output.err.contains(words), "{what}: {output:?}");
        ground.untouched();
    }
    lay(&archive, &good);
    install(&ground, &archive).good();
    // An upgrade is as strict: the old version stays.
    let newer = ground.archive("1.1.0", 1);
    upgrade(&ground, &newer).fails(5, "is not signed");
    sign(&mine, &newer, COMMENT);
    upgrade(&ground, &newer).fails(5, "the version `1.0.0`, not for the version `1.1.0`");
    assert_eq!(ground.active_digest(), archive.digest());
}

#[test]
fn another_key_counts_by_the_old_ones_word_only() {
    let (old, new, third) = (key(), key(), key());
    let ground = Ground::new(&pinned(&old));
    let one = ground.archive("1.0.0", 1);
    sign(&old, &one, COMMENT);
    install(&ground, &one).good();

    ground.declare(&pinned(&new));
    let refused = ground.run(&["apply", "--yes"]).fails(4, "the manifest now names the key");
    assert!(refused.err.contains("mainstay uninstall"), "{refused:?}");
    let two = ground.archive("1.1.0", 1);
    let comment = "name:server version:1.1.0";
    upgrade(&ground, &two).fails(4, "the manifest now names the key");
    for (by, comment, code) in [
        (&new, comment.to_owned(), 4),
        (&old, comment.to_owned(), 4),
        (&old, format!("{comment} key:{}", public(&third)), 4),
        (&new, format!("{comment} key:{}", public(&new)), 4),
        (&old, format!("name:server version:1.0.0 key:{}", public(&new)), 5),
    ] {
        sign(by, &two, &comment);
        upgrade(&ground, &two).fails(code, "error");
        assert_eq!(ground.receipt().public_key.unwrap().as_str(), public(&old));
    }
    ground.declare(&json!({}));
    upgrade(&ground, &two).fails(4, "the manifest now names none");
    ground.run(&["apply", "--yes"]).fails(4, "the manifest now names none");

    ground.declare(&pinned(&new));
    sign(&old, &two, &format!("{comment} key:{}", public(&new)));
    upgrade(&ground, &two).good();
    let receipt = ground.receipt();
    assert_eq!(receipt.public_key.unwrap().as_str(), public(&new));
    let three = ground.archive("1.2.0", 1);
    sign(&old, &three, "name:server version:1.2.0");
    upgrade(&ground, &three).fails(5, "with another key");
    sign(&new, &three, "name:server version:1.2.0");
    upgrade(&ground, &three).good();

    // The way back is open whatever the manifest says, and changes no trust.
    ground.declare(&json!({}));
    ground.run(&["upgrade", "--rollback", "--yes"]).good();
    assert_eq!(ground.receipt().public_key.unwrap().as_str(), public(&new));
    // The way out.
    ground.run(&["uninstall", "--yes"]).good();
    let four = ground.archive("1.3.0", 1);
    install(&ground, &four).good();
    assert_eq!(ground.receipt().public_key, None);
}

#[test]
fn signatures_of_the_old_kind_are_verified_too() {
    let secret = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let sign = |bytes: &[u8]| rcgen::SigningKey::sign(&secret, bytes).unwrap();
    let number = *b"01234567";
    let public = base64(&[b"Ed", &number[..], rcgen::PublicKeyData::der_bytes(&secret)].concat());
    let ground = Ground::new(&json!({ "publicKey": public }));
    let archive = ground.archive("1.0.0", 1);
    let over_file = sign(&archive.bytes);
    let over_all = sign(&[&over_file[..], COMMENT.as_bytes()].concat());
    let first = base64(&[b"Ed", &number[..], &over_file[..]].concat());
    let text =
        format!("untrusted comment: old\n{first}\ntrusted comment: {COMMENT}\n{}\n", base64(&over_all));
    lay(&archive, &text.replace("version:1.0.0", "version:1.0.1"));
    install(&ground, &archive).fails(5, "does not fit");
    lay(&archive, &text);
    install(&ground, &archive).good();
    assert_eq!(ground.active_digest(), archive.digest());
}

#[test]
fn a_signature_without_a_key_is_not_taken_for_one() {
    let key = key();
    let ground = Ground::new(&json!({}));
    let archive = ground.archive("1.0.0", 1);
    sign(&key, &archive, COMMENT);
    let file = format!("{}.minisig", archive.path);
    let with = ["install", "--no-start", "--from", archive.path.as_str(), "--signature", &file];
    ground.run(&with).fails(2, "package.publicKey");
    let output = install(&ground, &archive).good();
    assert!(output.err.contains("is not signed"), "{output:?}");
}

#[test]
fn a_tree_that_is_here_proves_no_less_than_an_archive() {
    let key = key();
    let ground = Ground::new(&json!({}));
    let (one, two, other) =
        (ground.archive("1.0.0", 1), ground.archive("1.1.0", 1), ground.archive("1.1.0", 2));
    install(&ground, &one).good();
    upgrade(&ground, &two).good();
    ground.run(&["upgrade", "--yes", "--to", "1.0.0", "--force"]).good();
    let to = |more: &[&str]| ground.run(&[&["upgrade", "--yes", "--version", "1.1.0"], more].concat());
    to(&["--sha256", &other.digest()]).fails(5, "`--sha256` says");
    to(&["--signature", "some"]).fails(2, "`--signature`");
    assert_eq!(ground.active_digest(), one.digest());
    // The manifest was corrected after the wrong archive of that version had been unpacked.
    ground.declare(&json!({ "version": "1.1.0", "sha256": other.digest() }));
    ground.run(&["upgrade", "--yes"]).fails(5, "the manifest says");
    let server = Server::of(vec![(other.name.clone(), other.bytes.clone())]);
    let url = server.address("server-{version}.tar.gz");
    ground.declare(&json!({ "url": url, "version": "1.1.0", "sha256": other.digest() }));
    ground.run(&["upgrade", "--yes"]).fails(4, "1.1.0");
    assert_eq!(ground.active_digest(), one.digest());
    ground.run(&["upgrade", "--yes", "--force"]).good();
    assert_eq!(ground.active_digest(), other.digest());

    // The first key counts for whatever becomes active from now on, and what runs already goes on.
    ground.declare(&json!({ "publicKey": public(&key), "version": "1.1.0" }));
    ground.run(&["upgrade", "--yes", "--to", "1.0.0", "--force"]).fails(5, "nobody has verified");
    assert_eq!(ground.receipt().public_key, None);
    ground.run(&["apply", "--yes"]).good();
    assert_eq!(ground.receipt().public_key.unwrap().as_str(), public(&key));
    sign(&key, &other, "name:server version:1.1.0");
    upgrade(&ground, &other).good();
    assert_eq!(ground.receipt().public_key.unwrap().as_str(), public(&key));
    ground.run(&["apply", "--yes"]).good();
}

#[test]
fn packing_says_how_to_sign() {
    let ground = Ground::new(&json!({}));
    ground.archive("1.0.0", 1);
    let folder = ground.place.top().join("source-1.0.0-1");
    let output = ground.run(&["pack", folder.as_str()]).good();
    let words = "minisign -Sm server-1.0.0.tar.gz -t 'name:server version:1.0.0'";
    assert!(output.err.contains(words), "{output:?}");
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = usize::try_from(group >> (18 - 6 * place) & 63).unwrap();
            text.push(if place <= chunk.len() { ALPHABET[index] as char } else { '=' });
        }
    }
    text
}
