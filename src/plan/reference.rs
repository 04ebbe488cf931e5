//! What may still need a version tree. Each such fact has three values: known, none, unreadable.

use std::collections::BTreeSet;
use std::fmt;

/// Something that may need version trees of an instance, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// What.
    pub by: Referrer,
    /// Which trees.
    pub trees: Fact,
}

/// Which trees something needs, as far as that can be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// These, by name.
    Known(BTreeSet<String>),
    /// None.
    None,
    /// That can't be known, and why: it may be every one of them.
    Unreadable(String),
}

impl Fact {
    /// These trees, or none.
    pub fn of(trees: impl IntoIterator<Item = String>) -> Self {
        let trees: BTreeSet<String> = trees.into_iter().collect();
        if trees.is_empty() { Self::None } else { Self::Known(trees) }
    }
}

/// What may need a version tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Referrer {
    /// The disk: what it can't read now it may read later.
    Disk,
    /// A running process: by its program, its folders, its files, its words or its memory.
    Process,
    /// The supervisor says that the service runs from it.
    Supervisor,
    /// The service manager, which may run anything.
    Manager,
    /// A switch that is not over.
    Switch,
    /// An operation that is not over.
    Operation,
    /// A link beside the trees.
    Link,
    /// A link or a launch of another instance.
    Instance,
    /// The manifest: its pins.
    Pins,
}

impl fmt::Display for Referrer {
    /// The beginning of a sentence that ends with “needs it”.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Disk => "what the disk can't read now",
            Self::Process => "a running process",
            Self::Supervisor => "the supervisor",
            Self::Manager => "the service manager",
            Self::Switch => "a switch that is not over",
            Self::Operation => "an operation that is not over",
            Self::Link => "a link beside it",
            Self::Instance => "another instance",
            Self::Pins => "a pin in the manifest",
        })
    }
}
