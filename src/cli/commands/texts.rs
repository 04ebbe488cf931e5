//! `schema`, `render`, `completions` and `man`: texts for other programs.

use clap::CommandFactory as _;

use crate::cli::arguments::{
    Arguments, CompletionsArguments, ManArguments, RenderArguments, SchemaArguments,
};
use crate::cli::report::Report;
use crate::cli::{completion, surroundings};
use crate::engine::failure::Failure;
use crate::engine::render;
use crate::model::answer::small::{SchemaName, SchemasAnswer, TextAnswer};
use crate::model::nearest::nearest;
use crate::model::schema::Published;

/// `schema`
pub(crate) fn schema(report: &Report, arguments: &SchemaArguments) -> Result<u8, Failure> {
    if arguments.list {
        let names = Published::ALL
            .iter()
            .map(|document| SchemaName { name: document.name().to_owned(), address: document.address() });
        let answer = SchemasAnswer { schema: "schemas.v1".to_owned(), schemas: names.collect() };
        if report.is_json() {
            report.document(&answer);
        }
        for SchemaName { name, .. } in &answer.schemas {
            report.line(name);
        }
        return Ok(0);
    }
    let name = arguments.name.as_deref().unwrap_or("manifest");
    let document = Published::from_name(name).ok_or_else(|| {
        let meant =
            nearest(name, Published::ALL.iter().filter_map(|document| document.name().split('.').next()));
        let meant = meant.map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
        Failure::Usage(format!("there is no schema `{name}`: {meant}`mainstay schema --list` names them"))
    })?;
    report.raw(&document.text());
    Ok(0)
}

/// `render`
pub(crate) fn render(report: &Report, arguments: &RenderArguments) -> Result<u8, Failure> {
    let target = surroundings::target_to_render(report, &arguments.target)?;
    let facts = surroundings::facts(arguments.systemd_version);
    let answer = render::render(&target, arguments.platform, &facts)?;
    if report.is_json() {
        report.document(&answer);
    } else {
        report.say(format!("# {}", answer.path));
        report.raw(&answer.text);
        if let Some(socket) = &answer.socket {
            report.say(format!("# {}", socket.path));
            report.raw(&socket.text);
        }
    }
    Ok(0)
}

/// `completions`
pub(crate) fn completions(report: &Report, arguments: &CompletionsArguments) -> u8 {
    let text = completion::script(arguments.shell);
    told(report, format!("completions for {}", arguments.shell), &text)
}

/// `man`
pub(crate) fn man(report: &Report, arguments: &ManArguments) -> Result<u8, Failure> {
    let mut root = Arguments::command();
    root.build();
    let command = match &arguments.command {
        None => root,
        Some(name) => {
            let found = root.find_subcommand(name).cloned();
            found.ok_or_else(|| {
                let known = root.get_subcommands().map(clap::Command::get_name);
                let meant = nearest(name, known).map(|meant| format!(": did you mean `{meant}`?"));
                Failure::Usage(format!("there is no command `{name}`{}", meant.unwrap_or_default()))
            })?
        }
    };
    let of = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let source = concat!("mainstay ", env!("CARGO_PKG_VERSION"));
    let mut text = Vec::new();
    // A vector takes all that is written to it.
    let _ = clap_mangen::Man::new(command).source(source).render(&mut text);
    Ok(told(report, format!("the manual page {of}(1)"), &text))
}

fn told(report: &Report, of: String, text: &[u8]) -> u8 {
    let text = String::from_utf8_lossy(text).into_owned();
    if report.is_json() {
        report.document(&TextAnswer { schema: "text.v1".to_owned(), of, text });
    } else {
        report.raw(&text);
    }
    0
}
