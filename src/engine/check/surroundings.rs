//! What a manifest names and this host does not have: no fault of the manifest, since the host may be another one, or
//! have it later.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::account::AccountError;
use crate::host::{account, environment, files, listening, remedy, untrusted};
use crate::model::document::Document;
use crate::model::doubt::of_path;
use crate::model::environment_file;
use crate::model::manifest::{Manifest, PlatformKind, Scope};
use crate::model::position::Segment;
use crate::model::problem::Problem;
use crate::model::socket::Listen;
use crate::model::token::{expand_variables, replace, words};

/// What this host lacks of what a manifest in a folder names, with the rights of the folder's owner.
pub(super) fn lacking(manifest: &Manifest, document: &Document, folder: &Utf8Path) -> Vec<Problem> {
    let owner = files::facts(folder).ok().flatten().and_then(|facts| account::by_uid(facts.uid).ok());
    let mut look = Look { manifest, document, folder, found: Vec::new() };
    look.accounts();
    look.ports();
    let found = account::acting_as(owner.as_ref(), || {
        look.files();
        look.programs();
        look.found
    });
    found.unwrap_or_default()
}

struct Look<'a> {
    manifest: &'a Manifest,
    document: &'a Document,
    folder: &'a Utf8Path,
    found: Vec<Problem>,
}

impl Look<'_> {
    fn doubt(&mut self, path: &[Segment], message: String) {
        self.found.push(self.document.problem(path, message).warning());
    }

    fn accounts(&mut self) {
        let service = &self.manifest.service;
        if let Some(name) = &service.user
            && matches!(account::by_name(name), Err(AccountError::Unknown(_)))
        {
            self.doubt(&["service".into(), "user".into()], format!("this host has no account `{name}`"));
        }
        if let Some(name) = &service.group
            && matches!(account::group(name), Err(AccountError::UnknownGroup(_)))
        {
            self.doubt(&["service".into(), "group".into()], format!("this host has no group `{name}`"));
        }
    }

    fn files(&mut self) {
        let service = &self.manifest.service;
        if let Some(path) = &service.environment_file {
            let place = ["service".into(), "environmentFile".into()];
            if self.exists(&place, path) {
                self.variables(&place, path);
            }
        }
        for (name, secret) in &service.secrets {
            let place = ["service".into(), "secrets".into(), name.as_str().into(), "file".into()];
            let path = self.folder.join(&secret.file);
            let facts = files::facts(&path).ok().flatten();
            if self.exists(&place, &secret.file)
                && facts.is_some_and(|facts| facts.kind == files::Kind::File && facts.mode & 0o004 != 0)
            {
                let message = format!(
                    "every account of this host can read the secret in `{}`: `{}`",
                    secret.file,
                    remedy::close_to_readers(&path)
                );
                self.doubt(&place, message);
            }
        }
        let download = &self.manifest.package.download;
        for (name, path) in [("ca", &download.ca), ("certificate", &download.certificate)] {
            if let Some(path) = path {
                self.exists(&["package".into(), "download".into(), name.into()], path);
            }
        }
        if let Some(path) = service.working_directory.as_deref().and_then(|text| self.known(text)) {
            self.exists(&["service".into(), "workingDirectory".into()], &path);
        }
    }

    /// What is wrong in the environment file, as the start would tell it, and a `PATH` that goes with an upgrade.
    fn variables(&mut self, place: &[Segment], path: &Utf8Path) {
        let Ok(Some(text)) = untrusted::read(&self.folder.join(path), environment_file::LARGEST) else {
            return self.doubt(place, format!("`{path}` can't be read, or is larger than 1 MiB"));
        };
        match environment_file::parse(&text) {
            Err(error) => self.doubt(place, format!("no start gets past this file: `{path}`: {error}")),
            Ok(variables) => {
                let paths = variables.iter().filter(|(name, _)| name.as_str() == "PATH");
                for doubt in paths.flat_map(|(_, value)| of_path(value)) {
                    self.doubt(place, format!("`PATH` in `{path}`: {doubt}"));
                }
            }
        }
    }

    fn programs(&mut self) {
        let service = &self.manifest.service;
        let hooks = &self.manifest.upgrade.hooks;
        let ready = service.ready.as_ref().and_then(|ready| ready.command.as_ref());
        let health = service.health.as_ref().and_then(|health| health.command.as_ref());
        let busy = service.idle.as_ref().and_then(|idle| idle.busy.as_ref());
        let commands = [
            ("service.command", service.command.as_ref()),
            ("service.onFailure", service.on_failure.as_ref()),
            ("service.ready.command", ready),
            ("service.health.command", health),
            ("service.idle.busy", busy),
            ("service.stop.command", service.stop.command.as_ref()),
            ("upgrade.hooks.beforeStop", hooks.before_stop.as_ref()),
            ("upgrade.hooks.migrate", hooks.migrate.as_ref()),
            ("upgrade.hooks.migrateBack", hooks.migrate_back.as_ref()),
            ("upgrade.hooks.afterStart", hooks.after_start.as_ref()),
        ];
        // Of a container they stand in its image.
        let in_image = self.manifest.platform == Some(PlatformKind::Compose);
        for (name, command) in
            commands.into_iter().filter(|(name, _)| !in_image || !name.starts_with("service."))
        {
            let Some(path) = command.and_then(|words| words.first()).and_then(|text| self.known(text)) else {
                continue;
            };
            let mut place: Vec<Segment> = name.split('.').map(Segment::from).collect();
            place.push(0.into());
            if self.exists(&place, &path)
                && let Ok(Some(facts)) = files::facts(&files::canonical(&path).unwrap_or(path.clone()))
                && (facts.kind != files::Kind::File || facts.mode & 0o111 == 0)
            {
                self.doubt(&place, format!("`{path}` is no program: it can't be executed"));
            }
        }
    }

    /// The path that a text names, if it is known before anything is installed.
    fn known(&self, text: &str) -> Option<Utf8PathBuf> {
        let open = words(text)
            .into_iter()
            .any(|word| matches!(word, "package" | "config" | "data" | "logs" | "run"));
        let path = replace(text, |word| (word == "deploy").then(|| self.folder.to_string()));
        (!open && path.starts_with('/')).then(|| path.into())
    }

    fn exists(&mut self, place: &[Segment], path: &Utf8Path) -> bool {
        let whole = self.folder.join(path);
        // A link to nothing is nothing.
        let there = matches!(files::facts(&whole), Ok(Some(facts)) if facts.kind != files::Kind::Link || files::canonical(&whole).is_ok());
        if !there {
            self.doubt(place, format!("there is no `{whole}` on this host"));
        }
        there
    }

    /// Addresses at which somebody else listens: the start would fail. Where the instance is installed it is probably
    /// its own program.
    fn ports(&mut self) {
        let name = &self.manifest.name;
        let installed =
            [Scope::System, Scope::User].into_iter().filter_map(|scope| environment::layout(scope).ok());
        if installed.into_iter().any(|layout| layout.receipt(name).is_file()) {
            return;
        }
        let service = &self.manifest.service;
        let mut asked: Vec<(Vec<Segment>, SocketAddr)> = Vec::new();
        for (index, socket) in service.sockets.iter().flatten().enumerate() {
            if let Listen::Tcp(address) = socket.listen {
                asked
                    .push((vec!["service".into(), "sockets".into(), index.into(), "listen".into()], address));
            }
        }
        let ready = service.ready.as_ref();
        let probes = [
            ("http", ready.and_then(|ready| ready.http.as_ref())),
            ("tcp", ready.and_then(|ready| ready.tcp.as_ref())),
        ];
        for (kind, address) in probes {
            if let Some(address) = address.and_then(|text| self.local(text)) {
                asked.push((vec!["service".into(), "ready".into(), kind.into()], address));
            }
        }
        asked.dedup_by(|one, other| one.1 == other.1);
        for (place, address) in asked {
            if listening::is_taken(&address.to_string()) {
                let message = format!(
                    "somebody listens at `{address}` on this host already: the service could not start while that is so"
                );
                self.doubt(&place, message);
            }
        }
    }

    /// The address of this host that a probe asks, as far as the manifest says it.
    fn local(&self, text: &str) -> Option<SocketAddr> {
        let environment = &self.manifest.service.environment;
        let value = |name: &str| {
            environment.iter().find(|(known, _)| known.as_str() == name).map(|(_, value)| value.clone())
        };
        let text = expand_variables(text, value);
        let rest = text.strip_prefix("http://").unwrap_or(&text);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
            _ => (authority, 80),
        };
        let host: IpAddr = match host.trim_start_matches('[').trim_end_matches(']') {
            "localhost" => Ipv4Addr::LOCALHOST.into(),
            other => other.parse().ok()?,
        };
        (host.is_loopback() || host.is_unspecified()).then_some(SocketAddr::new(host, port))
    }
}
