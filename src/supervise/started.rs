//! What the program was started with, written down for whoever compares it with what is on the host now.

use crate::host::{identity, random, untrusted};
use crate::model::started::{FORMAT, Started};
use crate::supervise::context::Context;
use crate::supervise::program::Prepared;

/// The name of the file, beside the status.
const FILE: &str = "started.json";

/// Writes down what a program was started with. Where it can't be written nobody can compare, which keeps no program
/// from running.
pub(crate) fn record(context: &Context, prepared: &Prepared) {
    let Ok(salt) = salt() else { return };
    let value = |name: &String| prepared.environment.get(name).map(|value| value.as_encoded_bytes());
    let digest = |name: &String| Some((name.clone(), Started::digest(&salt, name, value(name)?)));
    let started = Started {
        format: FORMAT,
        supervisor: identity::own(),
        definition: context.definition.clone(),
        variables: prepared.given.iter().filter_map(digest).collect(),
        salt,
    };
    if let Ok(text) = serde_json::to_vec(&started) {
        let _ = untrusted::replace(&context.status.with_file_name(FILE), &text, 0o600);
    }
}

fn salt() -> std::io::Result<String> {
    let mut digits = random::hex32()?;
    digits.truncate(32);
    Ok(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::os::testing::PROGRAM;
    use crate::supervise::sample::Sample;

    #[test]
    fn what_came_from_files_is_written_down_and_no_value_of_it() {
        let mut sample = Sample::new(&[PROGRAM]);
        let (file, secret) = (sample.root.join("env"), sample.root.join("secret"));
        std::fs::write(&file, "PORT=4000\n").unwrap();
        std::fs::write(&secret, "hush-hush\n").unwrap();
        sample.context.spec.environment_file = Some(file);
        sample.context.spec.secrets.insert("KEY".to_owned().try_into().unwrap(), secret);
        record(&sample.context, &sample.prepared());
        let path = sample.context.status.with_file_name(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        let started: Started = serde_json::from_str(&text).unwrap();
        assert_eq!(started.variables.keys().collect::<Vec<_>>(), ["KEY", "PORT"]);
        assert_eq!(started.variables["KEY"], Started::digest(&started.salt, "KEY", b"hush-hush"));
        assert!(!text.contains("hush") && !text.contains("4000"), "{text}");
        #[cfg(unix)]
        {
            let found = std::fs::metadata(&path).unwrap().permissions();
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&found) & 0o777, 0o600);
        }
        record(&sample.context, &sample.prepared());
        let again: Started = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_ne!(again.salt, started.salt);
    }
}
