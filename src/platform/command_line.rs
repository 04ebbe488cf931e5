//! Windows command lines: one text, which each program takes apart again by itself. Nearly all do it by the rule of
//! `CommandLineToArgvW` and of Microsoft's C library, and by that rule words are written here.

use crate::platform::Inexpressible;

/// The longest command line that Windows hands to a process, in UTF-16 units, with its end.
const LONGEST: usize = 32_767;

/// The command line of a program and its arguments. The program is always in quotes: without them a path with a blank
/// names several files, and the first of them that exists is started.
pub(super) fn command_line(
    setting: &str,
    program: &str,
    arguments: &[String],
) -> Result<String, Inexpressible> {
    let mut line = quoted_program(setting, program)?;
    if !arguments.is_empty() {
        line.push(' ');
        line.push_str(&joined(setting, arguments)?);
    }
    let length = line.encode_utf16().count();
    if length >= LONGEST {
        let reason = format!(
            "its command line has {length} characters, and Windows can hold {}: hand over a file instead",
            LONGEST - 1
        );
        return Err(Inexpressible::new(setting, reason));
    }
    Ok(line)
}

/// The program's path in quotes. Its place in the line has a rule of its own: there is no escape in it, and it ends at
/// the next quote.
pub(super) fn quoted_program(setting: &str, program: &str) -> Result<String, Inexpressible> {
    if program.is_empty() || program.contains(['"', '\0']) {
        let reason = format!("`{}` can't be the path of a program on Windows", program.escape_debug());
        return Err(Inexpressible::new(setting, reason));
    }
    Ok(format!("\"{program}\""))
}

/// Arguments as one text.
pub(super) fn joined(setting: &str, arguments: &[String]) -> Result<String, Inexpressible> {
    if arguments.iter().any(|argument| argument.contains('\0')) {
        return Err(Inexpressible::new(
            setting,
            "an argument holds a NUL, at which Windows would cut it off",
        ));
    }
    let words: Vec<String> = arguments.iter().map(|argument| word(argument)).collect();
    Ok(words.join(" "))
}

/// One argument, in quotes where it needs them.
fn word(argument: &str) -> String {
    if !argument.is_empty() && !argument.contains([' ', '\t', '\n', '\u{b}', '"']) {
        return argument.to_owned();
    }
    let mut word = String::from("\"");
    let mut backslashes = 0;
    for character in argument.chars() {
        match character {
            '\\' => backslashes += 1,
            // Backslashes before a quote stand for half as many, so each is doubled, and the quote has one more.
            '"' => {
                word.extend(std::iter::repeat_n('\\', backslashes + 1));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        word.push(character);
    }
    word.extend(std::iter::repeat_n('\\', backslashes));
    word.push('"');
    word
}

/// What a program makes of its command line (`CommandLineToArgvW`): the program and its arguments.
#[must_use]
pub fn taken_apart(line: &str) -> Vec<String> {
    let (program, rest) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
        None => line.find([' ', '\t']).map_or((line, ""), |end| line.split_at(end)),
    };
    std::iter::once(program.to_owned()).chain(arguments(rest)).collect()
}

/// The arguments in a text that holds no program.
#[must_use]
pub fn arguments(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\n' | '\u{b}' if !quoted => words.extend(word.take()),
            '\\' => {
                let mut count = 1;
                while characters.next_if_eq(&'\\').is_some() {
                    count += 1;
                }
                let into = word.get_or_insert_default();
                if characters.peek() == Some(&'"') {
                    into.extend(std::iter::repeat_n('\\', count / 2));
                    if count % 2 == 1 {
                        characters.next();
                        into.push('"');
                    }
                } else {
                    into.extend(std::iter::repeat_n('\\', count));
                }
            }
            '"' => {
                let into = word.get_or_insert_default();
                // Within quotes two quotes are one that is meant.
                if quoted && characters.next_if_eq(&'"').is_some() {
                    into.push('"');
                } else {
                    quoted = !quoted;
                }
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_program_is_always_in_quotes() {
        let line = command_line("x", r"C:\mainstay.exe", &["run".to_owned()]).unwrap();
        assert_eq!(line, r#""C:\mainstay.exe" run"#);
        assert!(quoted_program("x", "a\"b").is_err() && quoted_program("x", "").is_err());
        assert!(command_line("x", "p", &["a".repeat(40_000)]).is_err());
        assert!(joined("x", &["a\0b".to_owned()]).is_err());
    }

    #[test]
    fn the_known_pitfalls_come_back_as_they_went() {
        let words = [
            "",
            "a b",
            " lead",
            "trail ",
            "\t",
            "\n",
            "\"",
            "'",
            r"\",
            r"a\",
            r"C:\dir\",
            r"C:\a b\",
            r"\\srv\share",
            r#"\""#,
            r#"\\""#,
            r#"a"b"#,
            r#"a\\"b\\"#,
            "%PATH%",
            "$x",
            "é 日 😀",
            "--x=y z",
            "a\"\"b",
        ];
        let words: Vec<String> = words.map(str::to_owned).to_vec();
        assert_eq!(arguments(&joined("x", &words).unwrap()), words);
        let line = command_line("x", r"C:\Program Files\m.exe", &words).unwrap();
        assert_eq!(taken_apart(&line)[1..], words);
        assert_eq!(taken_apart(&line)[0], r"C:\Program Files\m.exe");
    }

    proptest! {
        #[test]
        fn what_is_joined_is_taken_apart_again(
            words in prop::collection::vec(r#"[a\\" \t\né]{0,8}"#, 0..6)
        ) {
            prop_assert_eq!(arguments(&joined("x", &words).unwrap()), words);
        }
    }
}
