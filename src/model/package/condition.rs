//! When a part of a package's description applies: by the instance's variables, scope, platform and host.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::manifest::{PlatformKind, Scope};
use crate::model::variable::VariableName;

/// The word that stands for any value that is not empty.
const ANY: &str = "*";

/// When this applies: all that is named has to hold. Nothing named: always.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Condition {
    /// Variables of the program and the values that each may have; `*` is any that is not empty. Secrets are not looked at.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("default" = {}, "examples" = [{ "KICI_SCALER": ["firecracker"] }]))]
    pub variables: BTreeMap<VariableName, Vec<String>>,
    /// The scopes. Default: every one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = [], "examples" = [["system"]]))]
    pub scope: Vec<Scope>,
    /// The platforms. Default: every one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = [], "examples" = [["systemd"]]))]
    pub platform: Vec<PlatformKind>,
    /// The operating systems: `linux`, `macos`, `windows`. Default: every one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = [], "examples" = [["linux"]]))]
    pub os: Vec<String>,
    /// The processors: `x86_64`, `aarch64`, … Default: every one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = [], "examples" = [["x86_64"]]))]
    pub architecture: Vec<String>,
}

/// What conditions are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The program's variables, without the secrets.
    pub variables: BTreeMap<String, String>,
    /// To whom the service belongs.
    pub scope: Scope,
    /// The service manager.
    pub platform: PlatformKind,
    /// The operating system, as Rust names it.
    pub os: &'static str,
    /// The processor, as Rust names it.
    pub architecture: &'static str,
}

impl Condition {
    /// Whether it holds.
    #[must_use]
    pub fn holds(&self, setting: &Setting) -> bool {
        fn among<T: PartialEq>(list: &[T], found: &T) -> bool {
            list.is_empty() || list.contains(found)
        }
        let named = |list: &[String], found: &str| list.is_empty() || list.iter().any(|name| name == found);
        let variable = |(name, values): (&VariableName, &Vec<String>)| {
            let found = setting.variables.get(name.as_str()).map_or("", String::as_str);
            values.iter().any(|value| value == found || (value == ANY && !found.is_empty()))
        };
        self.variables.iter().all(variable)
            && among(&self.scope, &setting.scope)
            && among(&self.platform, &setting.platform)
            && named(&self.os, setting.os)
            && named(&self.architecture, setting.architecture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_named_has_to_hold() {
        let setting = Setting {
            variables: BTreeMap::from([("SCALER".to_owned(), "firecracker".to_owned())]),
            scope: Scope::User,
            platform: PlatformKind::Systemd,
            os: "linux",
            architecture: "x86_64",
        };
        let holds = |text: &str| serde_json::from_str::<Condition>(text).unwrap().holds(&setting);
        assert!(holds("{}"));
        assert!(holds(r#"{ "variables": { "SCALER": ["none", "firecracker"] }, "scope": ["user"] }"#));
        assert!(holds(r#"{ "variables": { "SCALER": ["*"] }, "os": ["linux"] }"#));
        assert!(!holds(r#"{ "variables": { "SCALER": ["*"] }, "scope": ["system"] }"#));
        assert!(!holds(r#"{ "variables": { "OTHER": ["*"] } }"#));
        assert!(holds(r#"{ "variables": { "OTHER": [""] } }"#));
        assert!(!holds(r#"{ "architecture": ["aarch64"] }"#) && !holds(r#"{ "platform": ["embedded"] }"#));
    }
}
