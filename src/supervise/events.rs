//! What happened to the program, a line an event, for `mainstay history`: `events.jsonl` beside the status file, and
//! one predecessor, each of at most 64 KiB.

use std::io::{self, Read as _, Write as _};

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::{own_file, untrusted};
use crate::model::event_line::EventLine;
use crate::model::layout::EVENTS;

/// The size at which the file becomes the predecessor, in bytes.
const LARGEST: u64 = 64 << 10;
/// The longest message that is kept, in characters.
const LONGEST_MESSAGE: usize = 500;

/// The events of one instance, for its supervisor to add to.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    path: Utf8PathBuf,
}

impl Events {
    /// Those that stand beside a status file.
    pub(crate) fn beside(status: &Utf8Path) -> Self {
        Self { path: status.with_file_name(EVENTS) }
    }

    /// Adds an event. One that can't be written is lost: neither a full disk nor anything else about this file is a
    /// reason to disturb the program.
    pub(crate) fn add(&self, event: &EventLine) {
        let message = shortened(&event.message);
        let event = EventLine { message, ..event.clone() };
        let _ = self.try_add(&event);
    }

    fn try_add(&self, event: &EventLine) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        let mut file = append(&self.path)?;
        let mut size = file.metadata()?.len();
        if size > 0 && size + line.len() as u64 > LARGEST {
            own_file::replace(&self.path, &predecessor(&self.path))?;
            file = append(&self.path)?;
            size = 0;
        }
        file.write_all(&line).inspect_err(|_| {
            // Half a line would spoil the next one too.
            let _ = file.set_len(size);
        })
    }
}

/// The events that a supervisor left or keeps, oldest first. The files may belong to a less privileged account: no
/// link is followed, no more is read than they can be long, and what is no event is passed over.
#[must_use]
pub fn read_events(path: &Utf8Path) -> Vec<EventLine> {
    [predecessor(path), path.to_owned()].iter().flat_map(|path| read(path)).collect()
}

fn read(path: &Utf8Path) -> Vec<EventLine> {
    let mut content = Vec::new();
    let Ok(Some(file)) = untrusted::open(path) else { return Vec::new() };
    // What could be read before an error is still worth something.
    let _ = file.take(LARGEST).read_to_end(&mut content);
    let events = content.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    events.map(|event: EventLine| EventLine { message: shortened(&event.message), ..event }).collect()
}

/// A message as people can read it in one line.
fn shortened(message: &str) -> String {
    let plain = message.chars().map(|next| if next.is_control() { ' ' } else { next });
    let mut kept: String = plain.take(LONGEST_MESSAGE).collect();
    if message.chars().nth(LONGEST_MESSAGE).is_some() {
        kept.push('…');
    }
    kept
}

fn predecessor(path: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{path}.1"))
}

fn append(path: &Utf8Path) -> io::Result<fs_err::File> {
    own_file::writing(0o644).append(true).create(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::clock;
    use crate::host::os::testing::FULL;
    use crate::model::event_line::EventKind;
    use crate::model::outcome::Outcome;
    use crate::model::status::Exit;

    fn event(message: String) -> EventLine {
        let (outcome, exit) = (Some(Outcome::Partial), Some(Exit::Code(2)));
        EventLine { at: clock::now(), event: EventKind::Ended, outcome, exit, message }
    }

    #[test]
    fn events_are_kept_up_to_a_size_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let status = Utf8PathBuf::try_from(folder.path().join("status.json")).unwrap();
        let events = Events::beside(&status);
        for number in 0..2000 {
            events.add(&event(format!("number {number}")));
        }
        let kept = read_events(&events.path);
        let messages: Vec<_> = kept.iter().map(|event| event.message.clone()).collect();
        let first = 2000 - messages.len();
        let expected: Vec<_> = (first..2000).map(|number| format!("number {number}")).collect();
        assert!(messages.len() > 600 && messages == expected, "{first}");
        assert_eq!((kept[0].outcome, kept[0].exit), (Some(Outcome::Partial), Some(Exit::Code(2))));
        for path in [predecessor(&events.path), events.path.clone()] {
            assert!(std::fs::metadata(path).unwrap().len() <= LARGEST);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_no_event_is_passed_over_and_messages_have_a_length() {
        let folder = tempfile::tempdir().unwrap();
        let status = Utf8PathBuf::try_from(folder.path().join("status.json")).unwrap();
        let events = Events::beside(&status);
        std::fs::write(&events.path, "{\"at\": nonsense}\n\n").unwrap();
        events.add(&event("a\nb\u{1b}[31m".to_owned()));
        events.add(&event("x".repeat(10_000)));
        let messages: Vec<_> = read_events(&events.path).into_iter().map(|event| event.message).collect();
        assert_eq!(messages, ["a b [31m".to_owned(), "x".repeat(LONGEST_MESSAGE) + "…"]);
    }

    #[test]
    fn a_full_disk_is_no_failure() {
        let Some(full) = FULL else { return };
        let full = Events { path: full.into() };
        let error = full.try_add(&event("lost".to_owned())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        full.add(&event("lost".to_owned()));
    }
}
