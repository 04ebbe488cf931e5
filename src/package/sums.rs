//! `SHA256SUMS`: the digests of the files beside it, as `sha256sum` prints them, or the BSDs' `sha256`.

use thiserror::Error;

use crate::model::digest::Digest;

/// The usual name of such a file.
pub const FILE_NAME: &str = "SHA256SUMS";
/// No such file is larger, in bytes.
pub const LARGEST: u64 = 1 << 20;

/// Why such a file says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SumsError {
    /// A line is none.
    #[error("its line {0} is neither `DIGEST  FILE` nor `SHA256 (FILE) = DIGEST`")]
    Malformed(usize),
    /// It says two things.
    #[error("it lists `{0}` with different digests")]
    Contradiction(String),
}

/// The digest of a file, if it is listed. Lines of other kinds matter only where the file is not.
pub fn find(text: &str, file_name: &str) -> Result<Option<Digest>, SumsError> {
    let mut found: Option<Digest> = None;
    let mut malformed = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match gnu(line).or_else(|| bsd(line)) {
            Some((name, digest)) if name.strip_prefix("./").unwrap_or(&name) == file_name => {
                if found.is_some_and(|found| found != digest) {
                    return Err(SumsError::Contradiction(file_name.to_owned()));
                }
                found = Some(digest);
            }
            Some(_) => {}
            None if is_of_another_kind(line) => {}
            None => malformed = malformed.or(Some(index + 1)),
        }
    }
    match (found, malformed) {
        (None, Some(line)) => Err(SumsError::Malformed(line)),
        _ => Ok(found),
    }
}

/// `DIGEST  FILE`, or with `*` for a file read as bytes; after a backslash, the name has escapes.
fn gnu(line: &str) -> Option<(String, Digest)> {
    let (escaped, line) = line.strip_prefix('\\').map_or((false, line), |line| (true, line));
    let (digest, name) = line.split_at_checked(64)?;
    let name = name.strip_prefix("  ").or_else(|| name.strip_prefix(" *"))?;
    let name = if escaped {
        name.replace("\\\\", "\0").replace("\\n", "\n").replace("\\r", "\r").replace('\0', "\\")
    } else {
        name.to_owned()
    };
    Some((name, digest.parse().ok()?)).filter(|(name, _)| !name.is_empty())
}

/// `SHA256 (FILE) = DIGEST`.
fn bsd(line: &str) -> Option<(String, Digest)> {
    let (name, digest) = line.strip_prefix("SHA256 (")?.rsplit_once(") = ")?;
    Some((name.to_owned(), digest.parse().ok()?)).filter(|(name, _)| !name.is_empty())
}

/// A line of the BSDs' form with the digest of another algorithm.
fn is_of_another_kind(line: &str) -> bool {
    let word = line.split_once(" (").filter(|(_, rest)| rest.contains(") = ")).map(|(word, _)| word);
    word.is_some_and(|word| {
        word != "SHA256" && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let (one, other) = (Digest::of(b"1"), Digest::of(b"2"));
        let text = format!(
            "# sums\n{one}  a.tar.gz\r\n{other} *b.zip\nSHA256 (c (1).zip) = {one}\nSHA512 (a.tar.gz) = 00\n\\{other}  d\\\\e\n{one}  ./f\n"
        );
        for (name, digest) in
            [("a.tar.gz", one), ("b.zip", other), ("c (1).zip", one), ("d\\e", other), ("f", one)]
        {
            assert_eq!(find(&text, name), Ok(Some(digest)), "{name}");
        }
        assert_eq!(find(&text, "a"), Ok(None));
        assert_eq!(find("", "a"), Ok(None));
    }

    #[test]
    fn what_is_no_such_file_is_said_unless_it_lists_the_file() {
        let digest = Digest::of(b"1");
        assert_eq!(find("<html>\n", "a"), Err(SumsError::Malformed(1)));
        assert_eq!(find(&format!("{digest} a\n"), "a"), Err(SumsError::Malformed(1)));
        assert_eq!(find(&format!("hello\n{digest}  a\n"), "a"), Ok(Some(digest)));
        let twice = format!("{digest}  a\n{}  a\n", Digest::of(b"2"));
        assert_eq!(find(&twice, "a"), Err(SumsError::Contradiction("a".to_owned())));
    }
}
