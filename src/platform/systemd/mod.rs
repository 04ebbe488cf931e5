//! systemd: units. The rules of their text are systemd.syntax(7), systemd.unit(5), systemd.service(5) and
//! systemd.exec(5); where those are silent, what systemd 252 and 257 do was measured.

pub mod escape;
mod extras;
mod hardening;
pub(super) mod marker;
mod native;
pub mod reader;
pub mod reading;
pub(super) mod socket;
mod text;
pub(super) mod unit;

/// The oldest systemd that units are written for: the first with `LoadCredential=` and `ProtectProc=`.
pub const OLDEST: u32 = 247;
