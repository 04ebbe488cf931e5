//! The line of a captured log, where no journal keeps it.
//!
//! ```text
//! 2026-05-08T14:32:07.250Z out listening on 4000
//! 2026-05-08T14:32:09.001Z err+ the start of a line that is too long to be kept whole
//! 2026-05-08T14:32:09.001Z err  and its end
//! 2026-05-08T14:32:11.700Z own the program exited with code 1; it is started again in 1s
//! ```
//!
//! A point in time with milliseconds in UTC (RFC 3339), one space, the stream, one space, and the bytes that
//! the program wrote, without the line feed. The time has always the same length, so lines of one file sort
//! and compare as text. `+` after the stream says that the line goes on in the next line of the same stream.

use std::io::Write;

use crate::model::moment::Moment;

/// Who wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// The program, on its standard output.
    Output,
    /// The program, on its standard error.
    Error,
    /// The supervisor.
    Own,
}

impl Stream {
    /// The word that stands in a line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Output => "out",
            Self::Error => "err",
            Self::Own => "own",
        }
    }
}

/// One line of a captured log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// When it was read from the program.
    pub at: Moment,
    /// Who wrote it.
    pub stream: Stream,
    /// Whether it goes on in the next line of the same stream.
    pub continues: bool,
    /// What was written, without the line feed.
    pub text: &'a [u8],
}

impl<'a> LogLine<'a> {
    /// Adds the line, with its line feed, to a buffer.
    pub fn append_to(&self, buffer: &mut Vec<u8>) {
        let mark = if self.continues { "+" } else { "" };
        // Writing to a vector can't fail.
        let _ = write!(buffer, "{:.3} {}{mark} ", self.at.0, self.stream.as_str());
        buffer.extend_from_slice(self.text);
        buffer.push(b'\n');
    }

    /// Reads one line, without its line feed. `None`: it is not of this form.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let mut parts = line.splitn(3, |byte| *byte == b' ');
        let at = std::str::from_utf8(parts.next()?).ok()?.parse().ok().map(Moment)?;
        let tag = parts.next()?;
        let text = parts.next()?;
        let (tag, continues) = tag.strip_suffix(b"+").map_or((tag, false), |tag| (tag, true));
        let stream = [Stream::Output, Stream::Error, Stream::Own]
            .into_iter()
            .find(|stream| stream.as_str().as_bytes() == tag)?;
        Some(Self { at, stream, continues, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_written_and_read_back() {
        let at = Moment("2026-05-08T14:32:07.25Z".parse().unwrap());
        for (stream, continues, text) in [
            (Stream::Output, false, &b"listening"[..]),
            (Stream::Error, true, b" two  spaces \xff\r"),
            (Stream::Own, false, b""),
        ] {
            let line = LogLine { at, stream, continues, text };
            let mut buffer = Vec::new();
            line.append_to(&mut buffer);
            assert!(buffer.starts_with(b"2026-05-08T14:32:07.250Z "), "{buffer:?}");
            assert_eq!(LogLine::parse(buffer.strip_suffix(b"\n").unwrap()), Some(line));
        }
    }

    #[test]
    fn other_lines_are_none() {
        for text in ["", "x", "2026-05-08T14:32:07Z out", "2026-05-08T14:32:07Z xxx y", "yesterday out y"] {
            assert_eq!(LogLine::parse(text.as_bytes()), None, "{text}");
        }
    }
}
