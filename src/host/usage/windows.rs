//! Windows: the program of each process, where it is, and what it was started with. Open files and libraries are not asked
//! for: what somebody has open the system itself lets nobody remove.

use std::io;

use crate::host::os::AsFd as _;
use crate::host::os::list;
use crate::host::os::process::{For, given, open, program};

/// Where the processes stand, for people.
pub(super) const PLACE: &str = "by the system";

/// Hands on each text of a process in which a path may stand. Returns the processes of which not all can be known.
pub(super) fn texts(each: &mut dyn FnMut(&[u8])) -> io::Result<Vec<u32>> {
    let mut hidden = Vec::new();
    for process in list::all()? {
        let path = open(process.pid, For::Looking).ok().and_then(|held| program(held.as_fd()));
        let given = given(process.pid);
        if path.is_none() && given.is_none() {
            // Those of the system have neither, and so have those of others.
            hidden.extend((process.session != 0).then_some(process.pid));
        }
        let given = given.unwrap_or_default();
        let texts = path.into_iter().chain([given.line, given.folder]).chain(given.environment);
        texts.for_each(|text| each(text.replace('\\', "/").as_bytes()));
    }
    Ok(hidden)
}
