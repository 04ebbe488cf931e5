//! What an operation tells while it works; the roof turns it into lines, a bar or JSON.

use camino::Utf8PathBuf;

use crate::model::name::InstanceName;
use crate::plan::step::{Operation, Step};

/// Something worth telling.
#[derive(Clone, Debug)]
pub enum Event {
    /// An archive is being unpacked.
    Unpacking {
        /// Which.
        archive: Utf8PathBuf,
        /// How many of its bytes were read.
        read: u64,
        /// How many there are.
        total: u64,
    },
    /// An archive comes over a network, or on standard input.
    Fetching {
        /// Which.
        what: String,
        /// How many of its bytes are there.
        read: u64,
        /// How many there are, where that is known.
        total: Option<u64>,
    },
    /// A step begins.
    Step(Step),
    /// A step that makes the host ready begins.
    Preparing(String),
    /// A step is being undone.
    Undoing(String),
    /// An unfinished operation was found and brought to an end.
    Recovered {
        /// Of which instance.
        name: InstanceName,
        /// Which.
        operation: Operation,
        /// Whether it was finished; else it was undone.
        finished: bool,
    },
    /// A command of the manifest wrote a line, or a switch was told of.
    Said {
        /// The field of the command, or `switch`.
        by: String,
        /// The line.
        line: String,
        /// Whether it is said once more because of a failure, to whom has not heard it.
        failed: bool,
    },
    /// Something that did not go as wished and does not matter much.
    Notice(String),
}
