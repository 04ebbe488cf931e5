//! Answers: the documents that `--json` prints. Each names its published schema.

pub mod failure;
pub mod list;
pub mod plan;
pub mod status;
