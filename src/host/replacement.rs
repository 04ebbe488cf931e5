//! A program file in the place of one that may be running.
//!
//! Most systems take the name from a program that runs and give it to another file in one step. Windows lets such a file be
//! renamed, but neither replaced nor removed: there it goes aside first, and is removed by whoever comes later.

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::files::{self, FileError};

/// What the name of a file ends in that went aside, before the number of the process that moved it.
const ASIDE: &str = ".running-";

/// Gives a file the name of a program.
pub fn replace(new: &Utf8Path, program: &Utf8Path) -> Result<(), FileError> {
    if cfg!(windows) { aside_first(new, program) } else { files::rename_over(new, program) }
}

fn aside_first(new: &Utf8Path, program: &Utf8Path) -> Result<(), FileError> {
    let aside = Utf8PathBuf::from(format!("{program}{ASIDE}{}", std::process::id()));
    files::rename_over(program, &aside)?;
    let named = files::rename_over(new, program);
    if named.is_err() {
        // The name leads to a whole program, if it can be done at all.
        files::rename_over(&aside, program)?;
    }
    named
}

/// Removes what went aside earlier, as far as it runs no longer.
pub fn clean(program: &Utf8Path) {
    let (Some(folder), Some(name)) = (program.parent(), program.file_name()) else { return };
    let start = format!("{name}{ASIDE}");
    let listed = files::list(folder).ok().flatten().unwrap_or_default();
    for left in listed.into_iter().filter(|left| left.starts_with(&start)) {
        let _ = files::remove(&folder.join(left));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_can_not_be_replaced_goes_aside() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        let (program, new) = (folder.join("tool.exe"), folder.join("tool.exe.new"));
        std::fs::write(&program, "old").unwrap();
        std::fs::write(&new, "new").unwrap();
        aside_first(&new, &program).unwrap();
        assert_eq!(std::fs::read_to_string(&program).unwrap(), "new");
        let left = files::list(&folder).unwrap().unwrap();
        assert_eq!(left, ["tool.exe".to_owned(), format!("tool.exe{ASIDE}{}", std::process::id())]);
        assert_eq!(std::fs::read_to_string(folder.join(&left[1])).unwrap(), "old");

        // What can't come leaves the name to what had it.
        assert!(aside_first(&folder.join("missing"), &program).is_err());
        assert_eq!(std::fs::read_to_string(&program).unwrap(), "new");
        std::fs::write(folder.join(&left[1]), "old").unwrap();
        clean(&program);
        assert_eq!(files::list(&folder).unwrap().unwrap(), ["tool.exe"]);
    }
}
