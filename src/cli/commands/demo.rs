//! `demo`: the whole life of a sample service, each command shown and really run.

use crate::cli::arguments::DemoArguments;
use crate::cli::demo::packages::{DEPLOY, VERSIONS};
use crate::cli::demo::server;
use crate::cli::demo::stage::{Broken, Stage};
use crate::cli::report::{Report, style, styled};
use crate::engine::failure::Failure;
use crate::host::files;

/// `demo`
pub(crate) fn demo(report: &Report, arguments: &DemoArguments) -> Result<u8, Failure> {
    if let Some(version) = &arguments.serve {
        return server::serve(report, version);
    }
    if report.is_json() {
        return Err(Failure::Usage("a demo is for people: it has no JSON".to_owned()));
    }
    let stage = match Stage::open(report) {
        Ok(stage) => stage,
        Err(broken) => return Ok(told(report, &broken)),
    };
    let folder = stage.folder().to_owned();
    let shown = show(report, &stage);
    let closed = stage.close(arguments.keep);
    for outcome in [shown, closed] {
        if let Err(broken) = outcome {
            return Ok(told(report, &broken));
        }
    }
    report.line("");
    if arguments.keep {
        report.line(format!("Everything is as promised. The folder is left: {folder}"));
    } else {
        report.line(format!(
            "{} everything is as promised, and nothing is left.",
            styled(style::GOOD, "done:")
        ));
    }
    Ok(0)
}

fn show(report: &Report, stage: &Stage<'_>) -> Result<(), Broken> {
    let [(first, _), (second, _)] = VERSIONS;
    report.line(format!(
        "The life of a small server as a service, without a service manager, in {}.",
        stage.folder()
    ));
    report.line("Each command is run as it is shown.");
    stage.typed(&format!("cd {}", stage.folder()));
    stage.typed(&format!("export MAINSTAY_ROOT={}", stage.root()));

    stage.scene("Two versions of the server, each a folder with a description, become archives.");
    stage.cat(".", &format!("{first}/mainstay-package.json"))?;
    stage.run(".", &["pack", first])?;
    stage.run(".", &["pack", second])?;

    stage.scene("A deploy folder says how it is to run here. `install` returns when it is ready.");
    stage.typed(&format!("cd {DEPLOY}"));
    stage.cat(DEPLOY, "mainstay.json")?;
    stage.run(DEPLOY, &["install", "--from", "../hello-1.0.0.tar.gz"])?;
    stage.ask("hello 1.0.0")?;

    stage.scene("How is it, and what did it write?");
    stage.run(DEPLOY, &["status"])?;
    stage.run(DEPLOY, &["logs", "--no-follow"])?;

    stage.scene("Another version. If it did not become ready, the one before would run again.");
    stage.run(DEPLOY, &["upgrade", "--from", "../hello-2.0.0.tar.gz", "--yes"])?;
    stage.ask("hello 2.0.0")?;
    stage.run(DEPLOY, &["history"])?;

    stage.scene("Back to the version before; then the version that is no longer needed is removed.");
    stage.run(DEPLOY, &["upgrade", "--rollback", "--yes"])?;
    stage.ask("hello 1.0.0")?;
    stage.run(DEPLOY, &["upgrade", "--cleanup", "--yes"])?;
    only_version(stage, "hello-1.0.0")?;

    stage.scene("The end.");
    stage.run(DEPLOY, &["uninstall", "--purge", "--yes"])?;
    stage.nothing_left()
}

fn only_version(stage: &Stage<'_>, wanted: &str) -> Result<(), Broken> {
    let names = files::list(&stage.root().join("install/hello")).map_err(Failure::from)?.unwrap_or_default();
    let trees: Vec<&String> = names.iter().filter(|name| name.starts_with("hello-")).collect();
    if trees != [wanted] {
        return Err(Broken::Check(format!("only `{wanted}` should be left, and there is {trees:?}")));
    }
    Ok(())
}

/// Tells what went wrong, and gives the exit code.
fn told(report: &Report, broken: &Broken) -> u8 {
    let mut causes = Vec::new();
    let mut source = std::error::Error::source(broken);
    while let Some(error) = source {
        causes.push(error.to_string());
        source = error.source();
    }
    report.failure(&broken.to_string(), &causes, &[]);
    if matches!(broken, Broken::Interrupted) { 130 } else { 1 }
}
