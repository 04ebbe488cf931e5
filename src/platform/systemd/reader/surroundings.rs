//! What a program finds around itself: variables, account, folder, limits.

use camino::Utf8PathBuf;

use super::Reader;
use super::quantities::{size, truth};
use super::specifiers::UnitFacts;
use super::words::{self, Backslash};
use super::{collected::Collected, environment};
use crate::model::environment_file;
use crate::model::manifest::{Scope, VariableName};
use crate::model::token::{literal, literal_variable};
use crate::model::umask::Umask;

/// The path of an `EnvironmentFile=`, and whether it may be missing.
pub(super) fn environment_file(value: &str, facts: &UnitFacts) -> Result<(Utf8PathBuf, bool), String> {
    let path = value.strip_prefix('-');
    let is_optional = path.is_some();
    let path = facts
        .written_out(path.unwrap_or(value))
        .map_err(|unresolved| format!("`%{}` stands for what the host decides", unresolved.0))?;
    if !path.starts_with('/') || path.contains(['*', '?', '[']) {
        return Err("mainstay takes one file by its path, and no pattern".to_owned());
    }
    Ok((path.into(), is_optional))
}

/// Folders that systemd makes, and the variable that names them to the program.
const FOLDERS: [(&str, &str, &str, &str); 4] = [
    ("StateDirectory", "STATE_DIRECTORY", "/var/lib", ".local/state"),
    ("CacheDirectory", "CACHE_DIRECTORY", "/var/cache", ".cache"),
    ("LogsDirectory", "LOGS_DIRECTORY", "/var/log", ".local/state/log"),
    ("ConfigurationDirectory", "CONFIGURATION_DIRECTORY", "/etc", ".config"),
];

impl Reader<'_> {
    pub(super) fn surroundings(&mut self) {
        self.suppose();
        self.environment();
        self.environment_files();
        self.account();
        self.folder();
        self.folders_of_systemd();
        self.limits();
    }

    fn environment(&mut self) {
        for place in self.lines.many("Service", "Environment") {
            let value = self.lines.value(place);
            let words = match words::all(&value, Backslash::Strict) {
                Ok(words) => words,
                Err(error) => {
                    self.lines.same(place, format!("systemd passes the whole line over: {error}"));
                    continue;
                }
            };
            let mut set = Vec::new();
            let mut refused = None;
            for word in words {
                match self.variable(&word) {
                    Ok(Some(found)) => set.push(found),
                    Ok(None) => {}
                    Err(reason) => refused = Some(reason),
                }
            }
            if let Some(reason) = refused {
                self.lines.refused(place, reason);
                continue;
            }
            for (name, value) in set {
                self.variables.insert(name.to_string(), value.clone());
                self.draft.service.environment.insert(name, literal_variable(&value));
            }
            self.lines.carried(place, "service.environment");
        }
    }

    /// The variable that a word sets; nothing where systemd takes none from it.
    fn variable(&self, word: &str) -> Result<Option<(VariableName, String)>, String> {
        let word = self.facts().written_out(word).map_err(|unresolved| {
            format!("`%{}` stands for what the host decides at each start", unresolved.0)
        })?;
        let Some((name, value)) = word.split_once('=') else { return Ok(None) };
        Ok(VariableName::try_from(name.to_owned()).ok().map(|name| (name, value.to_owned())))
    }

    fn environment_files(&mut self) {
        for place in self.lines.many("Service", "EnvironmentFile") {
            let value = self.lines.value(place);
            let (path, is_optional) = match environment_file(&value, self.facts()) {
                Ok(found) => found,
                Err(reason) => {
                    self.lines.refused(place, reason);
                    continue;
                }
            };
            let text = self.source.environment_files.get(&path).cloned().flatten();
            let Some(text) = text else {
                if is_optional {
                    let note = "it may be missing and is: what is written there later is not read";
                    self.lines.same(place, note);
                } else {
                    self.draft.service.environment_file = Some(path);
                    self.lines.carried(place, "service.environmentFile");
                }
                continue;
            };
            let theirs = environment::file(&text);
            self.variables.extend(theirs.clone());
            let ours = environment_file::parse(&text).map(|variables| {
                variables.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
            });
            if self.draft.service.environment_file.is_some() {
                self.lines.refused(place, "a manifest names one file of variables: put them together");
            } else if ours.as_ref() != Ok(&theirs) {
                let reason = ours.err().map_or_else(
                    || "mainstay takes its quotes and backslashes otherwise".to_owned(),
                    |error| format!("mainstay can't read it: {error}"),
                );
                self.lines.refused(place, format!("{reason}; mend `{path}`"));
            } else {
                self.draft.service.environment_file = Some(path);
                self.lines.carried(place, "service.environmentFile");
                if is_optional {
                    self.lines.noting(place, "from now on it has to be there");
                }
            }
        }
    }

    fn account(&mut self) {
        for (key, field) in [("User", "service.user"), ("Group", "service.group")] {
            let Some((place, value)) = self.lines.last("Service", key) else { continue };
            match (self.facts().scope, self.facts().written_out(&value)) {
                (Scope::User, _) => {
                    self.lines.refused(place, "a user's services run as that user");
                }
                (_, Err(unresolved)) => {
                    self.lines.refused(place, format!("`%{}` is decided by the host", unresolved.0));
                }
                (_, Ok(name)) => {
                    let service = &mut self.draft.service;
                    let slot = if key == "User" { &mut service.user } else { &mut service.group };
                    *slot = Some(name);
                    self.lines.carried(place, field);
                }
            }
        }
        if let Some((place, value)) = self.lines.last("Service", "UMask") {
            let bits = u32::from_str_radix(&value, 8).ok();
            match bits.and_then(|bits| Umask::try_from(format!("{bits:04o}")).ok()) {
                Some(mask) => {
                    self.draft.service.umask = Some(mask);
                    self.lines.carried(place, "service.umask");
                }
                None => self.lines.refused(place, "it is no mask of rights"),
            }
        }
    }

    fn folder(&mut self) {
        let home = self.facts().home.to_string();
        let supposed = if self.is_system() { "/".to_owned() } else { home.clone() };
        self.draft.service.working_directory = Some(literal(&supposed));
        let Some((place, value)) = self.lines.last("Service", "WorkingDirectory") else { return };
        let path = value.strip_prefix('-').unwrap_or(&value);
        if path == "~" && self.draft.service.user.is_some() {
            self.lines.refused(place, "write out the account's home folder");
            return;
        }
        let path = if path == "~" { Ok(home) } else { self.facts().written_out(path) };
        match path {
            Ok(path) if path.starts_with('/') => {
                self.draft.service.working_directory = Some(literal(&path));
                self.lines.carried(place, "service.workingDirectory");
                if value.starts_with('-') {
                    self.lines.noting(place, "from now on it has to be there");
                }
            }
            Ok(_) => self.lines.refused(place, "it is no absolute path"),
            Err(unresolved) => {
                self.lines.refused(place, format!("`%{}` is decided by the host", unresolved.0));
            }
        }
    }

    /// Folders that systemd goes on making. The program hears of them by variables, which its supervisor hands on only
    /// where the manifest has them.
    fn folders_of_systemd(&mut self) {
        let runtime = self.facts().runtime_folder();
        let folders = FOLDERS
            .map(|(key, variable, of_host, of_user)| (key, variable, self.facts().folder(of_host, of_user)));
        let all = folders.into_iter().chain([("RuntimeDirectory", "RUNTIME_DIRECTORY", runtime)]);
        for (key, variable, base) in all {
            let places = self.lines.many("Service", key);
            let mut paths = Vec::new();
            for place in places {
                let value = self.lines.value(place);
                let words = words::all(&value, Backslash::Kept).unwrap_or_default();
                for word in words {
                    let name = word.split(':').next().unwrap_or_default();
                    let name = self.facts().written_out(name).unwrap_or_else(|_| name.to_owned());
                    paths.push(format!("{base}/{name}"));
                }
                self.pass(place, "Service", key);
            }
            self.name_folder(variable, &paths.join(":"));
        }
        if let Some((place, value)) = self.lines.last("Service", "RuntimeDirectoryPreserve") {
            if value == "restart" || truth(&value) == Some(false) {
                self.lines.same(place, "mainstay lets systemd keep them over a restart");
            } else {
                self.lines.refused(place, "the run folder lasts as long as the service");
            }
        }
    }

    fn name_folder(&mut self, variable: &str, path: &str) {
        let Ok(name) = VariableName::try_from(variable.to_owned()) else { return };
        if !path.is_empty() {
            self.draft.service.environment.entry(name).or_insert_with(|| literal_variable(path));
        }
    }

    fn limits(&mut self) {
        let limits = &mut self.draft.service.limits;
        let lines = &mut self.lines;
        let number = |lines: &mut Collected, key: &str, field: &str, from: u64, to: u64| {
            let (place, value) = lines.last("Service", key)?;
            match value.parse::<u64>().ok().filter(|number| (from..=to).contains(number)) {
                Some(number) => {
                    lines.carried(place, field);
                    Some(Ok(number))
                }
                None => Some(Err(place)),
            }
        };
        let mut passed = Vec::new();
        match number(lines, "LimitNOFILE", "service.limits.openFiles", 128, 1_000_000_000) {
            Some(Ok(count)) => limits.open_files = Some(count),
            Some(Err(place)) => passed.push((place, "LimitNOFILE")),
            None => {}
        }
        match number(lines, "TasksMax", "service.limits.processes", 1, 4_194_304) {
            Some(Ok(count)) => limits.processes = Some(count),
            Some(Err(place)) => passed.push((place, "TasksMax")),
            None => {}
        }
        if let Some((place, value)) = lines.last("Service", "MemoryMax") {
            match size(&value).filter(|size| size.bytes() > 0) {
                Some(size) => {
                    limits.memory = Some(size);
                    lines.carried(place, "service.limits.memory");
                }
                None => passed.push((place, "MemoryMax")),
            }
        }
        if let Some((place, value)) = lines.last("Service", "Nice") {
            match value.parse::<i8>().ok().filter(|nice| (-20..=19).contains(nice)) {
                Some(nice) if nice < 0 && self.source.facts.scope == Scope::User => {
                    lines.same(place, "a user's systemd may not give it a priority below 0");
                }
                Some(nice) => {
                    limits.nice = Some(nice);
                    lines.carried(place, "service.limits.nice");
                }
                None => lines.refused(place, "it is no priority from -20 to 19"),
            }
        }
        for (place, key) in passed {
            if self.lines.value(place) == "infinity" && key != "LimitNOFILE" {
                self.lines.same(place, "where nothing is said, mainstay limits nothing");
            } else {
                self.lines.refused(place, "a manifest takes one number");
            }
        }
    }
}
