//! Command lines ("Command Lines", systemd.service(5)): prefixes, words, several commands in one line, and variables,
//! which are written out.

use std::collections::BTreeMap;

use super::lines::blank;
use super::specifiers::UnitFacts;
use super::words::{self, Backslash};

/// What variables stand for when a command is started.
pub(super) type Variables = BTreeMap<String, String>;

/// One command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Command {
    /// The signs before the path.
    pub(super) prefixes: String,
    /// The path of the program.
    pub(super) path: String,
    /// Its words, of which the first is the name that it is given.
    pub(super) argv: Vec<String>,
    /// The variables of which values were written out.
    pub(super) written_out: Vec<String>,
}

impl Command {
    /// Whether the path has this sign before it.
    pub(super) fn has(&self, prefix: char) -> bool {
        self.prefixes.contains(prefix)
    }

    /// The path and the arguments after it.
    pub(super) fn words(&self) -> Vec<String> {
        std::iter::once(&self.path).chain(self.argv.iter().skip(1)).cloned().collect()
    }
}

/// What only a process that runs can know. They have no value when a command is read.
const OF_THE_RUN: [&str; 9] = [
    "MAINPID",
    "MANAGERPID",
    "SERVICE_RESULT",
    "EXIT_CODE",
    "EXIT_STATUS",
    "LISTEN_FDS",
    "NOTIFY_SOCKET",
    "INVOCATION_ID",
    "MONITOR_SERVICE_RESULT",
];

/// The commands of a line; or why systemd's words can't be said in others.
pub(super) fn read(value: &str, facts: &UnitFacts, variables: &Variables) -> Result<Vec<Command>, String> {
    let mut commands = Vec::new();
    let mut rest = value;
    loop {
        let (command, after) = one(rest, facts, variables)?;
        commands.push(command);
        match after {
            Some(after) => rest = after,
            None => return Ok(commands),
        }
    }
}

/// The next command, and what follows its `;`.
fn one<'a>(
    text: &'a str,
    facts: &UnitFacts,
    variables: &Variables,
) -> Result<(Command, Option<&'a str>), String> {
    let first = words::next(text, Backslash::Kept).map_err(|error| error.to_string())?;
    let Some((first, mut rest)) = first else { return Err("it names no program".to_owned()) };
    let length = first.len() - first.trim_start_matches(['-', '@', ':', '+', '!', '|']).len();
    let (prefixes, path) = first.split_at(length);
    let mut command = Command { prefixes: prefixes.to_owned(), ..Command::default() };
    command.path = written_out(path, facts)?;
    if command.path.is_empty() {
        return Err("it names no program".to_owned());
    }
    if !command.has('@') {
        command.argv.push(command.path.clone());
    }
    loop {
        let begins =
            |sign: &str| rest.strip_prefix(sign).filter(|after| after.is_empty() || after.starts_with(blank));
        if let Some(after) = begins(";") {
            let after = after.trim_start_matches(blank);
            return Ok((named(command)?, (!after.is_empty()).then_some(after)));
        }
        if let Some(after) = begins("\\;") {
            command.argv.push(";".to_owned());
            rest = after.trim_start_matches(blank);
            continue;
        }
        match words::next(rest, Backslash::Kept).map_err(|error| error.to_string())? {
            None => return Ok((named(command)?, None)),
            Some((word, after)) => {
                let word = written_out(&word, facts)?;
                if command.has(':') || command.argv.is_empty() {
                    command.argv.push(word);
                } else {
                    expand(&word, variables, &mut command)?;
                }
                rest = after;
            }
        }
    }
}

fn named(command: Command) -> Result<Command, String> {
    if command.argv.is_empty() {
        return Err("`@` is to be followed by the name that the program is given".to_owned());
    }
    Ok(command)
}

fn written_out(text: &str, facts: &UnitFacts) -> Result<String, String> {
    facts.written_out(text).map_err(|unresolved| {
        format!("`%{}` stands for what the host decides at each start: write out what is meant", unresolved.0)
    })
}

/// Adds a word with its variables written out: one that is nothing but a variable becomes as many words as its value
/// has.
fn expand(word: &str, variables: &Variables, command: &mut Command) -> Result<(), String> {
    let is_name = |name: &str| {
        let mut letters = name.chars();
        letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
            && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    let mut written = Vec::new();
    let mut value = |name: &str| -> Result<String, String> {
        if OF_THE_RUN.contains(&name) {
            return Err(format!("`${name}` has a value only while the service runs"));
        }
        written.push(name.to_owned());
        Ok(variables.get(name).cloned().unwrap_or_default())
    };
    if let Some(name) = word.strip_prefix('$').filter(|name| is_name(name)) {
        let value = value(name)?;
        let words = words::all(&value, Backslash::Kept);
        let plain = || value.split(blank).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        command.argv.extend(words.unwrap_or_else(|_| plain()));
        command.written_out.extend(written);
        return Ok(());
    }
    let mut whole = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('$') {
        whole.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        if let Some(after) = after.strip_prefix('$') {
            whole.push('$');
            rest = after;
        } else if let Some((name, after)) = braced.filter(|(name, _)| is_name(name)) {
            whole.push_str(&value(name)?);
            rest = after;
        } else {
            whole.push('$');
            rest = after;
        }
    }
    whole.push_str(rest);
    command.argv.push(whole);
    command.written_out.extend(written);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::manifest::Scope;

    fn commands(value: &str) -> Result<Vec<Command>, String> {
        let facts = UnitFacts {
            unit: "web.service".to_owned(),
            scope: Scope::System,
            account: "root".to_owned(),
            uid: 0,
            home: "/root".into(),
        };
        let variables = [("OPTIONS", "-a 'b c'"), ("PORT", "80")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        read(value, &facts, &variables)
    }

    #[test]
    fn variables_are_written_out() {
        let found = commands(r#"/bin/x $OPTIONS "${PORT}:${NONE}" $NONE $$PORT a$PORT %%"#).unwrap();
        assert_eq!(found[0].argv, ["/bin/x", "-a", "b c", "80:", "$PORT", "a$PORT", "%"]);
        assert_eq!(found[0].written_out, ["OPTIONS", "PORT", "NONE", "NONE"]);
        assert_eq!(commands(":/bin/x $PORT ${PORT}").unwrap()[0].argv, ["/bin/x", "$PORT", "${PORT}"]);
        assert!(commands("/bin/kill -HUP $MAINPID").unwrap_err().contains("MAINPID"));
    }

    #[test]
    fn a_line_may_have_several_commands() {
        let found = commands(r"-/bin/a x \; y ; @/bin/b c d ;").unwrap();
        assert_eq!(found[0].argv, ["/bin/a", "x", ";", "y"]);
        assert!(found[0].has('-') && found[1].has('@'));
        assert_eq!(
            (found[1].path.as_str(), found[1].argv.as_slice()),
            ("/bin/b", &["c", "d"].map(str::to_owned)[..])
        );
        assert_eq!(found[1].words(), ["/bin/b", "d"]);
        for wrong in ["", "-", "@/bin/x", "/bin/x 'a", "/bin/x %H"] {
            assert!(commands(wrong).is_err(), "{wrong}");
        }
    }
}
