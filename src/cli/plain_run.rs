//! `run`, exactly as definitions and guardians write it, understood without the parser of all commands.
//!
//! A supervisor lives for months, and code that ran once at its start stays in its memory: the parser would take
//! 450 KiB, a ninth of what a supervisor may have. Whatever is typed in any other way goes to the parser.

use crate::cli::arguments::{RunArguments, ScopeArguments};
use crate::model::name::InstanceName;

/// The arguments of `run`, or nothing if they are not in the plain form.
pub(super) fn plain_run(words: &[String]) -> Option<RunArguments> {
    let [command, option, name, rest @ ..] = words else { return None };
    if command != "run" || option != "--name" {
        return None;
    }
    let mut arguments = RunArguments {
        name: InstanceName::new(name.as_str()).ok()?,
        scope: ScopeArguments::default(),
        supervise: false,
        detached: false,
        resident: false,
        anew: false,
        guardian: None,
        echo: false,
        pid_file: None,
        root: None,
        config_root: None,
        windowless: false,
    };
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        let flag = match word.as_str() {
            "--system" if !arguments.scope.user => &mut arguments.scope.system,
            "--user" if !arguments.scope.system => &mut arguments.scope.user,
            "--supervise" => &mut arguments.supervise,
            "--resident" => &mut arguments.resident,
            "--detached" => &mut arguments.detached,
            "--echo" => &mut arguments.echo,
            "--windowless" => &mut arguments.windowless,
            "--guardian" if arguments.guardian.is_none() => {
                arguments.guardian = Some(rest.next()?.parse().ok()?);
                continue;
            }
            "--pid-file" if arguments.pid_file.is_none() => {
                arguments.pid_file = Some(rest.next()?.into());
                continue;
            }
            "--root" if arguments.root.is_none() => {
                arguments.root = Some(rest.next()?.into());
                continue;
            }
            "--config-root" if arguments.config_root.is_none() => {
                arguments.config_root = Some(rest.next()?.into());
                continue;
            }
            _ => return None,
        };
        if std::mem::replace(flag, true) {
            return None;
        }
    }
    Some(arguments)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::arguments::{Arguments, Command};

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn it_understands_the_plain_form_as_the_parser_does() {
        for text in [
            "run --name web",
            "run --name web --system",
            "run --name web --user --supervise",
            "run --name web --system --supervise --guardian 4711:123456",
            "run --name web --system --supervise --echo --guardian 4711:123456",
            "run --name web --user --detached",
            "run --name web --user --resident",
            "run --name web --system --supervise --pid-file /run/web.pid --guardian 4711:123456",
        ] {
            let plain = plain_run(&words(text)).unwrap();
            let all = std::iter::once("mainstay".to_owned()).chain(words(text));
            let parsed = Arguments::try_parse_from(all).unwrap();
            let Command::Run(parsed) = parsed.command else { panic!("{text}") };
            assert_eq!(format!("{plain:?}"), format!("{parsed:?}"));
        }
    }

    #[test]
    fn everything_else_is_left_to_the_parser() {
        for text in [
            "",
            "run",
            "run web",
            "run --name",
            "run --name WEB",
            "run --name=web",
            "run --name web --system --user",
            "run --name web --system --system",
            "run --name web --guardian",
            "run --name web --guardian x",
            "run --name web --pid-file",
            "run --name web --verbose",
            "run --system --name web",
            "status --name web",
        ] {
            assert!(plain_run(&words(text)).is_none(), "{text}");
        }
    }
}
