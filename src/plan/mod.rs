//! Deciding: from what is wanted and what was observed to a plan, in values only. Nothing here touches the
//! machine, so a plan can be shown, compared and tested anywhere.

pub mod apply;
pub mod cleanup;
mod definition;
mod difference;
mod drift;
pub mod lifecycle;
pub mod observed;
pub mod operation;
pub mod reference;
pub mod refusal;
pub mod repair;
pub mod step;
pub mod undefined;
pub mod uninstall;
pub mod wanted;
