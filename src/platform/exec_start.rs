//! The command that systemd starts, as `systemctl show` prints it: `{ path=… ; argv[]=… ; … }`.

use crate::platform::observed::{Answer, NoAnswer, succeeded};

/// The command that [`crate::platform::query::started`] asked about; nothing where the unit has none. systemd prints
/// its words without quotes, so that only the program's own path may hold a space.
pub fn started(answer: Answer<'_>) -> Result<Option<Vec<String>>, NoAnswer> {
    let Some(rest) = succeeded(answer)?.trim().strip_prefix("{ path=") else { return Ok(None) };
    let Some((path, rest)) = rest.split_once(" ; argv[]=") else { return Ok(None) };
    let words = rest.split_once(" ; ").map_or(rest, |(words, _)| words);
    let others = match words.strip_prefix(path) {
        Some(others) => others.split_whitespace().collect(),
        // It was given another name for itself.
        None => words.split_whitespace().skip(1).collect::<Vec<_>>(),
    };
    Ok(Some(std::iter::once(path).chain(others).map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stdout: &str) -> Option<Vec<String>> {
        started(Answer { code: Some(0), stdout, stderr: "" }).unwrap()
    }

    #[test]
    fn the_words_follow_the_path() {
        let text =
            "{ path=/opt/my tools/web ; argv[]=/opt/my tools/web --port 80 ; ignore_errors=no ; pid=0 }\n";
        assert_eq!(read(text).unwrap(), ["/opt/my tools/web", "--port", "80"]);
        let text = "{ path=/usr/bin/node ; argv[]=node web.js ; ignore_errors=no }";
        assert_eq!(read(text).unwrap(), ["/usr/bin/node", "web.js"]);
        assert_eq!(read("\n"), None);
    }
}
