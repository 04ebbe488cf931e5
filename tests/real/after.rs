//! What has to be true of an instance whatever happened to a command: a whole version answers, every record fits
//! it, nothing is left unfinished, and a good upgrade follows.

use mainstay::model::name::InstanceName;
use mainstay::model::receipt::Receipt;
use serde_json::Value;

use super::{LONG, Place, await_some};

/// Checks all of it. `may` are the versions that may run.
pub(crate) fn in_order(place: &Place, name: &InstanceName, told: &str, may: &[&str]) {
    // With nobody to help: whoever guards the service has it running.
    await_some(told, LONG, || place.server());
    let recovered = place.run(&["recover"]);
    assert_eq!(recovered.code, Some(0), "{told}: {recovered:?}");
    assert!(place.journal(name).is_empty(), "{told}: {:?}", place.journal(name));
    await_some(told, LONG, || place.server());
    let version = runs(place, name, told);
    assert!(may.contains(&version.as_str()), "{told}: {version} runs");
    fits(place, name, told, &version);

    let before = place.print();
    place.run(&["recover"]).good();
    assert_eq!(before, place.print(), "{told}: the second recover changes something");
    await_some(told, LONG, || (place.run(&["status"]).code == Some(0)).then_some(()));
    let doctor = place.run(&["doctor", "--json"]);
    assert_eq!(doctor.code, Some(0), "{told}: {doctor:?}");
}

/// A good upgrade follows.
pub(crate) fn goes_on(place: &Place, name: &InstanceName, told: &str) {
    let next = place.run(&["upgrade", "--yes", "--from", &place.archive("9.0.0")]);
    assert_eq!(next.code, Some(0), "{told}: the next upgrade: {next:?}");
    assert_eq!(runs(place, name, told), "9.0.0", "{told}");
    fits(place, name, told, "9.0.0");
}

fn runs(place: &Place, name: &InstanceName, told: &str) -> String {
    let tree = await_some(told, LONG, || place.running_tree(name));
    tree.trim_start_matches("server-").to_owned()
}

/// The link, the receipt, the tree and the history are of the version that runs.
fn fits(place: &Place, name: &InstanceName, told: &str, version: &str) {
    let tree = format!("server-{version}");
    let link = std::fs::read_link(place.layout.current(name, &"server".parse().unwrap())).unwrap();
    assert_eq!(link.to_str(), Some(tree.as_str()), "{told}");
    let receipt = std::fs::read(place.layout.receipt(name)).unwrap();
    let receipt: Receipt = serde_json::from_slice(&receipt).unwrap();
    assert_eq!(receipt.active().unwrap().version.as_str(), version, "{told}: the receipt");
    // A tree that a test made a version of holds its words and its program.
    let folder = place.layout.tree(name, &tree);
    let source = place.top().join(format!("source-{version}"));
    for file in ["words", "bin/server"] {
        let (found, made) =
            (std::fs::read(folder.join(file)).unwrap(), std::fs::read(source.join(file)).unwrap());
        assert!(found == made, "{told}: {file} of {tree} is not what its archive held");
    }
    let history = place.run(&["history", "--json"]).good().out;
    assert_eq!(told_by(&history).as_deref(), Ok(version), "{told}: {history}");
}

/// The version that runs by what the history says, folded from its beginning.
fn told_by(history: &str) -> Result<String, String> {
    let history: Value = serde_json::from_str(history).unwrap();
    let (mut version, mut before) = (None, None);
    for event in history["events"].as_array().unwrap() {
        let word = |key: &str| event[key].as_str().map(str::to_owned);
        match event["action"].as_str() {
            Some("installed" | "upgraded" | "rolled-back") => {
                if word("from") != version {
                    return Err(format!("{event} where {version:?} ran"));
                }
                version = word("to");
            }
            Some("uninstalled") => before = version.take(),
            Some("taken-back" | "undone" | "finished") => version = word("to").or(version).or(before.take()),
            _ => {}
        }
    }
    version.ok_or_else(|| "nothing was installed".to_owned())
}
