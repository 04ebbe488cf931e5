//! The environment file: what it says is said again, quoted, and read to the same.

use std::fmt::Write as _;

use mainstay::model::environment_file::parse;

pub fn run(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    match parse(text) {
        Ok(variables) => {
            let mut written = String::new();
            for (name, value) in &variables {
                assert!(!value.contains('\u{0}'), "no environment holds a NUL");
                writeln!(written, "{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")).unwrap();
            }
            assert_eq!(parse(&written).as_ref(), Ok(&variables), "{written}");
        }
        Err(error) => {
            let lines = text.split('\n').count();
            assert!((1..=lines).contains(&error.line), "{error:?} is in no line of {lines}");
            assert!(error.column >= 1);
        }
    }
}
