//! The specifiers of a unit's values (systemd.unit(5), "Specifiers"): what the unit itself decides is written out, what
//! the host decides at each start can't be.

use camino::Utf8PathBuf;

use crate::model::manifest::Scope;

/// What the specifiers of one unit stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitFacts {
    /// The unit's full name, as in `web.service`.
    pub unit: String,
    /// Whose manager runs it.
    pub scope: Scope,
    /// The account of that manager.
    pub account: String,
    /// The number of that account.
    pub uid: u32,
    /// Its home folder.
    pub home: Utf8PathBuf,
}

/// A specifier that stands for nothing that could be written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unresolved(pub(super) char);

impl UnitFacts {
    /// The name without its ending.
    pub(super) fn stem(&self) -> &str {
        self.unit.rsplit_once('.').map_or(&self.unit, |(stem, _)| stem)
    }

    fn prefix(&self) -> &str {
        self.stem().split_once('@').map_or(self.stem(), |(prefix, _)| prefix)
    }

    fn instance(&self) -> &str {
        self.stem().split_once('@').map_or("", |(_, instance)| instance)
    }

    /// What a folder of systemd.exec(5) is called in this scope: of the host, else below the home.
    pub(super) fn folder(&self, of_host: &str, of_user: &str) -> String {
        match self.scope {
            Scope::System => of_host.to_owned(),
            Scope::User => self.home.join(of_user).into_string(),
        }
    }

    /// Where what lasts only until the host goes down stands.
    #[must_use]
    pub fn runtime_folder(&self) -> String {
        match self.scope {
            Scope::System => "/run".to_owned(),
            Scope::User => format!("/run/user/{}", self.uid),
        }
    }

    fn value(&self, specifier: char) -> Option<String> {
        Some(match specifier {
            '%' => "%".to_owned(),
            'n' => self.unit.clone(),
            'N' => self.stem().to_owned(),
            'p' => self.prefix().to_owned(),
            'P' => unescape(self.prefix())?,
            'i' => self.instance().to_owned(),
            'I' => unescape(self.instance())?,
            'j' => self.prefix().rsplit('-').next().unwrap_or_default().to_owned(),
            'J' => unescape(self.prefix().rsplit('-').next().unwrap_or_default())?,
            'f' => {
                let of = if self.instance().is_empty() { self.prefix() } else { self.instance() };
                format!("/{}", unescape(of)?)
            }
            't' => self.runtime_folder(),
            'S' => self.folder("/var/lib", ".local/state"),
            'C' => self.folder("/var/cache", ".cache"),
            'L' => self.folder("/var/log", ".local/state/log"),
            'E' => self.folder("/etc", ".config"),
            'T' => "/tmp".to_owned(),
            'V' => "/var/tmp".to_owned(),
            'h' => self.home.to_string(),
            'u' => self.account.clone(),
            'U' => self.uid.to_string(),
            _ => return None,
        })
    }

    /// A text with its specifiers written out. A sign before something else stands for itself, as for systemd.
    pub(super) fn written_out(&self, text: &str) -> Result<String, Unresolved> {
        let mut whole = String::with_capacity(text.len());
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                whole.push(letter);
                continue;
            }
            match letters.next() {
                Some(specifier) => match self.value(specifier) {
                    Some(value) => whole.push_str(&value),
                    None => return Err(Unresolved(specifier)),
                },
                None => whole.push('%'),
            }
        }
        Ok(whole)
    }
}

/// A part of a unit's name as it was before it was escaped: `-` is a slash, `\x2d` a character.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'-' => bytes.push(b'/'),
            b'\\' => {
                let [b'x', digits @ ..] = after else { return None };
                let digits = digits.get(..2)?;
                bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
                rest = &after[3..];
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifiers_of_the_unit_are_written_out() {
        let facts = UnitFacts {
            unit: r"db-main@a-b\x20c.service".to_owned(),
            scope: Scope::System,
            account: "root".to_owned(),
            uid: 0,
            home: "/root".into(),
        };
        assert_eq!(
            facts.written_out("%n|%N|%p|%i|%I|%j|%t|%h|100%%|%").as_deref(),
            Ok(r"db-main@a-b\x20c.service|db-main@a-b\x20c|db-main|a-b\x20c|a/b c|main|/run|/root|100%|%")
        );
        assert_eq!(facts.written_out("%f %S %u %U").as_deref(), Ok("/a/b c /var/lib root 0"));
        assert_eq!(facts.written_out("%H"), Err(Unresolved('H')));
    }
}
