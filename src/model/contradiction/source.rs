//! What has no meaning where mainstay does not unpack the program: nothing is fetched, and there is no version tree.

use serde_json::Value;

use super::Check;
use crate::model::manifest::{Download, Manifest, PackageSource};
use crate::model::position::Segment;
use crate::model::token::words;

impl Check<'_> {
    pub(super) fn source(&mut self, manifest: &Manifest) {
        let source = match manifest.package.source {
            PackageSource::Archive => return,
            PackageSource::Manager => "manager",
            PackageSource::Binary => "binary",
            PackageSource::Image => return,
        };
        let package = &manifest.package;
        let given = [
            ("url", package.url.is_some()),
            ("sha256", package.sha256.is_some()),
            ("publicKey", package.public_key.is_some()),
            ("download", package.download != Download::default()),
        ];
        for (name, _) in given.into_iter().filter(|(_, given)| *given) {
            let message = format!("`{name}` has no meaning where `source` is `{source}`: nothing is fetched");
            self.key(["package", name], message);
        }
        let upgrade = &manifest.upgrade;
        let without_a_way_back = format!(
            "has no meaning where `package.source` is `{source}`: there is no old program to go back to"
        );
        if !upgrade.data.is_empty() {
            self.key(["upgrade", "data"], format!("`data` {without_a_way_back}"));
        }
        for (name, given) in [
            ("migrate", upgrade.hooks.migrate.is_some()),
            ("migrateBack", upgrade.hooks.migrate_back.is_some()),
        ] {
            if given {
                self.key(["upgrade", "hooks", name], format!("`{name}` {without_a_way_back}"));
            }
        }
        if manifest.service.command.is_none() {
            let message =
                format!("with `source` `{source}` no package says what to run: write `service.command`");
            self.value(["package", "source"], message);
        }
        let Ok(root) = serde_json::from_str::<Value>(self.document.text()) else { return };
        for name in ["service", "upgrade"] {
            if let Some(value) = root.get(name) {
                self.no_tree(&mut vec![name.into()], value, source);
            }
        }
    }

    fn no_tree(&mut self, path: &mut Vec<Segment>, value: &Value, source: &str) {
        match value {
            Value::String(text) if words(text).contains(&"package") => {
                let message = format!(
                    "`{{package}}` has no meaning where `package.source` is `{source}`: name the program by an absolute path, or by a name that is found on the service's PATH"
                );
                self.problems.push(self.document.problem(path, message));
            }
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    path.push(index.into());
                    self.no_tree(path, element, source);
                    path.pop();
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    path.push(name.as_str().into());
                    self.no_tree(path, member, source);
                    path.pop();
                }
            }
            _ => {}
        }
    }
}
