//! Interpreters: a command that begins with one starts the script behind it.

use camino::Utf8Path;

/// Options of Node.js that take the next argument with them (node(1)).
const NODE_WITH_VALUE: [&str; 10] = [
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "-C",
    "--conditions",
    "--env-file",
    "--title",
    "--input-type",
];
/// Options of Python that take the next argument with them (python3(1)).
const PYTHON_WITH_VALUE: [&str; 3] = ["-W", "-X", "--check-hash-based-pycs"];

/// What a Python was given to run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Work<'a> {
    /// A module, by its name.
    Module(&'a str),
    /// A file.
    Script(&'a str),
}

pub(super) fn is_node(program: &Utf8Path) -> bool {
    matches!(program.file_name(), Some("node" | "nodejs" | "bun"))
}

pub(super) fn is_python(program: &Utf8Path) -> bool {
    let rest = program
        .file_name()
        .and_then(|name| name.strip_prefix("python").or_else(|| name.strip_prefix("pypy")));
    rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

/// The command without the `env` before it, with the variables that it sets.
pub(super) fn past_env(arguments: &[String]) -> (Option<&String>, &[String]) {
    let is_env = arguments.first().is_some_and(|name| Utf8Path::new(name).file_name() == Some("env"));
    let skipped = if is_env {
        let is_setting = |argument: &&String| argument.contains('=') || argument.starts_with('-');
        1 + arguments[1..].iter().take_while(is_setting).count()
    } else {
        0
    };
    match arguments.get(skipped..).and_then(<[String]>::split_first) {
        Some((program, rest)) => (Some(program), rest),
        None => (None, &[]),
    }
}

/// The script that a Node.js was given to run.
pub(super) fn script(arguments: &[String]) -> Option<&str> {
    first_word(arguments, &NODE_WITH_VALUE)
}

/// What a Python was given to run.
pub(super) fn python_work(arguments: &[String]) -> Option<Work<'_>> {
    let script = first_word(arguments, &PYTHON_WITH_VALUE);
    let module = arguments.iter().position(|argument| argument == "-m");
    let before_script =
        |at: &usize| script.is_none_or(|script| arguments[*at + 1..].iter().any(|word| word == script));
    match module.filter(before_script).and_then(|at| arguments.get(at + 1)) {
        Some(module) => Some(Work::Module(module)),
        None => script.map(Work::Script),
    }
}

fn first_word<'a>(arguments: &'a [String], with_value: &[&str]) -> Option<&'a str> {
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--" => return words.next(),
            _ if with_value.contains(&word) => {
                words.next();
            }
            // What follows is no file but the program itself, or there is none.
            "-e" | "--eval" | "-p" | "--print" | "-c" | "-" => return None,
            _ if word.starts_with('-') => {}
            _ => return Some(word),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_script_stands_behind_the_options() {
        for (text, expected) in [
            ("web.js --port 1", Some("web.js")),
            ("--enable-source-maps -r dotenv/config web.js", Some("web.js")),
            ("-- --odd.js", Some("--odd.js")),
            ("-e 1+1", None),
            ("", None),
        ] {
            assert_eq!(script(&words(text)), expected, "{text}");
        }
    }

    #[test]
    fn python_runs_a_module_or_a_file() {
        assert_eq!(python_work(&words("-u -m web.server --port 1")), Some(Work::Module("web.server")));
        assert_eq!(python_work(&words("-W error serve.py -m x")), Some(Work::Script("serve.py")));
        assert_eq!(python_work(&words("-c pass")), None);
    }

    #[test]
    fn env_is_no_program_of_its_own() {
        let arguments = words("/usr/bin/env -i A=1 node web.js");
        let (program, rest) = past_env(&arguments);
        assert_eq!((program.map(String::as_str), rest), (Some("node"), &arguments[4..]));
        assert!(is_python(Utf8Path::new("/x/python3.11")) && !is_python(Utf8Path::new("/x/pythonic")));
    }
}
