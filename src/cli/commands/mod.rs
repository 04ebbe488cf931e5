//! A file for each command (`start`, `stop` and `restart` are one): it turns what was typed into a request, and the outcome
//! into words. What several of them have in common has files of its own.

mod absent;
mod adopt;
mod apply;
mod boot;
mod cleanup;
mod completions;
mod demo;
mod doctor;
mod export;
mod guardian;
mod history;
mod init;
mod install;
mod lifecycle;
mod list;
mod logs;
mod man;
mod outcome;
mod pack;
mod pick;
mod plan;
mod recover;
mod render;
mod repair;
mod run;
mod schema;
mod self_update;
mod status;
mod typed;
mod uninstall;
mod upgrade;
mod validate;
mod watching;
mod wave;

use crate::cli::arguments::Command;
use crate::cli::report::Report;
use crate::engine::failure::Failure;
use crate::plan::step::Operation;

/// Runs a command, and gives its exit code.
pub(crate) fn run(command: Command, report: &Report) -> Result<u8, Failure> {
    match command {
        Command::Init(arguments) => init::init(report, &arguments),
        Command::Install(arguments) => install::install(report, &arguments),
        Command::Adopt(arguments) => adopt::adopt(report, &arguments),
        Command::Plan(arguments) => plan::plan(report, &arguments),
        Command::Apply(arguments) => apply::apply(report, &arguments),
        Command::Start(arguments) => lifecycle::lifecycle(report, Operation::Start, &arguments),
        Command::Stop(arguments) => lifecycle::lifecycle(report, Operation::Stop, &arguments),
        Command::Restart(arguments) => lifecycle::lifecycle(report, Operation::Restart, &arguments),
        Command::Status(arguments) => status::status(report, &arguments),
        Command::List(arguments) => list::list(report, &arguments),
        Command::Upgrade(arguments) if arguments.all => wave::wave(report, &arguments),
        Command::Upgrade(arguments) if arguments.cleanup => cleanup::cleanup(report, &arguments),
        Command::Upgrade(arguments) => upgrade::upgrade(report, &arguments),
        Command::Uninstall(arguments) => uninstall::uninstall(report, &arguments),
        Command::Run(arguments) => run::run(report, &arguments),
        Command::Boot(arguments) => boot::boot(report, &arguments),
        Command::Repair(arguments) => repair::repair(report, &arguments),
        Command::Recover(arguments) => recover::recover(report, &arguments),
        Command::SelfUpdate(arguments) => self_update::self_update(report, &arguments),
        Command::Demo(arguments) => demo::demo(report, &arguments),
        Command::Logs(arguments) => logs::logs(report, &arguments),
        Command::Doctor(arguments) => doctor::doctor(report, &arguments),
        Command::History(arguments) => history::history(report, &arguments),
        Command::Validate(arguments) => validate::validate(report, &arguments),
        Command::Schema(arguments) => schema::schema(report, &arguments),
        Command::Render(arguments) => render::render(report, &arguments),
        Command::Pack(arguments) => pack::pack(report, &arguments),
        Command::Export(arguments) => export::export(report, &arguments),
        Command::Completions(arguments) => Ok(completions::completions(report, &arguments)),
        Command::Man(arguments) => man::man(report, &arguments),
    }
}
