//! Tokens: the places of an instance, written in braces in commands, environment and paths.

use camino::Utf8Path;

/// What the tokens of one instance stand for.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// `{package}`: the version tree.
    pub package: &'a Utf8Path,
    /// `{config}`: the instance's configuration folder.
    pub config: &'a Utf8Path,
    /// `{data}`: what the program keeps.
    pub data: &'a Utf8Path,
    /// `{logs}`: captured logs.
    pub logs: &'a Utf8Path,
    /// `{run}`: what lasts only while it runs.
    pub run: &'a Utf8Path,
    /// `{deploy}`: the folder of the manifest.
    pub deploy: &'a Utf8Path,
}

/// The names of the tokens.
pub const NAMES: [&str; 6] = ["package", "config", "data", "logs", "run", "deploy"];

/// How the tokens begin that stand for something of the instance, in variables alone.
pub const INSTANCE: &str = "instance.";
/// What follows then.
pub const OF_INSTANCE: [&str; 6] = ["name", "component", "platform", "scope", "container", "engine"];

impl Places<'_> {
    pub(in crate::model) fn value(&self, token: &str) -> Option<&str> {
        let path = match token {
            "package" => self.package,
            "config" => self.config,
            "data" => self.data,
            "logs" => self.logs,
            "run" => self.run,
            "deploy" => self.deploy,
            _ => return None,
        };
        Some(path.as_str())
    }
}

/// Replaces every known token once. A doubled token (`{{data}}`) stands for itself, every other brace is
/// literal, and what was put in is not looked at again.
#[must_use]
pub fn expand(text: &str, places: &Places<'_>) -> String {
    replace(text, |token| places.value(token).map(str::to_owned))
}

/// A text in which every token stands for itself, for [`expand`] to give the text back.
#[must_use]
pub fn literal(text: &str) -> String {
    doubled(text, NAMES.iter().map(|name| (*name).to_owned()))
}

/// The same of the value of a variable, which may have the tokens of the instance as well.
#[must_use]
pub fn literal_variable(text: &str) -> String {
    let of_instance = OF_INSTANCE.iter().map(|name| format!("{INSTANCE}{name}"));
    doubled(text, NAMES.iter().map(|name| (*name).to_owned()).chain(of_instance))
}

fn doubled(text: &str, names: impl Iterator<Item = String>) -> String {
    names.fold(text.to_owned(), |text, name| {
        let token = format!("{{{name}}}");
        text.replace(&token, &format!("{{{token}}}"))
    })
}

/// The words that stand in single braces as tokens do, whether they are tokens or not.
#[must_use]
pub fn words(text: &str) -> Vec<&str> {
    let begins = text.match_indices('{').map(|(at, _)| at);
    let word = |at: usize| {
        let (word, after) = text.get(at + 1..)?.split_once('}')?;
        let doubled = text[..at].ends_with('{') && after.starts_with('}');
        let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'));
        (plain && !word.is_empty() && !doubled).then_some(word)
    };
    begins.filter_map(word).collect()
}

/// Replaces `{env.NAME}` by the variable's value, as probes need it. An unknown variable stays as it is,
/// so that the failing probe shows its name.
#[must_use]
pub fn expand_variables(text: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    replace(text, |token| token.strip_prefix("env.").and_then(&variable))
}

/// Replaces every token that has a value, as [`expand`] does.
#[must_use]
pub fn replace(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, from_brace) = rest.split_at(open);
        expanded.push_str(before);
        let inner = from_brace.strip_prefix("{{").unwrap_or(&from_brace[1..]);
        let doubled = from_brace.starts_with("{{");
        let token = inner.find('}').map(|close| &inner[..close]);
        let closing = if doubled { "}}" } else { "}" };
        let known = token.filter(|token| inner[token.len()..].starts_with(closing));
        match known.and_then(|token| value(token).map(|value| (token, value))) {
            Some((token, _)) if doubled => {
                expanded.push('{');
                expanded.push_str(token);
                expanded.push('}');
                rest = &inner[token.len() + 2..];
            }
            Some((token, value)) => {
                expanded.push_str(&value);
                rest = &inner[token.len() + 1..];
            }
            None => {
                expanded.push('{');
                rest = &from_brace[1..];
            }
        }
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> String {
        let path = Utf8Path::new;
        let places = Places {
            package: path("/p"),
            config: path("/c"),
            data: path("/{package}"),
            logs: path("/l"),
            run: path("/r"),
            deploy: path("/d"),
        };
        expand(text, &places)
    }

    #[test]
    fn known_tokens_are_replaced_and_all_else_is_literal() {
        assert_eq!(expanded("{package}/bin --x={logs}{run}"), "/p/bin --x=/l/r");
        assert_eq!(expanded("{{package}} {{{package}}}"), "{package} {{package}}");
        assert_eq!(expanded(r#"{"k": "{x}", "{deploy}": {}}"#), r#"{"k": "{x}", "/d": {}}"#);
        assert_eq!(
            expanded("{ package } {package {} }{ {{x}} ${config}"),
            "{ package } {package {} }{ {{x}} $/c"
        );
    }

    #[test]
    fn a_literal_text_is_given_back() {
        for text in ["{data}/x", "{{data}}", "{{{package}", "{run}{run}", "${config}", "{x} {}"] {
            assert_eq!(expanded(&literal(text)), text);
        }
    }

    #[test]
    fn what_was_put_in_is_not_looked_at_again() {
        assert_eq!(expanded("{data}"), "/{package}");
    }

    #[test]
    fn variables_are_replaced_in_probes() {
        let value = |name: &str| (name == "PORT").then(|| "80{env.PORT}".to_owned());
        assert_eq!(
            expand_variables("http://h:{env.PORT}/{env.NONE}{x}", value),
            "http://h:80{env.PORT}/{env.NONE}{x}"
        );
    }
}
