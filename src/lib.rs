//! mainstay turns a packaged program into a service that stays up.
//!
//! A folder is a floor, and imports go down:
//!
//! ```text
//! cli → engine → plan, package, supervise, host
//!                 plan → platform → model
//!                 package, supervise → host
//!                 host → platform, model
//! ```

pub mod engine;
pub mod host;
pub mod model;
pub mod supervise;
