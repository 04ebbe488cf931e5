//! Where what is to run comes from.

use camino::Utf8PathBuf;

use crate::model::digest::Digest;

/// Where what is to run comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// What is unpacked here already.
    #[default]
    Present,
    /// An archive, absolute.
    File(Utf8PathBuf),
}

impl Source {
    /// Whether it brings something that is not here.
    #[must_use]
    pub fn brings(&self) -> bool {
        *self != Self::Present
    }
}

/// What was typed that an archive has to agree with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Its digest.
    pub sha256: Option<Digest>,
    /// The file of its signature, absolute, where that does not lie beside it.
    pub signature: Option<Utf8PathBuf>,
}
