//! mainstay turns a packaged program into a service that stays up: installed from a folder, started at boot,
//! watched, upgraded, rolled back.
//!
//! A folder is a floor, and imports go down:
//!
//! ```text
//! cli → engine → plan, package, supervise, host
//!                 plan → platform → model
//!                 package, supervise → host
//!                 host → platform, model
//! ```
//!
//! In reading order:

pub mod model;

pub mod platform;

pub mod plan;

pub mod host;

pub mod package;

pub mod supervise;

pub mod engine;

pub mod cli;
