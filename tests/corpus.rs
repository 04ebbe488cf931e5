//! Every input that the fuzzers have kept is tried again, without them: `tests/fuzz/corpus`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "fuzz/src/lib.rs"]
mod fuzz;

use std::path::Path;

#[test]
fn every_kept_input_is_tried() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (name, run) in fuzz::TARGETS {
        let mut inputs: Vec<_> =
            std::fs::read_dir(corpus.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        inputs.sort();
        assert!(inputs.len() >= 3, "{name} has a corpus of {} only", inputs.len());
        for input in inputs {
            let bytes = std::fs::read(&input).unwrap();
            let outcome = std::panic::catch_unwind(|| run(&bytes));
            assert!(outcome.is_ok(), "{} breaks a promise", input.display());
        }
    }
}

/// What the fuzzers look for is found: a target that swallows what it sees would pass for ever.
#[test]
fn a_broken_promise_is_noticed() {
    let broken = |run: fn()| std::panic::catch_unwind(run).is_err();
    assert!(broken(|| fuzz::again::<Fickle>("1")));
}

/// It reads as something else than it was.
#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(from = "u8", into = "u8")]
struct Fickle(u8);

impl Clone for Fickle {
    fn clone(&self) -> Self {
        Self(self.0 + 1)
    }
}

impl From<u8> for Fickle {
    fn from(number: u8) -> Self {
        Self(number)
    }
}

impl From<Fickle> for u8 {
    fn from(fickle: Fickle) -> Self {
        fickle.0
    }
}
