//! What of a value may be shown: never what looks like a secret that stands where none should.

/// What stands for a value that is not shown.
pub const HIDDEN: &str = "…";

/// What a name that holds it is taken for the name of a secret.
const PARTS: [&str; 8] =
    ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE", "KEY"];

/// Likewise, where a word of the name ends so: `PGPASS`, `DB_PASS`, `OAUTH`, but not `AUTHORS`.
const ENDINGS: [&str; 6] = ["PASS", "PWD", "AUTH", "AUTHORIZATION", "DSN", "SALT"];

/// Settings of a unit whose values are paths, whatever they are called.
const OF_PATHS: [&str; 3] = ["LoadCredential", "LoadCredentialEncrypted", "EnvironmentFile"];

/// Whether a variable, an option or a field of this name may hold a secret.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let name = name.to_uppercase();
    let ends = |word: &str| ENDINGS.iter().any(|ending| word.ends_with(ending));
    PARTS.iter().any(|part| name.contains(part)) || name.split(['_', '-']).any(ends)
}

/// The value of a variable, as far as it may be shown.
#[must_use]
pub fn value(name: &str, value: &str) -> String {
    if is_secret(name) && !value.is_empty() { HIDDEN.to_owned() } else { line(value) }
}

/// A line of any text, as far as it may be shown: what follows a name that may be a secret's is left out, up to the end
/// of the line, and so is the password of an address. Rather too much is left out than too little.
#[must_use]
pub fn line(text: &str) -> String {
    let is_named = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    let mut at = 0;
    while let Some(begin) = text[at..].find(is_named).map(|begin| at + begin) {
        let end = text[begin..].find(|letter| !is_named(letter)).map_or(text.len(), |length| begin + length);
        let name = &text[begin..end];
        if (is_secret(name) || name == "Bearer")
            && let Some(length) = separator(name, &text[end..])
            && !text[end + length..].trim().is_empty()
        {
            return format!("{}{HIDDEN}", without_password(&text[..end + length]));
        }
        at = end;
    }
    without_password(text)
}

/// How long that is which stands between a name and its value: `=`, `:`, a comma in a list of arguments, or the space
/// after an option.
fn separator(name: &str, rest: &str) -> Option<usize> {
    let unquoted = rest.trim_start_matches(['"', '\'']);
    let blank = unquoted.trim_start_matches([' ', '\t']);
    let is_spaced = blank.len() < unquoted.len() && (name.starts_with("--") || name == "Bearer");
    let after = blank.strip_prefix(['=', ':', ',']).or(is_spaced.then_some(blank))?;
    Some(rest.len() - after.trim_start_matches([' ', '\t', '"', '\'']).len())
}

/// A setting of a unit, likewise.
#[must_use]
pub fn setting(name: &str, text: &str) -> String {
    match name {
        _ if name.starts_with("SetCredential") => HIDDEN.to_owned(),
        _ if OF_PATHS.contains(&name) => text.to_owned(),
        _ => line(text),
    }
}

/// The text of a definition, likewise. A line that goes on after one that was shortened is left out with it, and so is the next
/// element of a list where one is a secret's name.
#[must_use]
pub fn definition(text: &str) -> String {
    let mut shown = String::new();
    let mut goes_on_hidden = false;
    for text in text.lines() {
        let told = match text.split_once('=') {
            _ if goes_on_hidden => HIDDEN.to_owned(),
            // The name of a setting is systemd's own, such as `PrivateTmp`.
            Some((name, value)) if is_setting(name) => format!("{name}={}", setting(name, value)),
            _ => line(text),
        };
        goes_on_hidden = (text.ends_with('\\') && told != text) || ends_in_a_name(text);
        shown.push_str(&told);
        shown.push('\n');
    }
    shown
}

/// Whether a line is an element of a list, and the name of a secret, so that the next one may be its value.
fn ends_in_a_name(text: &str) -> bool {
    let element = text.trim().strip_suffix(',').unwrap_or_default();
    let name = element.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
    name.starts_with('-') && is_secret(name) && !name.contains(['=', ' '])
}

fn is_setting(name: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.chars().all(is_letter)
        && name.contains(|letter: char| letter.is_ascii_lowercase())
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
        for name in ["API_TOKEN", "DB_PASS", "PGPASS", "AUTH", "apiKey", "ORDERS_DSN"] {
            assert_eq!(value(name, "hush"), "…", "{name}");
        }
        assert_eq!(value("AUTHORS", "two"), "two");
        assert_eq!(value("URL", "postgres://web:hush@db/web"), "postgres://web:…@db/web");
        assert_eq!(value("URL", "http://127.0.0.1:80/a@b:c"), "http://127.0.0.1:80/a@b:c");
    }

    #[test]
    fn nor_is_it_in_the_next_line_of_a_list() {
        let shown = definition("\"command\": [\n  \"web\",\n  \"--db-pass\",\n  \"hush\"\n],\n\"x\": 1");
        assert_eq!(shown, "\"command\": [\n  \"web\",\n  \"--db-pass\",\n…\n],\n\"x\": 1\n");
    }

    #[test]
    fn nor_is_it_in_the_middle_of_a_line() {
        for (text, expected) in [
            ("http://127.0.0.1/?token=hush&a=b", "http://127.0.0.1/?token=…"),
            ("Authorization: Bearer hush", "Authorization: …"),
            ("Bearer hush", "Bearer …"),
            (r#"["web","--db-pass","hush"]"#, r#"["web","--db-pass","…"#),
            ("web --token hush", "web --token …"),
            ("web --token=hush", "web --token=…"),
            (r#"      "API_TOKEN": "hush""#, r#"      "API_TOKEN": "…"#),
            (r#"      "URL": "postgres://u:hush@h/x""#, r#"      "URL": "postgres://u:…@h/x""#),
            ("the token is asked for", "the token is asked for"),
            ("token:", "token:"),
        ] {
            assert_eq!(line(text), expected, "{text}");
        }
    }

    #[test]
    fn nor_in_a_definition_and_its_settings_stay_readable() {
        let text =
            "[Service]\nPrivateTmp=yes\nKeyringMode=private\nLoadCredential=API_TOKEN:/etc/token\nNice=5\n";
        assert_eq!(definition(text), text);
        assert_eq!(
            definition("Environment=A=1 \\\n  API_TOKEN=hush \\\n  more\nNice=5\nSetCredential=a:hush\n"),
            "Environment=A=1 \\\n  API_TOKEN=…\n…\nNice=5\nSetCredential=…\n"
        );
        assert_eq!(definition("Environment=\"API_TOKEN=a b\" C=1\n"), "Environment=\"API_TOKEN=…\n");
        assert_eq!(definition("    \"DB_PASSWORD\": \"hush\"\n"), "    \"DB_PASSWORD\": \"…\n");
    }
}
