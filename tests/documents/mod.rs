//! The documents for people: those at the top, and every page below `docs`.

#![allow(dead_code, reason = "each test needs a part of it")]

use std::path::{Path, PathBuf};

/// A block between fences: the words after its opening fence, its text, and the line of the page at which the text begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) info: String,
    pub(crate) text: String,
    pub(crate) line: usize,
    /// The heading above it.
    pub(crate) heading: String,
}

impl Block {
    /// The first word of its fence.
    pub(crate) fn language(&self) -> &str {
        self.info.split_whitespace().next().unwrap_or_default()
    }

    /// What the fence says after `NAME=`.
    pub(crate) fn says(&self, name: &str) -> Option<&str> {
        let words = self.info.split_whitespace().skip(1);
        words.filter_map(|word| word.split_once('=')).find(|(known, _)| *known == name).map(|it| it.1)
    }
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every document, by its path, in the order of their names.
pub(crate) fn documents() -> Vec<(PathBuf, String)> {
    let mut open = vec![root().join("docs")];
    let mut all: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root().join(name)).to_vec();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|kind| kind == "md") {
                all.push(path);
            }
        }
    }
    all.sort();
    assert!(all.len() > 30, "{all:?}");
    all.into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
            (path, text)
        })
        .collect()
}

/// The blocks of a text, in order; a fence may be indented, as in a list.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    let mut heading = String::new();
    for (number, line) in text.lines().enumerate() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(info)) => {
                let (info, heading) = (info.trim().to_owned(), heading.clone());
                open = Some(Block { info, text: String::new(), line: number + 2, heading });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.text += &[line, "\n"].concat(),
            (None, None) if line.starts_with('#') => {
                line.trim_start_matches('#').trim().clone_into(&mut heading);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed: {open:?}");
    blocks
}
