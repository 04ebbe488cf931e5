//! What an instance is, told to its program: by variables, and by tokens that stand for the same.

use std::collections::BTreeMap;

use crate::model::compose::ContainerSpec;
use crate::model::launch::LaunchSpec;
use crate::model::token::{INSTANCE, Places, replace};
use crate::model::variable::VariableName;

impl LaunchSpec {
    /// The variables that tell a program which instance it is, and how it is deployed. What its manifest says counts
    /// more.
    #[must_use]
    pub fn told(&self) -> Vec<(&'static str, String)> {
        let mut told = vec![
            ("MAINSTAY_COMPONENT", self.component.to_string()),
            ("MAINSTAY_NAME", self.name.to_string()),
            ("MAINSTAY_PLATFORM", self.platform.to_string()),
            ("MAINSTAY_SCOPE", self.scope.to_string()),
            ("MAINSTAY_VERSION", self.version.to_string()),
        ];
        if let Some(container) = &self.container {
            told.push(("MAINSTAY_CONTAINER", self.container_name(container)));
            told.push(("MAINSTAY_CONTAINER_ENGINE", container.engine.to_string()));
        }
        told
    }

    /// The name of its container.
    #[must_use]
    pub fn container_name(&self, container: &ContainerSpec) -> String {
        container.wanted.container_name.clone().unwrap_or_else(|| self.name.to_string())
    }

    /// What a token stands for that names something of the instance. Of a container there is nothing where there is none.
    fn instance_token(&self, token: &str) -> Option<String> {
        let container = self.container.as_ref();
        Some(match token.strip_prefix(INSTANCE)? {
            "name" => self.name.to_string(),
            "component" => self.component.to_string(),
            "platform" => self.platform.to_string(),
            "scope" => self.scope.to_string(),
            "container" => container.map(|container| self.container_name(container)).unwrap_or_default(),
            "engine" => container.map(|container| container.engine.to_string()).unwrap_or_default(),
            _ => return None,
        })
    }

    /// The variables of `environment` with their tokens expanded.
    #[must_use]
    pub fn variables(&self, places: &Places<'_>) -> BTreeMap<VariableName, String> {
        let expanded = |value: &String| {
            replace(value, |token| {
                self.instance_token(token).or_else(|| places.value(token).map(str::to_owned))
            })
        };
        self.environment.iter().map(|(name, value)| (name.clone(), expanded(value))).collect()
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;
    use crate::model::manifest::{PlatformKind, Scope};
    use crate::model::marker::Marker;

    #[test]
    fn tokens_of_the_instance_stand_for_what_it_is() {
        let of = Marker {
            name: "e2e".parse().unwrap(),
            component: "orchestrator".parse().unwrap(),
            platform: PlatformKind::Systemd,
            scope: Scope::User,
            folder: "/srv".into(),
        };
        let mut spec = LaunchSpec::bare(&of);
        let data = Utf8Path::new("/{instance.name}");
        let places = Places { package: data, config: data, data, logs: data, run: data, deploy: data };
        let mut expanded = |text: &str| {
            let name = VariableName::new("X").unwrap();
            spec.environment = BTreeMap::from([(name.clone(), text.to_owned())]);
            spec.variables(&places)[&name].clone()
        };
        assert_eq!(expanded("{instance.platform}/{instance.scope}"), "systemd/user");
        assert_eq!(expanded("{instance.name} of {instance.component}"), "e2e of orchestrator");
        assert_eq!(expanded("<{instance.container}{instance.engine}>"), "<>");
        // Doubled, unknown, or of another token, they stay.
        for text in ["{{instance.name}}", "{instance.names}", "{name}", "{data}"] {
            let kept = text.replace("{{", "{").replace("}}", "}").replace("{data}", "/{instance.name}");
            assert_eq!(expanded(text), kept);
        }
    }
}
