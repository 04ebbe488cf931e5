//! Linux: proc(5).

use std::io;
use std::os::unix::ffi::OsStrExt as _;

use camino::{Utf8Path, Utf8PathBuf};

/// Where the processes stand.
const PROCESSES: &str = "/proc";
/// The same, for people.
pub(super) const PLACE: &str = "in `/proc`";
/// The longest text that is read of one process, in bytes: some map a great many files.
const LONGEST: u64 = 64 << 20;

/// Hands on each text of a process in which a path may stand. Returns the processes of which not all can be known.
pub(super) fn texts(each: &mut dyn FnMut(&[u8])) -> io::Result<Vec<u32>> {
    let mut hidden = Vec::new();
    let mut seen = 0;
    for entry in fs_err::read_dir(PROCESSES)? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        seen += 1;
        let mut texts = Vec::new();
        match collect(pid, &mut texts) {
            Ok(()) => {}
            Err(error) if has_ended(&error) => {}
            Err(_) => hidden.push(pid),
        }
        for text in &texts {
            each(text);
        }
    }
    if seen == 0 { Err(io::ErrorKind::NotFound.into()) } else { Ok(hidden) }
}

/// A process that ends while it is looked at needs nothing any more.
fn has_ended(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error())
}

/// Collects the texts of a process in which a path may stand, those first that anybody may read.
fn collect(pid: u32, texts: &mut Vec<Vec<u8>>) -> io::Result<()> {
    let folder = Utf8PathBuf::from(format!("{PROCESSES}/{pid}"));
    texts.push(read(&folder.join("cmdline"))?);
    texts.push(read(&folder.join("environ"))?);
    texts.push(read(&folder.join("maps"))?);
    for link in ["exe", "cwd", "root"] {
        match std::fs::read_link(folder.join(link)) {
            Ok(target) => texts.push(target.as_os_str().as_bytes().to_vec()),
            // What is of the kernel's own has no program.
            Err(error) if has_ended(&error) => {}
            Err(error) => return Err(error),
        }
    }
    for entry in std::fs::read_dir(folder.join("fd"))? {
        match std::fs::read_link(entry?.path()) {
            Ok(target) => texts.push(target.as_os_str().as_bytes().to_vec()),
            // It was closed meanwhile.
            Err(error) if has_ended(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn read(path: &Utf8Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let read = io::Read::read_to_end(&mut io::Read::take(std::fs::File::open(path)?, LONGEST + 1), &mut text);
    match read {
        Ok(_) if text.len() as u64 > LONGEST => Err(io::ErrorKind::FileTooLarge.into()),
        Ok(_) => Ok(text),
        // A process that has ended and waits for its parent has no memory any more.
        Err(error) if has_ended(&error) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
