//! The description of a Windows service, which ends with the marker: `Orders of the shop [mainstay {…}]`.

use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::platform::Inexpressible;

const BEGIN: &str = "[mainstay ";
const END: char = ']';

/// The description of a service: a sentence and its marker.
pub(in crate::platform) fn write(sentence: &str, marker: &Marker) -> Result<String, Inexpressible> {
    if sentence.chars().any(char::is_control) {
        let reason =
            "the service manager of Windows shows one line: leave out line ends and control characters";
        return Err(Inexpressible::new("service.description", reason));
    }
    // A description that begins so is the name of a text in a library.
    if sentence.starts_with('@') {
        return Err(Inexpressible::new(
            "service.description",
            "Windows takes a text that begins with `@` for another's name",
        ));
    }
    let marker = serde_json::to_string(marker)
        .map_err(|error| Inexpressible::new("service.description", error.to_string()))?;
    Ok(format!("{sentence} {BEGIN}{marker}{END}").trim_start().to_owned())
}

/// The marker in a description. It is JSON, so that any path survives in it, one with a `]` too: it ends where the text
/// does, and begins where all that follows is one.
#[must_use]
pub fn read(description: &str) -> Option<Marker> {
    let text = description.trim_end().strip_suffix(END)?;
    text.match_indices(BEGIN)
        .find_map(|(place, _)| serde_json::from_str::<Marker>(&text[place + BEGIN.len()..]).ok())
        .filter(|marker| marker.platform == PlatformKind::Windows)
}
