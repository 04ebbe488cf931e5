//! Values: what a manifest, a launch spec, a receipt or a plan is. No input or output, no clock, no
//! environment; everything here can be made, compared and printed on any machine.

pub mod account;
pub mod address;
pub mod answer;
pub mod contradiction;
pub mod digest;
pub mod document;
pub mod duration;
pub mod ended;
pub mod environment_file;
pub mod history;
pub mod index;
pub mod launch;
pub mod layout;
pub mod level;
pub mod log_line;
pub mod manifest;
pub mod marker;
pub mod moment;
pub mod name;
pub mod nearest;
pub mod owner;
pub mod package;
pub mod position;
pub mod problem;
pub mod readiness;
pub mod receipt;
pub mod schema;
pub mod service;
pub mod setting;
pub mod size;
pub mod status;
pub mod token;
pub mod trial;
pub mod variable;
pub mod version;

mod leaf;
mod tree;
mod validator;
