//! What a plan changes and why, in lines: drift, settings, and definitions as unified diffs.

use camino::Utf8Path;
use similar::TextDiff;

use crate::cli::report::{style, styled};
use crate::cli::words;
use crate::model::answer::plan::FileDiff;
use crate::model::drift::{Difference, FileChange};

/// How many lines are shown around a change.
const CONTEXT: usize = 3;

/// The difference in lines, with the definitions line by line where that is wanted.
pub(super) fn lines(difference: &Difference, with_files: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for drift in &difference.drift {
        // A name in it may be anybody's.
        let told = words::visible(&drift.object).into_owned();
        lines.push(format!("{} {}: {told}", styled(style::DOUBTFUL, "drift:"), drift.kind));
        lines.push(styled(style::FAINT, format!("       `apply` {}", drift.mend)));
    }
    for field in &difference.fields {
        let told = words::visible(&field.to_string()).into_owned();
        lines.push(format!("{} {told}", styled(style::HINT, "setting:")));
    }
    for drop_in in &difference.drop_ins {
        let (path, sets) = (&drop_in.path, words::visible(&drop_in.sets.join(", ")).into_owned());
        let sets = if sets.is_empty() { "sets nothing".to_owned() } else { format!("sets {sets}") };
        lines.push(format!("{} {path} {sets}; it stays", styled(style::HINT, "drop-in:")));
    }
    if with_files {
        for file in &difference.files {
            lines.extend(unified(file).lines().map(|line| coloured(&words::visible(line))));
        }
    }
    lines
}

/// The definitions that change, each as a unified diff.
pub(super) fn diffs(difference: &Difference) -> Vec<FileDiff> {
    let diff = |file: &FileChange| FileDiff { path: file.path.clone(), diff: unified(file) };
    difference.files.iter().map(diff).collect()
}

fn unified(file: &FileChange) -> String {
    let (before, after) =
        (file.before.as_deref().unwrap_or_default(), file.after.as_deref().unwrap_or_default());
    let name = |text: &Option<String>, path: &Utf8Path| match text {
        Some(_) => path.to_string(),
        None => "/dev/null".to_owned(),
    };
    let (old, new) = (name(&file.before, &file.path), name(&file.after, &file.path));
    let diff = TextDiff::from_lines(before, after);
    diff.unified_diff().context_radius(CONTEXT).header(&old, &new).to_string()
}

fn coloured(line: &str) -> String {
    let style = match line.as_bytes().first() {
        Some(b'+') if !line.starts_with("+++") => style::GOOD,
        Some(b'-') if !line.starts_with("---") => style::BAD,
        Some(b'@') => style::HINT,
        _ => style::FAINT,
    };
    styled(style, line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(before: Option<&str>, after: Option<&str>) -> Difference {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let file = FileChange { path: "/etc/x".into(), before: text(before), after: text(after) };
        Difference { files: vec![file], ..Difference::default() }
    }

    #[test]
    fn a_definition_is_shown_line_by_line() {
        insta::assert_snapshot!(diffs(&change(Some("a\nb\n"), Some("a\nc\n")))[0].diff, @r"
        --- /etc/x
        +++ /etc/x
        @@ -1,2 +1,2 @@
         a
        -b
        +c
        ");
        insta::assert_snapshot!(diffs(&change(None, Some("a\n")))[0].diff, @r"
        --- /dev/null
        +++ /etc/x
        @@ -0,0 +1 @@
        +a
        ");
        assert!(lines(&change(None, Some("a\n")), false).is_empty());
        assert_eq!(lines(&change(None, Some("a\n")), true).len(), 4);
    }
}
