//! A command line as words, by the rule of `CommandLineToArgvW`.

/// The words of a command line. The first has a rule of its own: it ends with its quote, and nothing is escaped in it.
#[must_use]
pub(in crate::host) fn split(line: &str) -> Vec<String> {
    let is_blank = |letter: char| matches!(letter, ' ' | '\t');
    let line = line.trim_start_matches(is_blank);
    let (first, rest) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
        None => line.split_at(line.find(is_blank).unwrap_or(line.len())),
    };
    let mut words = vec![first.to_owned()];
    let mut letters = rest.chars().peekable();
    while letters.next_if(|letter| is_blank(*letter)).is_some() {}
    while letters.peek().is_some() {
        let (mut word, mut quoted) = (String::new(), false);
        while let Some(letter) = letters.next_if(|letter| quoted || !is_blank(*letter)) {
            match letter {
                '\\' => {
                    let mut count = 1;
                    while letters.next_if_eq(&'\\').is_some() {
                        count += 1;
                    }
                    let before_quote = letters.peek() == Some(&'"');
                    let kept = if before_quote { count / 2 } else { count };
                    word.extend(std::iter::repeat_n('\\', kept));
                    if before_quote && count % 2 == 1 {
                        letters.next();
                        word.push('"');
                    }
                }
                // Two of them within quotes are one.
                '"' if quoted && letters.next_if_eq(&'"').is_some() => word.push('"'),
                '"' => quoted = !quoted,
                other => word.push(other),
            }
        }
        words.push(word);
        while letters.next_if(|letter| is_blank(*letter)).is_some() {}
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_that_a_program_gets() {
        let line = r#""C:\a b\x.exe"  one "two words" a\b "a\\" "say \"hi\"" "" c:\dir\ "#;
        let words = ["C:\\a b\\x.exe", "one", "two words", "a\\b", "a\\", "say \"hi\"", "", "c:\\dir\\"];
        assert_eq!(split(line), words);
        assert_eq!(split("x"), ["x"]);
    }
}
