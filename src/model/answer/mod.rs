//! Answers: the documents that `--json` prints. Each names its published schema.

pub mod adopt;
pub mod doctor;
pub mod export;
pub mod failure;
pub mod history;
pub mod list;
pub mod log;
pub mod pack;
pub mod package_status;
pub mod plan;
pub mod small;
pub mod status;
pub mod validate;
pub mod wave;
