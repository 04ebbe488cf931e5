//! What a program wrote last, told with its failure.

/// The last lines of a log.
pub(super) fn told_last(log: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    if !log.is_empty() {
        lines.push("its last lines:".to_owned());
        lines.extend(log.iter().map(|line| format!("  {line}")));
    }
    lines
}

/// The same, with where there are more.
pub(super) fn last_lines(log: &[String]) -> Vec<String> {
    let mut lines = told_last(log);
    lines.push("`mainstay logs` shows more, `mainstay status` how it is now".to_owned());
    lines
}
