//! The bytes of a task's file: UTF-16, little end first, with a mark at the beginning and a declaration that says so.

const UTF_16: [u8; 2] = [0xff, 0xfe];
const UTF_8: &str = "\u{feff}";
const PLAIN: &str = "<?xml version=\"1.0\"?>";
const DECLARED: &str = "<?xml version=\"1.0\" encoding=\"UTF-16\"?>";

/// A task's text as the scheduler reads it.
#[must_use]
pub fn encode(text: &str) -> Vec<u8> {
    let declared = text.replacen(PLAIN, DECLARED, 1).replace('\n', "\r\n");
    UTF_16.into_iter().chain(declared.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

/// The text of a task, in whatever form it was given: a file, or what a console has written.
#[must_use]
pub fn decode(bytes: &[u8]) -> String {
    let text = if let Some(units) = bytes.strip_prefix(&UTF_16) {
        wide(units)
    } else if bytes.len() >= 2 && bytes[1] == 0 && bytes[0] == b'<' {
        wide(bytes)
    } else {
        String::from_utf8_lossy(bytes).into_owned()
    };
    text.strip_prefix(UTF_8).unwrap_or(&text).replace("\r\n", "\n").replacen(DECLARED, PLAIN, 1)
}

fn wide(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}
