//! The journal of an operation under way, torn and damaged as a crash or a disk leaves it.

use camino::Utf8Path;
use mainstay::engine::journal::parse;

pub fn run(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    let path = Utf8Path::new("/state/.journal/web/journal");
    let Ok(unfinished) = parse(path, text) else { return };
    let steps = unfinished.plan.steps.len();
    assert!(unfinished.begun <= steps && unfinished.ended.len() == steps);
    // Torn anywhere behind its plan, it is still a journal, and says no more than the whole.
    let plan = text.find('\n').unwrap_or(text.len());
    for end in (plan..text.len()).filter(|end| text.is_char_boundary(*end)).take(64) {
        let torn = parse(path, &text[..end]).unwrap();
        assert_eq!(torn.plan, unfinished.plan);
        assert!(torn.begun <= unfinished.begun);
        assert!(torn.ended.iter().zip(&unfinished.ended).all(|(torn, whole)| *whole || !*torn));
    }
}
