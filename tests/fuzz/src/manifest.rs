//! A manifest is read whole, or refused with places that exist in its text.

use mainstay::model::contradiction::read_manifest;
use mainstay::model::problem::Problems;

pub fn run(bytes: &[u8]) {
    let Some(text) = super::text(bytes) else { return };
    match read_manifest("mainstay.json", text) {
        Err(problems) => check_places(text, &problems),
        Ok((manifest, document)) => {
            let written = serde_json::to_string_pretty(&manifest).unwrap();
            match read_manifest("mainstay.json", &written) {
                Ok((again, _)) => assert_eq!(again, manifest, "{written}"),
                Err(problems) => panic!("{problems:?}: {written}"),
            }
            if let Some(edited) = document.replace(&["package".into(), "version".into()], "1.2.3-edited") {
                let (edited, _) = read_manifest("mainstay.json", &edited).unwrap();
                assert_eq!(
                    edited.package.version.as_ref().map(ToString::to_string).as_deref(),
                    Some("1.2.3-edited")
                );
            }
        }
    }
}

pub(crate) fn check_places(text: &str, problems: &Problems) {
    assert!(!problems.list.is_empty());
    let lines: Vec<&str> = text.split('\n').collect();
    for problem in &problems.list {
        let line = problem.line.checked_sub(1).and_then(|line| lines.get(line));
        let line = line.unwrap_or_else(|| panic!("{problem:?} is in no line"));
        assert!((1..=line.chars().count() + 1).contains(&problem.column), "{problem:?} is in no column");
        assert!(!problem.to_string().contains('\n'), "{problem:?} breaks its line");
    }
}
