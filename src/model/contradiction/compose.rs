//! What of a container no rule can say: it would have to compare fields, or to look into texts.

use serde_json::Value;

use super::Check;
use crate::model::compose::Compose;
use crate::model::manifest::{Manifest, PlatformKind};
use crate::model::position::Segment;
use crate::model::token::{NAMES, words};

/// The tokens that mean something in a container: these folders are seen in it under their own names.
const SEEN: [&str; 3] = ["config", "data", "deploy"];

impl Check<'_> {
    /// What a container's settings can't mean.
    pub(super) fn container(&mut self, manifest: &Manifest, compose: &Compose) {
        if manifest.platform == Some(PlatformKind::Compose) {
            let name = manifest.name.as_str();
            if name.contains('.') {
                self.value(["name"], format!("`{name}` can't name a project of Compose: leave out the `.`"));
            }
            if let Some(version) = &manifest.package.version
                && compose.image.tag().is_some_and(|tag| tag != version.as_str())
            {
                let message = format!(
                    "`{version}` is not the tag of `compose.image`: leave `version` out, or make them the same"
                );
                self.value(["package", "version"], message);
            }
            let root = self.document.to_json();
            for section in ["service", "compose"] {
                if let Some(value) = root.get(section) {
                    self.seen_tokens(&mut vec![section.into()], value);
                }
            }
        }
        for (index, port) in compose.ports.iter().enumerate() {
            if compose.ports.iter().take(index).any(|earlier| earlier == port) {
                let path = ["compose".into(), "ports".into(), index.into()];
                self.problems.push(self.document.problem(&path, format!("`{port}` stands twice")));
            }
        }
        self.volumes(compose);
    }

    fn volumes(&mut self, compose: &Compose) {
        let named = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
                && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        };
        for (index, volume) in compose.volumes.iter().enumerate() {
            let at = |name: &str| ["compose".into(), "volumes".into(), index.into(), name.into()];
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
