//! `man`.

use crate::cli::arguments::{Arguments, ManArguments};
use crate::cli::report::Report;
use crate::engine::failure::Failure;
use crate::host::{environment, files, reader, temporary};
use crate::model::answer::small::TextAnswer;
use crate::model::nearest::nearest;
use camino::Utf8Path;
use clap::CommandFactory as _;

/// `man`
pub(crate) fn man(report: &Report, arguments: &ManArguments) -> Result<u8, Failure> {
    let mut root = Arguments::command();
    root.build();
    if let Some(folder) = &arguments.all {
        return every_page(report, &root, folder);
    }
    let command = match &arguments.command {
        None => &root,
        Some(name) => root.find_subcommand(name).ok_or_else(|| {
            let known = root.get_subcommands().map(clap::Command::get_name);
            let meant = nearest(name, known).map(|meant| format!(": did you mean `{meant}`?"));
            Failure::Usage(format!("there is no command `{name}`{}", meant.unwrap_or_default()))
        })?,
    };
    let text = page(command);
    if report.is_watched() && read_by_a_person(command, &text)? {
        return Ok(0);
    }
    Ok(text_told(report, format!("the manual page {}(1)", page_name(command)), &text))
}

/// Shows a page as manual pages are read, where the host can.
fn read_by_a_person(command: &clap::Command, text: &[u8]) -> Result<bool, Failure> {
    let folder = temporary::folder("mainstay-man-")?;
    let path = folder.path().join(format!("{}.1", page_name(command)));
    files::write(&path, &String::from_utf8_lossy(text), 0o644, None)?;
    Ok(reader::shows(&path))
}

/// Writes the pages of all commands that are shown.
fn every_page(report: &Report, root: &clap::Command, folder: &Utf8Path) -> Result<u8, Failure> {
    let folder = environment::working_folder()?.join(folder);
    files::create_folder(&folder, 0o755, None)?;
    let shown = root.get_subcommands().filter(|command| !command.is_hide_set());
    let mut written = Vec::new();
    for command in std::iter::once(root).chain(shown) {
        let path = folder.join(format!("{}.1", page_name(command)));
        files::write(&path, &String::from_utf8_lossy(&page(command)), 0o644, None)?;
        written.push(path.to_string());
    }
    let count = written.len();
    if report.is_json() {
        report.document(&TextAnswer {
            schema: "text.v1".to_owned(),
            of: format!("the manual pages in {folder}"),
            text: written.join("\n"),
        });
    }
    report.done(format!("{count} manual pages are in {folder}"));
    Ok(0)
}

/// The name of a command's page: `mainstay-install`.
fn page_name(command: &clap::Command) -> &str {
    command.get_display_name().unwrap_or(command.get_name())
}

fn page(command: &clap::Command) -> Vec<u8> {
    let source = concat!("mainstay ", env!("CARGO_PKG_VERSION"));
    let mut text = Vec::new();
    // An empty date would not count, and what follows it would be taken for one; the page says the version instead.
    let page = clap_mangen::Man::new(command.clone()).title(page_name(command).to_uppercase()).date(" ");
    // A vector takes all that is written to it.
    let _ = page.source(source).manual("mainstay").render(&mut text);
    // Breaks around an empty line are too many.
    let text = String::from_utf8_lossy(&text).replace(".br\n\n.br\n", "\n");
    text.into_bytes()
}

/// Prints a text for another program, or says it in a document.
pub(super) fn text_told(report: &Report, of: String, text: &[u8]) -> u8 {
    let text = String::from_utf8_lossy(text).into_owned();
    if report.is_json() {
        report.document(&TextAnswer { schema: "text.v1".to_owned(), of, text });
    } else {
        report.raw(&text);
    }
    0
}
