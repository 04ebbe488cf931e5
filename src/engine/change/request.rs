//! Requests that need few words.

use crate::engine::change::Request;
use crate::engine::source::{Proof, Source};
use crate::plan::step::Operation;
use crate::plan::wanted::Wishes;

impl Request {
    /// A request for what the manifest says, with the version that is there.
    #[must_use]
    pub fn present(operation: Operation, wishes: Wishes, dry_run: bool) -> Self {
        Self {
            operation,
            source: Source::Present,
            proof: Proof::default(),
            variables: None,
            version: None,
            wishes,
            unpacked: false,
            restart_only: false,
            dry_run,
        }
    }
}
