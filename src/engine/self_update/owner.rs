//! Whose the tool's program file is: what a package manager has put there, only that one replaces.

use camino::Utf8Path;

use super::is_callers;
use crate::engine::Context;
use crate::engine::failure::Failure;
use crate::host::files;
use crate::plan::refusal::Refusal;

/// Refuses to replace what is somebody else's to replace.
pub(super) fn guard(context: &Context<'_>, program: &Utf8Path) -> Result<(), Failure> {
    let refused = |by: &str, instead: &str| -> Failure {
        Refusal::ForeignTool { program: program.to_owned(), by: by.to_owned(), instead: instead.to_owned() }
            .into()
    };
    if program.starts_with(context.layout.runtimes()) {
        return Err(refused(
            "mainstay itself, as a copy that runs instances",
            "type the name of the tool instead",
        ));
    }
    if let Some((by, instead)) = manager(program) {
        return Err(refused(by, instead));
    }
    let folder = program.parent().unwrap_or(program);
    if is_callers(folder)? && is_callers(program)? {
        return Ok(());
    }
    Err(Failure::Rights(format!("`{program}` belongs to another account, which has to replace it")))
}

/// The package manager that has put a program there, by where it stands.
fn manager(program: &Utf8Path) -> Option<(&'static str, &'static str)> {
    let holds = |word: &str| program.components().any(|component| component.as_str() == word);
    if holds("Cellar") {
        return Some(("Homebrew", "`brew upgrade mainstay`"));
    }
    if holds("node_modules") {
        return Some(("npm", "`npm install -g mainstay@latest`"));
    }
    if program.starts_with("/nix/store") {
        return Some(("Nix", "update it in the configuration or profile that names it"));
    }
    let of_system = ["/usr/bin", "/usr/sbin", "/usr/lib", "/bin", "/sbin"];
    if of_system.iter().any(|folder| program.starts_with(folder)) {
        return Some(("the system's package manager", "update it there, as with `apt-get install mainstay`"));
    }
    let root = program.parent().and_then(Utf8Path::parent)?;
    let list = files::read(&root.join(".crates.toml")).ok().flatten()?;
    let is_listed = list.lines().any(|line| line.starts_with("\"mainstay "));
    is_listed.then_some(("cargo", "`cargo install mainstay`"))
}
