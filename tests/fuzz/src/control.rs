//! What commands, supervisors and starts of a service say to each other, a line each.

use mainstay::model::overlap::{Ask, Word};

pub fn run(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    for line in text.lines() {
        super::again::<Ask>(line);
        super::again::<Word>(line);
        let said = serde_json::from_str::<Ask>(line).map(|ask| ask.line());
        let told = serde_json::from_str::<Word>(line).map(|word| word.line());
        for line in [said, told].into_iter().flatten() {
            assert!(line.ends_with('\n') && line.lines().count() == 1, "{line:?} is not one line");
        }
    }
}
