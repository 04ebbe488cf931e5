//! The grammars of a unit's values. One file has four: what is right for one setting is wrong for the next.
//!
//! Each function answers with the text that stands after the `=`, which systemd reads back as exactly what
//! was given; or with the reason why no text can say it. The rules are systemd.syntax(7) and the
//! "Command Lines" of systemd.service(5); where the pages are silent, what systemd 252 reads was measured
//! (`tests/quoting.rs` does so again at each run).

use camino::Utf8Path;
use thiserror::Error;

/// Why a text can't stand in a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unsayable {
    /// A NUL character ends a text for the whole system.
    #[error("it holds a NUL character")]
    Nul,
    /// systemd takes no such character here.
    #[error("it holds a control character, such as a line feed, which systemd can't take here")]
    Control,
    /// Unicode's noncharacters are no text to systemd.
    #[error("it holds a character that Unicode keeps out of texts (such as U+FFFE), which systemd refuses")]
    Noncharacter,
    /// A last backslash joins the line to the next.
    #[error("it ends in a backslash, which systemd would take as a sign that the line goes on")]
    LastBackslash,
    /// Blanks at the ends of a line are dropped.
    #[error("it begins or ends with a blank, which systemd would drop")]
    OuterBlank,
    /// systemd takes full paths only.
    #[error("it is not an absolute path")]
    Relative,
    /// systemd takes paths only in their shortest form.
    #[error("it has a part that is `..`, which systemd can't take")]
    Upward,
    /// A path to a program ends in its name.
    #[error("it ends in a slash, so it names a folder")]
    Folder,
    /// `EnvironmentFile=` takes patterns.
    #[error("it holds one of `*`, `?`, `[` and `\\`, which systemd takes as a pattern here")]
    Pattern,
    /// systemd 257 takes such a path, and then fails to start the service ("Failed to deserialize").
    #[error("it holds a blank or a backslash, with which systemd can't hand a file over as a credential")]
    Credential,
    /// `env` takes what holds an equals sign as a variable.
    #[error(
        "it holds an equals sign beside a quote, a backslash or a control character, and systemd can't start \
         a program of such a name"
    )]
    Assignment,
    /// A command has at least a program.
    #[error("it is empty")]
    Empty,
}

/// The program that starts programs whose path systemd itself takes no part in.
const ENV: &str = "/usr/bin/env";

/// One argument of a command, or one assignment of `Environment=`: in double quotes, with the C escapes of
/// systemd.syntax(7), specifiers doubled. `$` is left alone: [`command`] keeps systemd from expanding it.
pub fn argument(text: &str) -> Result<String, Unsayable> {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for next in text.chars() {
        match next {
            '\0' => return Err(Unsayable::Nul),
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '%' => quoted.push_str("%%"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\u{1}'..='\u{1f}' | '\u{7f}' => {
                let digit = |number: u32| char::from_digit(number, 16).unwrap_or_default();
                quoted.extend(['\\', 'x', digit(u32::from(next) >> 4), digit(u32::from(next) & 15)]);
            }
            // A line with one is not UTF-8 to systemd. Escaped, it would reach the program, but nobody
            // could ask systemd about the service any more ("Failed to get properties").
            _ if noncharacter(next) => return Err(Unsayable::Noncharacter),
            _ => quoted.push(next),
        }
    }
    quoted.push('"');
    Ok(quoted)
}

/// A variable, for `Environment=` (systemd.exec(5)). The name obeys the rules of
/// [`crate::model::manifest::VariableName`].
pub fn assignment(name: &str, value: &str) -> Result<String, Unsayable> {
    argument(&format!("{name}={value}"))
}

/// A command line, for `ExecStart=` and its like, without variables being expanded (`:`, systemd.service(5)).
///
/// A program named by more than its absolute path, or by a path that systemd refuses ("contains special
/// characters"), is started through `env`, which replaces itself by it.
pub fn command<S: AsRef<str>>(argv: &[S]) -> Result<String, Unsayable> {
    let (program, arguments) = argv.split_first().ok_or(Unsayable::Empty)?;
    let program = program.as_ref();
    let mut line = String::from(":");
    let bare = !program.contains('/');
    if program.is_empty() {
        return Err(Unsayable::Empty);
    }
    if !bare && !program.starts_with('/') {
        return Err(Unsayable::Relative);
    }
    if program.ends_with('/') {
        return Err(Unsayable::Folder);
    }
    let special = |next: char| matches!(next, '"' | '\'' | '\\') || control(next);
    if bare || program.contains(special) {
        if program.contains('=') {
            return Err(Unsayable::Assignment);
        }
        line.push_str(ENV);
        line.push_str(" -- ");
    }
    line.push_str(&argument(program)?);
    for argument in arguments {
        line.push(' ');
        line.push_str(&self::argument(argument.as_ref())?);
    }
    Ok(line)
}

/// A path for a setting that takes the rest of the line as it is: `WorkingDirectory=`. Quotes would belong
/// to the path.
pub fn path(path: &Utf8Path) -> Result<String, Unsayable> {
    let text = path.as_str();
    if !text.starts_with('/') {
        return Err(Unsayable::Relative);
    }
    if text.split('/').any(|part| part == "..") {
        return Err(Unsayable::Upward);
    }
    rest_of_line(text)?;
    // The shortest form, which drops `.` and doubled slashes, means the same file. On whatever system this is made, it
    // is read on one where a slash alone stands between names.
    let names = text.split('/').filter(|part| !part.is_empty() && *part != ".");
    let shortest: Vec<&str> = names.collect();
    Ok(format!("/{}", shortest.join("/")).replace('%', "%%"))
}

/// A path for `EnvironmentFile=`, which is a pattern.
pub fn pattern_path(path: &Utf8Path) -> Result<String, Unsayable> {
    if path.as_str().contains(['*', '?', '[', '\\']) {
        return Err(Unsayable::Pattern);
    }
    self::path(path)
}

/// A path for `LoadCredential=`, after the colon. This is stricter than what 252 needs: a definition
/// outlives an upgrade of the host.
pub fn credential_path(path: &Utf8Path) -> Result<String, Unsayable> {
    if path.as_str().contains([' ', '\\']) {
        return Err(Unsayable::Credential);
    }
    self::path(path)
}

/// A path for the lists of systemd.exec(5) such as `ReadWritePaths=`, which are split at blanks and know
/// quotes, but no C escapes. `prefix` is what stands before the path, such as `-`.
pub fn listed_path(prefix: &str, path: &Utf8Path) -> Result<String, Unsayable> {
    let text = path.as_str();
    if !text.starts_with('/') {
        return Err(Unsayable::Relative);
    }
    if text.split('/').any(|part| part == "..") {
        return Err(Unsayable::Upward);
    }
    characters(text)?;
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    Ok(format!("\"{prefix}{escaped}\""))
}

/// A text for people, or a user's name: the rest of the line as it is, specifiers doubled.
pub fn text(text: &str) -> Result<String, Unsayable> {
    rest_of_line(text)?;
    Ok(text.replace('%', "%%"))
}

/// A value that is written in systemd's own grammar already: only kept from reaching into other lines.
pub fn verbatim(value: &str) -> Result<String, Unsayable> {
    rest_of_line(value)?;
    Ok(value.to_owned())
}

/// A text as JSON, for the marker: it holds no line feed, ends in no backslash, and any path survives.
pub fn json(text: &str) -> Result<String, Unsayable> {
    if text.chars().any(noncharacter) {
        return Err(Unsayable::Noncharacter);
    }
    Ok(serde_json::Value::from(text).to_string())
}

fn rest_of_line(text: &str) -> Result<(), Unsayable> {
    characters(text)?;
    if text.ends_with('\\') {
        return Err(Unsayable::LastBackslash);
    }
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err(Unsayable::OuterBlank);
    }
    Ok(())
}

fn characters(text: &str) -> Result<(), Unsayable> {
    if text.contains('\0') {
        Err(Unsayable::Nul)
    } else if text.contains(control) {
        Err(Unsayable::Control)
    } else if text.contains(noncharacter) {
        Err(Unsayable::Noncharacter)
    } else {
        Ok(())
    }
}

fn control(next: char) -> bool {
    next < ' ' || next == '\u{7f}'
}

/// Unicode's noncharacters, as systemd's `unichar_is_valid` has them.
fn noncharacter(next: char) -> bool {
    let number = u32::from(next);
    (0xfdd0..=0xfdef).contains(&number) || number & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_by_the_rule() {
        for (text, quoted) in [
            ("", r#""""#),
            ("a b", r#""a b""#),
            ("50% $HOME", r#""50%% $HOME""#),
            ("C:\\x\\", r#""C:\\x\\""#),
            ("\"\n\t\r\u{1}\u{7f}", r#""\"\n\t\r\x01\x7f""#),
            ("é\u{a0}日😀", "\"é\u{a0}日😀\""),
        ] {
            assert_eq!(argument(text).as_deref(), Ok(quoted));
        }
        assert_eq!(argument("a\0"), Err(Unsayable::Nul));
        assert_eq!(assignment("A", "\u{fffe}"), Err(Unsayable::Noncharacter));
    }

    #[test]
    fn programs_that_systemd_refuses_are_started_through_env() {
        assert_eq!(command(&["/a b", "$x"]).as_deref(), Ok(r#":"/a b" "$x""#));
        assert_eq!(command(&["/it's"]).as_deref(), Ok(r#":/usr/bin/env -- "/it's""#));
        assert_eq!(command(&["node", "-"]).as_deref(), Ok(r#":/usr/bin/env -- "node" "-""#));
        assert_eq!(command(&["/a=b"]).as_deref(), Ok(r#":"/a=b""#));
        assert_eq!(command(&["/it's=b"]), Err(Unsayable::Assignment));
        assert_eq!(command(&["a/b"]), Err(Unsayable::Relative));
        assert_eq!(command(&["/a/"]), Err(Unsayable::Folder));
        assert_eq!(command::<&str>(&[]), Err(Unsayable::Empty));
    }

    #[test]
    fn paths_are_said_or_refused() {
        let said = |text: &str| path(Utf8Path::new(text));
        assert_eq!(said("/a b/50%").as_deref(), Ok("/a b/50%%"));
        assert_eq!(said("/a/./b//c/").as_deref(), Ok("/a/b/c"));
        assert_eq!(said("/a\\"), Err(Unsayable::LastBackslash));
        assert_eq!(said("/a "), Err(Unsayable::OuterBlank));
        assert_eq!(said("/a\nb"), Err(Unsayable::Control));
        assert_eq!(said("/a/../b"), Err(Unsayable::Upward));
        assert_eq!(said("a"), Err(Unsayable::Relative));
        assert_eq!(credential_path(Utf8Path::new("/a b")), Err(Unsayable::Credential));
        assert_eq!(pattern_path(Utf8Path::new("/a*")), Err(Unsayable::Pattern));
        assert_eq!(listed_path("-", Utf8Path::new(r#"/a "b"\%"#)).as_deref(), Ok(r#""-/a \"b\"\\%%""#));
    }
}
