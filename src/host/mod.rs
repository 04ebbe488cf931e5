//! The machine: processes, probes, clocks, files. The only door out.

pub mod clock;
pub mod holder;
pub mod identity;
pub mod notify;
pub mod output;
pub mod probe;
pub mod process;
pub mod signal;
pub mod tree;
