//! launchd: property lists (launchd.plist(5)), which are written here, and read where a service of launchd is adopted;
//! and launchctl(1), as a pure machine: what it answered goes in, and what to ask next comes out.

pub mod course;
mod job;
pub mod printed;
mod property_list;
pub mod reader;

pub use property_list::{definition_of, runs_at_load};
pub(super) use property_list::{digest, marker, render, untouched};
