//! Windows: processes by the standard library, suspended until they stand in their job.

use std::ffi::OsString;
use std::io;

/// The value of a variable, which has to be text.
pub fn variable(value: Vec<u8>) -> io::Result<OsString> {
    let text = String::from_utf8(value);
    text.map(Into::into).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}
