//! The machine: files, processes, probes, locks, clock, accounts. The only door out.

pub mod account;
pub mod clock;
pub mod command;
pub mod environment;
pub mod files;
pub mod identity;
pub mod lock;
