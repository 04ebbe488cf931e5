//! A container by Compose: the text of `compose.yaml` in the deploy folder, the entry by which the instance is
//! found, what is asked of an engine, and what it answers.

pub mod entry;
pub(super) mod mounts;
pub mod query;
pub mod reader;
pub mod seen;
pub mod text;

/// The file's name in the deploy folder, where Compose looks for it.
pub const FILE_NAME: &str = "compose.yaml";
/// The file of variables beside the entry, for what must not stand in the definition.
pub const VARIABLES: &str = "compose.env";
/// The label with the identity of the launch that a container is of.
pub const LAUNCH: &str = "dev.mainstay.launch";
/// The label with the deploy folder, which tells our containers from all others.
pub const FOLDER: &str = "dev.mainstay.folder";

/// The name of the project that an instance is for Compose. A folder's own name would be some other project's.
#[must_use]
pub fn project(name: &crate::model::name::InstanceName) -> String {
    format!("mainstay-{name}")
}
