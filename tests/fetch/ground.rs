//! A deploy folder whose manifest names an address, and archives of several versions.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use camino::Utf8PathBuf;
use mainstay::model::digest::Digest;
use mainstay::model::receipt::Receipt;
use mainstay::package::pack;
use serde_json::{Value, json};

use crate::real::{MAINSTAY, Output, Place};

/// The bytes of an archive, and what they are called.
#[derive(Clone)]
pub(crate) struct Archive {
    pub(crate) name: String,
    pub(crate) path: Utf8PathBuf,
    pub(crate) bytes: Vec<u8>,
}

impl Archive {
    pub(crate) fn digest(&self) -> String {
        Digest::of(&self.bytes).to_string()
    }
}

/// A place with a manifest that can be rewritten.
pub(crate) struct Ground {
    pub(crate) place: Place,
    environment: Vec<(String, String)>,
}

impl Ground {
    /// `package` is laid over the manifest's own.
    pub(crate) fn new(package: &Value) -> Self {
        let ground = Self { place: Place::new(), environment: Vec::new() };
        ground.declare(package);
        ground
    }

    pub(crate) fn declare(&self, package: &Value) {
        let mut manifest = json!({
            "name": "web", "platform": "embedded",
            "package": { "name": "server", "download": { "timeout": "2s", "retries": 3 } },
            "service": { "command": ["{package}/bin/server"], "ready": { "delay": "0s" } },
        });
        for (key, value) in package.as_object().unwrap() {
            manifest["package"][key] = value.clone();
        }
        let path = self.place.deploy().join("mainstay.json");
        std::fs::write(path, serde_json::to_string_pretty(&manifest).unwrap()).unwrap();
    }

    /// A variable of the commands that follow.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// An archive of some size; `salt` makes different bytes of the same version.
    pub(crate) fn archive(&self, version: &str, salt: u64) -> Archive {
        let name = format!("server-{version}.tar.gz");
        let folder = self.place.top().join(format!("archives-{salt}"));
        let source = self.place.top().join(format!("source-{version}-{salt}"));
        std::fs::create_dir_all(source.join("bin")).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        let program = source.join("bin/server");
        std::fs::write(&program, "#!/bin/sh\nexec sleep 1000\n").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(source.join("noise"), noise(salt, 400_000)).unwrap();
        let description = json!({ "component": "server", "version": version }).to_string();
        std::fs::write(source.join("mainstay-package.json"), description).unwrap();
        let path = folder.join(&name);
        if !path.exists() {
            pack::pack(&source, &path).unwrap();
        }
        Archive { name, bytes: std::fs::read(&path).unwrap(), path }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(MAINSTAY, &self.place.deploy());
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        command.args(arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, None)
    }

    /// With something on standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: Option<&[u8]>) -> Output {
        let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut command = self.command(arguments);
        let mut child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if let Some(input) = input {
            // It may end without reading all of it.
            let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input);
        }
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Output { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Installs from an address, without a start.
    pub(crate) fn install(&self, address: &str) -> Output {
        self.run(&["install", "--no-start", "--url", address])
    }

    pub(crate) fn receipt(&self) -> Receipt {
        let text = std::fs::read_to_string(self.place.layout.receipt(&"web".parse().unwrap())).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// The digest of the active version's archive.
    pub(crate) fn active_digest(&self) -> String {
        self.receipt().active().unwrap().digest.unwrap().to_string()
    }

    /// What is kept of downloads: the sizes of their files.
    pub(crate) fn parts(&self) -> Vec<u64> {
        let folder = self.place.layout.downloads(&"web".parse().unwrap());
        let entries = std::fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
        let parts = entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(".part"));
        parts.map(|part| part.metadata().unwrap().len()).collect()
    }

    /// That nothing is installed, and nothing lies about.
    pub(crate) fn untouched(&self) {
        assert!(!self.place.layout.install(&"web".parse().unwrap()).exists(), "something was left");
        assert!(!self.place.layout.receipt(&"web".parse().unwrap()).exists(), "it counts as installed");
    }
}

/// Bytes that do not pack, the same for the same seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}
