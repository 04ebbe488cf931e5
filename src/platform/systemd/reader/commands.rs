//! The commands of a unit: the program, what is run before and after it, and how it is asked to end and to read its
//! settings again.

use super::Reader;
use super::command::{self, Command};
use super::policy::stop_signal;
use crate::model::token::literal;
use crate::platform::systemd::escape;

/// Commands that systemd goes on running, beside mainstay's own.
const BESIDE: [&str; 5] = ["ExecCondition", "ExecStartPre", "ExecStartPost", "ExecReload", "ExecStopPost"];
/// The name of the file of the process number, where something needs one.
const PID_FILE: &str = "program.pid";
/// What the main process is called in a command of a unit.
const MAIN: [&str; 2] = ["$MAINPID", "${MAINPID}"];

impl Reader<'_> {
    pub(super) fn commands(&mut self) {
        self.start();
        self.stop();
        self.reload();
        for key in BESIDE {
            for place in self.lines.many("Service", key) {
                self.beside(place, key);
            }
        }
    }

    /// Whether the program was brought to stay in the foreground.
    pub(super) fn stays_in_foreground(&self) -> bool {
        let command = self.draft.service.command.as_deref().unwrap_or_default();
        command.iter().any(|word| word.contains("daemon off;"))
    }

    fn start(&mut self) {
        let places = self.lines.many("Service", "ExecStart");
        let Some((&first, others)) = places.split_first() else { return };
        for place in others {
            self.lines.refused(*place, "a service has one program: each other one is a service of its own");
        }
        let value = self.lines.value(first);
        let commands = match command::read(&value, self.facts(), &self.variables) {
            Ok(commands) => commands,
            Err(reason) => return self.lines.refused(first, reason),
        };
        let [command] = commands.as_slice() else {
            return self
                .lines
                .refused(first, "a service has one program: each other one is a service of its own");
        };
        let forks = self.lines.peek("Service", "Type").as_deref() == Some("forking");
        let mut words = command.words();
        if forks && command.path.rsplit('/').next() == Some("nginx") {
            in_foreground(&mut words);
        }
        self.draft.service.command = Some(words.iter().map(|word| literal(word)).collect());
        self.lines.carried(first, "service.command");
        if !command.written_out.is_empty() {
            let names = command.written_out.iter().map(|name| format!("`${name}`")).collect::<Vec<_>>();
            self.lines.noting(
                first,
                format!("{} written out as of now: change the manifest to change it", names.join(", ")),
            );
        }
        self.prefixes(first, command);
    }

    /// What stands before the path of the program.
    fn prefixes(&mut self, place: usize, command: &Command) {
        let other_name = command.has('@') && command.argv.first() != Some(&command.path);
        let has_user = self.draft.service.user.as_deref().is_some_and(|user| user != "root");
        let key = "ExecStart-prefix";
        let mut add = |what: &str| {
            let line = self.lines.line(place);
            let found = crate::model::adoption::AdoptedLine { key: key.to_owned(), ..line };
            self.lines.push(found.refused(what));
        };
        if other_name {
            add("`@` gives the program another name than its file's, which mainstay does not");
        }
        if command.has('-') {
            add("`-` makes a bad end a good one: say in `service.exitCodes` which codes are good");
        }
        if command.has('|') {
            add("`|` starts it by the account's shell, which mainstay does not");
        }
        if command.has('+') && has_user {
            add("`+` gives the program root's rights although there is a `User`");
        }
        if command.has('!') && has_user {
            add("`!` gives the program root's rights to begin with although there is a `User`");
        }
    }

    fn stop(&mut self) {
        let places = self.lines.many("Service", "ExecStop");
        let Some((&first, others)) = places.split_first() else { return };
        for place in others {
            self.lines.refused(*place, "a service is stopped by one command: let a script have them all");
        }
        let value = self.lines.value(first);
        if let Some(signal) = signal_to_main(&value) {
            match stop_signal(&signal) {
                Some(signal) => {
                    self.draft.service.stop.signal = Some(signal);
                    self.lines.carried(first, "service.stop.signal");
                }
                None => self.lines.refused(first, "`service.stop.signal` knows no such signal"),
            }
            return;
        }
        match command::read(&value, self.facts(), &self.variables).as_deref() {
            Ok([command]) if command.prefixes.trim_matches(['-', ':']).is_empty() => {
                self.draft.service.stop.command =
                    Some(command.words().iter().map(|word| literal(word)).collect());
                self.lines.carried(first, "service.stop.command");
            }
            Ok([_]) => self.lines.refused(first, "mainstay runs it with the service's own rights and name"),
            Ok(_) => {
                self.lines.refused(first, "a service is stopped by one command: let a script have them all");
            }
            Err(reason) => {
                let reason = reason.clone();
                self.lines.refused(first, reason);
            }
        }
    }

    /// A signal to the main process, which is mainstay's own now: the program's number stands in a file.
    fn reload(&mut self) {
        let places = self.lines.peek_many("Service", "ExecReload");
        let [place] = places.as_slice() else { return };
        let Some(signal) = signal_to_main(&self.lines.value(*place)) else { return };
        self.lines.many("Service", "ExecReload");
        self.draft.service.pid_file = Some(format!("{{run}}/{PID_FILE}"));
        let file = self.source.run.join(PID_FILE);
        let script = format!("kill -{signal} \"$(cat '{file}')\"");
        match escape::command(&["/bin/sh", "-c", &script]) {
            Ok(line) => {
                self.add("Service", "ExecReload", line);
                self.lines.carried(*place, "systemd.service.ExecReload");
                self.lines.noting(*place, "by `service.pidFile`: the main process is mainstay's own");
            }
            Err(error) => self.lines.refused(*place, error.to_string()),
        }
    }

    /// A command that systemd goes on running. Its variables are written out, because the unit has them no more.
    fn beside(&mut self, place: usize, key: &str) {
        let value = self.lines.value(place);
        let has_variables = !self.variables.is_empty();
        if value.contains('$') {
            match command::read(&value, self.facts(), &self.variables) {
                Ok(commands) => {
                    for command in commands {
                        match rendered(&command) {
                            Ok(line) => self.add("Service", key, line),
                            Err(reason) => return self.lines.refused(place, reason),
                        }
                    }
                }
                Err(reason) => return self.lines.refused(place, reason),
            }
        } else {
            self.add("Service", key, value);
        }
        self.lines.carried(place, format!("systemd.service.{key}"));
        if has_variables {
            self.lines.noting(place, "it is run without the variables of the program");
        }
    }
}

/// The same command in words without variables.
fn rendered(command: &Command) -> Result<String, String> {
    if command.has('@') {
        return Err("`@` and variables together can't be written out".to_owned());
    }
    let line = escape::command(&command.words()).map_err(|error| error.to_string())?;
    let kept: String = command.prefixes.chars().filter(|prefix| *prefix != ':').collect();
    Ok(format!("{kept}{line}"))
}

/// The signal of a command that only sends one to the main process, without `SIG`.
fn signal_to_main(value: &str) -> Option<String> {
    let words: Vec<&str> = value.trim_start_matches('-').split_whitespace().collect();
    let (program, words) = words.split_first()?;
    if !matches!(*program, "/bin/kill" | "/usr/bin/kill" | "kill") {
        return None;
    }
    let signal = match words {
        [main] if MAIN.contains(main) => "TERM",
        ["-s" | "--signal", signal, main] if MAIN.contains(main) => signal,
        [signal, main] if MAIN.contains(main) => signal.strip_prefix('-')?,
        _ => return None,
    };
    let signal = signal.trim_start_matches("SIG");
    signal.bytes().all(|byte| byte.is_ascii_alphanumeric()).then(|| signal.to_owned())
}

/// nginx goes to the background unless it is told not to; a later word about it would be one too many.
fn in_foreground(words: &mut Vec<String>) {
    let given = words.iter().position(|word| word == "-g").filter(|at| at + 1 < words.len());
    let Some(at) = given else {
        return words.extend(["-g".to_owned(), "daemon off;".to_owned()]);
    };
    let directives = &mut words[at + 1];
    *directives = if directives.contains("daemon on;") {
        directives.replace("daemon on;", "daemon off;")
    } else if directives.contains("daemon off;") {
        directives.clone()
    } else {
        format!("daemon off; {directives}")
    };
}
