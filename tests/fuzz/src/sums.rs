//! Lists of digests, and signatures: what was written for a file is found, or the list contradicts itself.

use mainstay::model::digest::Digest;
use mainstay::package::signature::Signature;
use mainstay::package::sums::{SumsError, find};

pub fn run(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    let name = "server-1.2.3.tar.gz";
    let before = find(text, name);
    let digest = Digest::of(bytes);
    let added =
        [format!("{digest}  {name}"), format!("{digest} *./{name}"), format!("SHA256 ({name}) = {digest}")];
    for line in added {
        let found = find(&format!("{text}\n{line}\n"), name);
        match &before {
            Ok(Some(other)) if *other != digest => {
                assert_eq!(found, Err(SumsError::Contradiction(name.to_owned())), "{line}");
            }
            Err(SumsError::Contradiction(_)) => assert_eq!(found, before, "{line}"),
            // Lines that are none don't matter once the file is listed.
            _ => assert_eq!(found, Ok(Some(digest)), "{line}"),
        }
    }
    let _ = Signature::read("archive".into(), text);
}
