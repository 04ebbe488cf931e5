//! A container in the place of a program: what a manifest says of it on platform `compose`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::image::ImageName;
use crate::model::manifest::is_default;
use crate::model::rule::Below;

/// A container: what only platform `compose` understands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = Below("compose"))]
pub struct Compose {
    /// The image, best with its digest: a tag alone may name other bytes tomorrow.
    #[schemars(extend("examples" = ["quay.io/acme/orchestrator:0.3.0"]))]
    pub image: ImageName,
    /// The container engine. Default: Docker if it answers, else Podman.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["podman"]))]
    pub engine: Option<EngineKind>,
    /// The container's name. Default: the instance's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = CONTAINER_PATTERN), extend("examples" = ["orchestrator"]))]
    pub container_name: Option<String>,
    /// Which network it is in: the host's own, or one of its own of which `ports` are published. Default: bridge.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = "bridge", "examples" = ["host"]))]
    pub network: Network,
    /// Ports that are published: an address of the host if not all are meant, the host's port, the container's port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = [], "examples" = [["127.0.0.1:8080:80"]]))]
    pub ports: Vec<Port>,
    /// Folders, files and volumes that it sees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("default" = [], "examples" = [[{ "source": "{data}", "target": "/var/lib/app" }]]))]
    pub volumes: Vec<Volume>,
    /// The account in the container, by name or number, with its group if need be. Default: the image's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["1000:1000"]))]
    pub user: Option<String>,
    /// What the image starts, in place of its own entry point; `service.command` follows as arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [["/bin/server"]]))]
    pub entrypoint: Option<Vec<String>>,
}

/// What a schema says of a container's name.
pub const CONTAINER_PATTERN: &str = "^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$";

/// Refuses what can't be a container's name.
pub fn check_container(text: &str) -> Result<(), String> {
    let mut bytes = text.bytes();
    let sound = text.len() <= 128
        && bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if sound {
        Ok(())
    } else {
        Err(format!("`{text}` can't name a container: use up to 128 letters, digits, `_`, `.` and `-`"))
    }
}

/// A container engine with Compose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum EngineKind {
    /// Docker, with `docker compose`.
    Docker,
    /// Podman, with `podman compose`.
    Podman,
}

impl EngineKind {
    /// Both, in the order in which they are looked for.
    pub const ALL: [Self; 2] = [Self::Docker, Self::Podman];

    /// The program.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A container that somebody else has made, as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OldContainer {
    /// In whose engine it is.
    pub engine: EngineKind,
    /// Its number, which stays when its name changes.
    pub number: String,
    /// Its name.
    pub name: String,
    /// Whether it ran.
    pub ran: bool,
}

impl OldContainer {
    /// Its name while another one has its place.
    #[must_use]
    pub fn name_aside(&self) -> String {
        format!("{}-before-mainstay", self.name)
    }
}

/// In which network a container is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Network {
    /// One of its own, behind the host.
    #[default]
    Bridge,
    /// The host's.
    Host,
}

/// What a container sees of the host, or what it keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Volume {
    /// A path of the host, absolute, or from the deploy folder with `./`; tokens `{data} {config} {deploy}`; or the name of a volume.
    #[schemars(length(min = 1), extend("examples" = ["{data}"]))]
    pub source: String,
    /// Where it is seen in the container, absolute.
    #[schemars(regex(pattern = TARGET_PATTERN), extend("examples" = ["/var/lib/app"]))]
    pub target: String,
    /// Whether it can't be written there. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = false, "examples" = [true]))]
    pub read_only: bool,
    /// Whether the volume of this name was made by somebody else: it is used as it is and never removed. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("default" = false, "examples" = [true]))]
    pub external: bool,
}

impl Volume {
    /// Whether it is a path of the host, and no volume of the engine's.
    #[must_use]
    pub fn is_path(&self) -> bool {
        self.source.starts_with(['/', '.', '{'])
    }
}

/// What a schema says of a place in a container.
pub const TARGET_PATTERN: &str = "^/";

/// Refuses what is no place in a container.
pub fn check_target(text: &str) -> Result<(), String> {
    if text.starts_with('/') {
        Ok(())
    } else {
        Err(format!("`{text}` is no place in a container: it begins with `/`, as in `/var/lib/app`"))
    }
}

const PORT_PATTERN: &str =
    "^(([0-9]{1,3}(\\.[0-9]{1,3}){3}|\\[[0-9A-Fa-f:.]+\\]):)?[0-9]{1,5}:[0-9]{1,5}(/(tcp|udp))?$";

/// A port of a container that is published on the host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Port {
    /// The host's address, where not all are meant.
    pub address: Option<std::net::IpAddr>,
    /// The host's port.
    pub published: u16,
    /// The container's port.
    pub target: u16,
    /// Whether it is of UDP.
    pub is_udp: bool,
}

/// A text that publishes no port.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` publishes no port: write the host's port and the container's, from 1 to 65535, as in `8080:80`, \
     `127.0.0.1:8080:80` or `53:53/udp`"
)]
pub struct PortError(String);

impl TryFrom<String> for Port {
    type Error = PortError;
    fn try_from(text: String) -> Result<Self, PortError> {
        let read = || {
            let (rest, is_udp) = match text.rsplit_once('/') {
                Some((rest, "udp")) => (rest, true),
                Some((rest, "tcp")) => (rest, false),
                Some(_) => return None,
                None => (text.as_str(), false),
            };
            let (rest, target) = rest.rsplit_once(':')?;
            let (address, published) = match rest.rsplit_once(':') {
                Some((address, published)) => {
                    let inner = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
                    let address = match inner {
                        Some(inner) => std::net::IpAddr::V6(inner.parse().ok()?),
                        None => std::net::IpAddr::V4(address.parse().ok()?),
                    };
                    (Some(address), published)
                }
                None => (None, rest),
            };
            let number = |digits: &str| {
                let plain =
                    (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
                digits.parse::<u16>().ok().filter(|port| plain && *port != 0)
            };
            Some(Self { address, published: number(published)?, target: number(target)?, is_udp })
        };
        read().ok_or_else(|| PortError(text.clone()))
    }
}

impl From<Port> for String {
    fn from(port: Port) -> Self {
        port.to_string()
    }
}

impl fmt::Display for Port {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(std::net::IpAddr::V4(address)) => write!(formatter, "{address}:")?,
            Some(std::net::IpAddr::V6(address)) => write!(formatter, "[{address}]:")?,
            None => {}
        }
        let protocol = if self.is_udp { "/udp" } else { "" };
        write!(formatter, "{}:{}{protocol}", self.published, self.target)
    }
}

impl JsonSchema for Port {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Port".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": PORT_PATTERN })
    }
}

/// The container of a launch, decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContainerSpec {
    /// What the manifest says, with the image as it is to be written there.
    pub wanted: Compose,
    /// The image as the engine is told it: by its digest, or by its number where it has none.
    pub pinned: String,
    /// Whose engine it is in.
    pub engine: EngineKind,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_and_written() {
        for text in ["8080:80", "127.0.0.1:8080:80", "53:53/udp", "[::1]:1:65535"] {
            assert_eq!(Port::try_from(text.to_owned()).unwrap().to_string(), text);
        }
        assert_eq!(Port::try_from("1:2/tcp".to_owned()).unwrap().to_string(), "1:2");
        for text in [
            "",
            "80",
            "0:80",
            "80:65536",
            "a:b",
            "::1:80:80",
            "localhost:80:80",
            "80:80/sctp",
            "1:2:",
            "+1:2",
        ] {
            assert!(Port::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_volume_is_a_path_or_a_name() {
        let volume = |source: &str| Volume {
            source: source.to_owned(),
            target: "/x".to_owned(),
            read_only: false,
            external: false,
        };
        assert!(volume("/a").is_path() && volume("./a").is_path() && volume("{data}/a").is_path());
        assert!(!volume("cache").is_path());
    }
}
