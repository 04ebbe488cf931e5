//! Lines of logs: what was written is read, and whatever a program writes has a level or none.

use mainstay::model::level::{self, Level, Levels};
use mainstay::model::log_line::{LogLine, Stream};
use mainstay::model::moment::Moment;

pub fn run(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Some(read) = LogLine::parse(line) {
            same(read.at, read.stream, read.continues, read.text);
        }
    }
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let at = Moment("2026-05-08T14:32:07.25Z".parse().unwrap());
    for stream in [Stream::Output, Stream::Error, Stream::Own] {
        same(at, stream, line.len() % 2 == 0, line);
    }
    let text = String::from_utf8_lossy(line);
    let _ = Level::in_text(&text);
    if let Some((_, rest)) = level::prefix(&text) {
        assert!(text.ends_with(rest));
    }
    let (expression, rest) = text.split_once('\t').unwrap_or(("", &text));
    let _ = Levels::new(Some(expression)).in_text(rest);
}

fn same(at: Moment, stream: Stream, continues: bool, text: &[u8]) {
    let written = |at| {
        let mut buffer = Vec::new();
        LogLine { at, stream, continues, text }.append_to(&mut buffer);
        buffer
    };
    let buffer = written(at);
    let read = LogLine::parse(buffer.strip_suffix(b"\n").unwrap()).unwrap();
    assert_eq!((read.stream, read.continues, read.text), (stream, continues, text));
    // Milliseconds are what a line has room for.
    assert_eq!(written(read.at), buffer);
}
