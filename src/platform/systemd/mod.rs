//! systemd: units. The rules of their text are systemd.syntax(7), systemd.unit(5), systemd.service(5) and
//! systemd.exec(5); where those are silent, what systemd 252 and 257 do was measured.

pub mod escape;
pub(super) mod marker;
pub(super) mod unit;
