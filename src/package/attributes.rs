//! What kind of thing a member of a zip is, from its attributes (APPNOTE 4.4.2, 4.4.15).

use crate::package::fault::Fault;

/// The longest target of a symbolic link.
const LONGEST_TARGET: u64 = 4096;
/// The system that keeps its modes in the upper half of the attributes.
const UNIX: u16 = 3;
/// DOS's attribute of a folder, in the lower half.
const DOS_FOLDER: u32 = 0x10;

/// Whether a member was packed on Unix.
pub(crate) fn is_of_unix(made_by: u16) -> bool {
    made_by >> 8 == UNIX
}

/// What a member of a zip is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Folder,
    File { program: bool },
    Link,
}

/// The kind of a member. The mode that Unix systems keep in the attributes counts; zero says nothing. Other
/// systems' archives have one too, and some readers look at it: what would be another thing to those is refused.
pub(crate) fn kind(on_unix: bool, attributes: u32, slashed: bool, size: u64) -> Result<Kind, Fault> {
    let mode = attributes >> 16;
    if mode & 0o7000 != 0 {
        return Err(Fault::SpecialBits);
    }
    let kind = match mode & 0o170_000 {
        0o120_000 if slashed => return Err(Fault::Header("it is a link whose name ends with a slash")),
        0o120_000 if size > LONGEST_TARGET => return Err(Fault::UnexpectedContent),
        0o120_000 => Kind::Link,
        0 | 0o040_000 | 0o100_000 if slashed => Kind::Folder,
        0o040_000 => return Err(Fault::Header("it is a folder whose name does not end with a slash")),
        0 | 0o100_000 => Kind::File { program: mode & 0o100 != 0 },
        0o020_000 => return Err(Fault::Special("character device")),
        0o060_000 => return Err(Fault::Special("block device")),
        0o010_000 => return Err(Fault::Special("named pipe")),
        0o140_000 => return Err(Fault::Special("socket")),
        other => return Err(Fault::UnknownType(format!("{other:o}"))),
    };
    if kind == Kind::Folder && size != 0 {
        return Err(Fault::UnexpectedContent);
    }
    if attributes & DOS_FOLDER != 0 && kind != Kind::Folder {
        return Err(Fault::Header("DOS's attributes make it a folder, and its name or mode does not"));
    }
    let plain = matches!(kind, Kind::Folder | Kind::File { program: false });
    if !on_unix && !plain {
        return Err(Fault::Header(
            "it is a program or a link only to readers that trust another system's mode",
        ));
    }
    Ok(kind)
}
