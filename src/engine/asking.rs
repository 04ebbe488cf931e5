//! What somebody is asked while an instance is brought to another version.

use camino::Utf8Path;

use crate::engine::failure::Failure;
use crate::engine::target::Declared;
use crate::plan::step::Plan;

/// An archive that is unpacked beside and verified, for whoever makes a manifest for it.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    /// Its path or address.
    pub archive: &'a Utf8Path,
    /// Where it is unpacked for now.
    pub tree: &'a Utf8Path,
}

/// What somebody is asked on the way, who may end the operation by an answer.
pub struct Asking<'a> {
    /// Whether a plan is to be carried out. It is asked before the lock is taken, and again if the plan is another one
    /// under it.
    pub agree: &'a dyn Fn(&Plan) -> Result<bool, Failure>,
    /// What a new manifest says, once the archive is there.
    pub declare: &'a dyn Fn(&Declared, Arrived<'_>) -> Result<Declared, Failure>,
}
