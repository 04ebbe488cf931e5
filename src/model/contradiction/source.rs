//! What has no meaning where mainstay does not unpack the program: there is no version tree.

use serde_json::Value;

use super::Check;
use crate::model::manifest::{Manifest, PackageSource};
use crate::model::position::Segment;
use crate::model::token::words;

impl Check<'_> {
    pub(super) fn source(&mut self, manifest: &Manifest) {
        let source = match manifest.package.source {
            PackageSource::Archive | PackageSource::Image => return,
            PackageSource::Manager => "manager",
            PackageSource::Binary => "binary",
        };
        let root = self.document.to_json();
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
