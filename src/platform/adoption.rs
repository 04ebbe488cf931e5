//! What a definition that somebody else wrote becomes: a draft of a manifest, and a word on each of its lines. Each kind
//! of definition has a reader of its own; what is done with the draft is the same for all.

use std::collections::BTreeSet;

use crate::model::adoption::{AdoptedLine, Fate};
use crate::model::manifest::Systemd;
use crate::model::service::Service;
use crate::model::variable::VariableName;

/// What a reader made of a definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// How the program runs.
    pub service: Service,
    /// What only systemd understands.
    pub systemd: Systemd,
    /// What became of each line.
    pub lines: Vec<AdoptedLine>,
    /// The variables that not everybody could read where they stood.
    pub private: BTreeSet<VariableName>,
    /// What the person should know beside that.
    pub notices: Vec<String>,
}

impl Draft {
    /// Leaves out what can't be carried over and is named. Gives the names that nothing is called by.
    pub fn leave_out<'a>(&mut self, keys: &'a [String]) -> Vec<&'a str> {
        for line in self.lines.iter_mut().filter(|line| line.fate == Fate::Refused) {
            if keys.contains(&line.key) {
                line.fate = Fate::LeftOut;
            }
        }
        let is_left_out =
            |key: &String| self.lines.iter().any(|line| line.fate == Fate::LeftOut && line.key == **key);
        keys.iter().filter(|key| !is_left_out(key)).map(String::as_str).collect()
    }

    /// The lines that can't be carried over.
    pub fn refused(&self) -> impl Iterator<Item = &AdoptedLine> {
        self.lines.iter().filter(|line| line.fate == Fate::Refused)
    }
}
