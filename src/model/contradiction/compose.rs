//! What a container can't be, or can't be asked for: its engine has no words for it, or nobody supervises it there.

use serde_json::Value;

use super::Check;
use crate::model::compose::Compose;
use crate::model::manifest::{Download, Logs, Manifest, PackageSource, PlatformKind, Systemd};
use crate::model::position::Segment;
use crate::model::service::{Hardening, RestartWhen, Service};
use crate::model::token::{NAMES, words};

/// The tokens that mean something in a container: these folders are seen in it under their own names.
const SEEN: [&str; 3] = ["config", "data", "deploy"];

impl Check<'_> {
    /// What has no meaning on platform `compose`.
    pub(super) fn compose(&mut self, manifest: &Manifest) {
        if manifest.compose.is_none() {
            let message = "a container needs an image: write `\"compose\": { \"image\": \"…\" }`";
            self.value(["platform"], message);
        }
        let name = manifest.name.as_str();
        if name.contains('.') {
            self.value(["name"], format!("`{name}` can't name a project of Compose: leave out the `.`"));
        }
        if manifest.systemd != Systemd::default() {
            self.key(["systemd"], "settings of systemd have no meaning on platform `compose`".to_owned());
        }
        self.supervised(&manifest.service);
        self.restarted_by_an_engine(&manifest.service);
        self.of_an_image(manifest);
        let logs = Logs { level: None, ..manifest.logs.clone() };
        if logs != Logs::default() {
            self.key(
                ["logs"],
                "on platform `compose` the engine keeps the logs, by its own settings".to_owned(),
            );
        }
        let Ok(root) = serde_json::from_str::<Value>(self.document.text()) else { return };
        for section in ["service", "compose"] {
            if let Some(value) = root.get(section) {
                self.seen_tokens(&mut vec![section.into()], value);
            }
        }
    }

    /// What needs a supervisor beside the program.
    fn supervised(&mut self, service: &Service) {
        let given = [
            ("supervision", service.supervision.is_some()),
            ("health", service.health.is_some()),
            ("schedule", service.schedule.is_some()),
            ("exitCodes", !service.exit_codes.is_empty()),
            ("onFailure", service.on_failure.is_some()),
            ("restartOnChange", service.restart_on_change.is_some()),
            ("idle", service.idle.is_some()),
            ("sockets", service.sockets.is_some()),
            ("overlap", service.overlap.is_some()),
            ("healthFile", service.health_file.is_some()),
            ("pidFile", service.pid_file.is_some()),
            ("detach", service.detach.is_some()),
        ];
        for (name, _) in given.into_iter().filter(|(_, given)| *given) {
            let message = format!("`{name}` is a supervisor's work, and on platform `compose` there is none");
            self.key(["service", name], message);
        }
        for (name, given) in
            [("http", service.stop.http.is_some()), ("command", service.stop.command.is_some())]
        {
            if given {
                let message =
                    format!("on platform `compose` a program is asked to end by a signal, not by `{name}`");
                self.key(["service", "stop", name], message);
            }
        }
        let ready = service.ready.as_ref();
        let unseen = [
            ("file", ready.is_some_and(|ready| ready.file.is_some())),
            ("notify", ready.is_some_and(|ready| ready.notify == Some(true))),
        ];
        for (name, _) in unseen.into_iter().filter(|(_, given)| *given) {
            let message = format!(
                "on platform `compose` nobody hears of `{name}`: ask by `http`, `tcp` or `command`, which is run in the container"
            );
            self.key(["service", "ready", name], message);
        }
        let inside = [
            ("user", service.user.is_some(), "the account is the image's: name another in `compose.user`"),
            ("group", service.group.is_some(), "the group is the image's: name another in `compose.user`"),
            ("umask", service.umask.is_some(), "the engine decides it"),
            (
                "hardening",
                service.hardening.is_some_and(|hardening| hardening != Hardening::Off),
                "the engine locks a container in, by its own settings",
            ),
        ];
        for (name, _, why) in inside.into_iter().filter(|(_, given, _)| *given) {
            self.key(["service", name], format!("`{name}` has no meaning on platform `compose`: {why}"));
        }
        if service.limits.nice.is_some() {
            let message = "Compose has no words for `nice`".to_owned();
            self.key(["service", "limits", "nice"], message);
        }
    }

    fn restarted_by_an_engine(&mut self, service: &Service) {
        let restart = &service.restart;
        let given = [
            ("delays", restart.delays.is_some()),
            ("limit", restart.limit.is_some()),
            ("window", restart.window.is_some()),
        ];
        for (name, _) in given.into_iter().filter(|(_, given)| *given) {
            let message = format!(
                "`{name}` has no meaning on platform `compose`: the engine has pauses of its own, and no limit"
            );
            self.key(["service", "restart", name], message);
        }
        let at_boot = service.boot != Some(false);
        match restart.when {
            Some(RestartWhen::Always) if !at_boot => {
                let message = "`always` and `\"boot\": false` exclude each other on platform `compose`: what an engine always starts again it starts at boot";
                self.value(["service", "restart", "when"], message);
            }
            Some(RestartWhen::OnFailure | RestartWhen::Never) if at_boot => {
                let message = "on platform `compose` what starts at boot is started again after every ending: write `always`, or `\"boot\": false`";
                self.value(["service", "restart", "when"], message);
            }
            Some(RestartWhen::Never) => {
                let message =
                    "on platform `compose` a program that fails is started again: write `on-failure`";
                self.value(["service", "restart", "when"], message);
            }
            _ => {}
        }
    }

    /// What belongs to an archive and its trees, or to a trial that somebody watches.
    fn of_an_image(&mut self, manifest: &Manifest) {
        let package = &manifest.package;
        if !matches!(package.source, PackageSource::Archive | PackageSource::Image) {
            self.value(["package", "source"], "on platform `compose` an image is run: leave `source` out");
        }
        let given = [
            ("url", package.url.is_some()),
            ("sha256", package.sha256.is_some()),
            ("publicKey", package.public_key.is_some()),
            ("download", package.download != Download::default()),
        ];
        for (name, _) in given.into_iter().filter(|(_, given)| *given) {
            let message = format!(
                "`{name}` has no meaning on platform `compose`: the engine fetches the image, by the digest in `compose.image`"
            );
            self.key(["package", name], message);
        }
        let upgrade = &manifest.upgrade;
        let unwatched = [
            ("trial", upgrade.trial.is_some(), "once it is ready nobody watches it, so there is no trial"),
            ("data", !upgrade.data.is_empty(), "mainstay takes no snapshots of what a container keeps"),
            ("migrateCompatible", upgrade.migrate_compatible.is_some(), "there is no migration"),
        ];
        for (name, _, why) in unwatched.into_iter().filter(|(_, given, _)| *given) {
            self.key(["upgrade", name], format!("`{name}` has no meaning on platform `compose`: {why}"));
        }
        let hooks = &upgrade.hooks;
        let hooks = [
            ("beforeStop", hooks.before_stop.is_some()),
            ("migrate", hooks.migrate.is_some()),
            ("migrateBack", hooks.migrate_back.is_some()),
            ("afterStart", hooks.after_start.is_some()),
        ];
        for (name, _) in hooks.into_iter().filter(|(_, given)| *given) {
            let message = format!("`{name}` is not run on platform `compose`");
            self.key(["upgrade", "hooks", name], message);
        }
        if let (Some(compose), Some(version)) = (&manifest.compose, &package.version)
            && compose.image.tag().is_some_and(|tag| tag != version.as_str())
        {
            let message = format!(
                "`{version}` is not the tag of `compose.image`: leave `version` out, or make them the same"
            );
            self.value(["package", "version"], message);
        }
    }

    /// What a container's own settings can't mean, on any platform.
    pub(super) fn container(&mut self, manifest: &Manifest, compose: &Compose) {
        if let Some(platform) = manifest.platform.filter(|platform| *platform != PlatformKind::Compose) {
            let message = format!(
                "a container has no meaning on platform `{platform}`: write `\"platform\": \"compose\"`"
            );
            self.key(["compose"], message);
            return;
        }
        if compose.network == crate::model::compose::Network::Host && !compose.ports.is_empty() {
            let message = "in the host's own network every port is open already: leave `ports` out";
            self.key(["compose", "ports"], message.to_owned());
        }
        for (index, port) in compose.ports.iter().enumerate() {
            if compose.ports.iter().take(index).any(|earlier| earlier == port) {
                let path = ["compose".into(), "ports".into(), index.into()];
                self.problems.push(self.document.problem(&path, format!("`{port}` stands twice")));
            }
        }
        for (index, volume) in compose.volumes.iter().enumerate() {
            let at = |name: &str| ["compose".into(), "volumes".into(), index.into(), name.into()];
            let named = |text: &str| {
                text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
                    && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            };
            if !volume.is_path() && !named(&volume.source) {
                let message = format!(
                    "`{}` is neither a path nor the name of a volume: a path begins with `/` or `./`",
                    volume.source
                );
                self.problems.push(self.document.problem(&at("source"), message));
            }
            if volume.is_path() && volume.external {
                let message = "`external` belongs to the name of a volume, not to a path";
                self.problems.push(self.document.key_problem(&at("external"), message.to_owned()));
            }
            if compose.volumes.iter().take(index).any(|earlier| earlier.target == volume.target) {
                let message = format!("`{}` stands twice: one thing can be seen there", volume.target);
                self.problems.push(self.document.problem(&at("target"), message));
            }
        }
    }

    fn seen_tokens(&mut self, path: &mut Vec<Segment>, value: &Value) {
        match value {
            Value::String(text) => {
                for word in
                    words(text).into_iter().filter(|word| NAMES.contains(word) && !SEEN.contains(word))
                {
                    let message = format!(
                        "`{{{word}}}` has no meaning in a container: only `{{data}}`, `{{config}}` and `{{deploy}}` are seen there"
                    );
                    self.problems.push(self.document.problem(path, message));
                }
            }
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    path.push(index.into());
                    self.seen_tokens(path, element);
                    path.pop();
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    path.push(name.as_str().into());
                    self.seen_tokens(path, member);
                    path.pop();
                }
            }
            _ => {}
        }
    }
}
