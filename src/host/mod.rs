//! The machine: files, processes, probes, locks, clocks, accounts. The only door out.

pub mod account;
pub mod clock;
pub mod command;
pub mod container;
pub mod control;
pub mod disk;
pub mod environment;
pub mod files;
pub mod follow;
pub mod handover;
pub mod holder;
pub mod http;
mod http_client;
pub mod identity;
pub mod listening;
pub mod lock;
pub mod memory;
pub mod notify;
pub mod output;
pub mod probe;
pub mod process;
mod rights;
pub mod signal;
pub mod temporary;
pub mod tree;
pub mod untrusted;
pub mod usage;
