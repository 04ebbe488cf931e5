//! What of a value may be shown: never what looks like a secret that stands where none should.

/// What stands for a value that is not shown.
pub const HIDDEN: &str = "…";

/// Words in the name of a variable after which its value is taken for a secret.
const WORDS: [&str; 8] =
    ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE", "KEY"];

/// Whether a variable of this name may hold a secret.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let name = name.to_uppercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// The value of a variable, as far as it may be shown: an address loses its password.
#[must_use]
pub fn value(name: &str, value: &str) -> String {
    if is_secret(name) && !value.is_empty() { HIDDEN.to_owned() } else { without_password(value) }
}

/// A setting of a unit: of variables, only values that may be shown.
#[must_use]
pub fn setting(name: &str, text: &str) -> String {
    if name.starts_with("SetCredential") {
        return HIDDEN.to_owned();
    }
    let variables = || text.split_ascii_whitespace().map(|word| word.trim_matches(['"', '\'']));
    let named = |word: &str| word.split_once('=').map(|(variable, _)| variable.to_owned());
    let secret = variables().filter_map(named).find(|variable| is_secret(variable));
    match secret.filter(|_| name == "Environment") {
        Some(variable) if variables().count() == 1 => format!("{variable}={HIDDEN}"),
        Some(_) => HIDDEN.to_owned(),
        None => without_password(text),
    }
}

/// The text of a unit, likewise.
#[must_use]
pub fn unit(text: &str) -> String {
    let line = |line: &str| match line.split_once('=') {
        Some((name, value)) => format!("{name}={}\n", setting(name.trim(), value)),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#', ' ', '"']).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((user, _)) if user.contains(':') => {
            let name = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{name}:{HIDDEN}@{}", without_password(&rest[user.len() + 1..]))
        }
        _ => format!("{scheme}://{}{}", &rest[..end], without_password(&rest[end..])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_not_shown() {
        assert_eq!(value("PORT", "4000"), "4000");
        assert_eq!(value("API_TOKEN", "abc"), "…");
        assert_eq!(value("URL", "postgres://web:hush@db/web"), "postgres://web:…@db/web");
        assert_eq!(value("URL", "http://127.0.0.1:80/a@b:c"), "http://127.0.0.1:80/a@b:c");
        assert_eq!(setting("Environment", "\"API_TOKEN=abc\""), "API_TOKEN=…");
        assert_eq!(setting("Environment", "A=1 \"API_TOKEN=a b\""), "…");
        assert_eq!(setting("SetCredential", "a:b"), "…");
        assert_eq!(
            unit("[Service]\nEnvironment=DB_PASSWORD=x\nNice=5\n"),
            "[Service]\nEnvironment=DB_PASSWORD=…\nNice=5\n"
        );
    }
}
