//! Conditions on the system (`cfg`): which of the builds that `tests/run` makes compile what stands behind them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The builds, each with its C library: Linux by cargo's tests, and by `tests/release` as it is shipped; macOS by
/// `tests/darwin`, Windows by `tests/windows`. The tests of each, too; what is shipped has none.
const BUILDS: [(&str, &str, &str, &str); 4] = [
    ("linux", "unix", "x86_64", "gnu"),
    ("linux", "unix", "x86_64", "musl"),
    ("macos", "unix", "aarch64", ""),
    ("windows", "windows", "x86_64", "gnu"),
];

/// What names an operating system: its conditions, and the crates and modules that are its own.
const NAMES: [&str; 8] =
    ["cfg(unix", "cfg(windows", "target_os", "std::os::", "rustix", "nix::", "signal_hook", "windows_sys"];

/// The lines of a source that name a system, tests and comments left out. Tests stand at the end of a file here.
pub(crate) fn named(text: &str) -> Vec<usize> {
    let code = text.lines().enumerate().take_while(|(_, line)| !line.starts_with("#[cfg(test)]"));
    let naming = code.filter(|(_, line)| {
        !line.trim_start().starts_with("//") && NAMES.iter().any(|name| line.contains(name))
    });
    naming.map(|(at, _)| at + 1).collect()
}

/// The conditions in a source, as they are written.
pub(crate) fn conditions(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for start in ["cfg(", "cfg!(", "cfg_attr("] {
        for (at, _) in text.match_indices(start) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|before| before.is_alphanumeric() || before == '_') {
                continue;
            }
            let inner = &text[at + start.len()..];
            let condition = first_part(inner);
            // A word on conditions in a comment or a text is none.
            if condition.chars().next().is_some_and(char::is_lowercase) {
                found.insert(condition.split_whitespace().collect::<Vec<_>>().join(" "));
            }
        }
    }
    found
}

/// What stands before the comma or parenthesis that ends it.
fn first_part(text: &str) -> &str {
    let mut depth = 0_i32;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' | ',' if depth == 0 => return &text[..at],
            ')' => depth -= 1,
            _ => {}
        }
    }
    text
}

/// Why a condition is not covered; nothing if some build compiles what it lets in, and some build what it keeps out.
pub(crate) fn uncovered(condition: &str) -> Option<String> {
    let mut answers = BTreeSet::new();
    for (system, family, processor, library) in BUILDS {
        for test in [library != "musl", false] {
            match holds(condition, &|name, value| match (name, value) {
                ("test", None) => Some(test),
                ("unix" | "windows", None) => Some(name == family),
                ("target_os", Some(value)) if BUILDS.iter().any(|(known, ..)| *known == value) => {
                    Some(value == system)
                }
                ("target_env", Some(value)) if ["gnu", "musl"].contains(&value) => Some(value == library),
                ("target_arch", Some(value)) if ["x86_64", "aarch64"].contains(&value) => {
                    Some(value == processor)
                }
                _ => None,
            }) {
                Ok(answer) => answers.insert(answer),
                Err(unknown) => {
                    return Some(format!("`{condition}`: no build is told from another by `{unknown}`"));
                }
            };
        }
    }
    (!answers.contains(&true)).then(|| format!("`{condition}` holds in no build"))
}

/// Whether a condition holds; an error is the part of it that nobody knows.
fn holds(condition: &str, known: &dyn Fn(&str, Option<&str>) -> Option<bool>) -> Result<bool, String> {
    let condition = condition.trim();
    if let Some((word, rest)) = condition.split_once('(') {
        let mut parts = Vec::new();
        let mut rest = rest.strip_suffix(')').ok_or_else(|| condition.to_owned())?.trim();
        while !rest.is_empty() {
            let part = first_part(rest);
            parts.push(holds(part, known)?);
            rest = rest[part.len()..].trim_start_matches(',').trim();
        }
        return match word.trim() {
            "not" if parts.len() == 1 => Ok(!parts[0]),
            "all" => Ok(parts.iter().all(|part| *part)),
            "any" => Ok(parts.iter().any(|part| *part)),
            _ => Err(condition.to_owned()),
        };
    }
    let (name, value) = match condition.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
        None => (condition, None),
    };
    known(name, value).ok_or_else(|| condition.to_owned())
}

/// The faults of many sources.
pub(crate) fn faults(sources: &[(String, String)]) -> String {
    let mut said = String::new();
    for (name, text) in sources {
        for fault in conditions(text).iter().filter_map(|condition| uncovered(condition)) {
            let _ = writeln!(said, "  {name}: {fault}");
        }
    }
    said
}

#[test]
fn conditions_are_found_and_judged() {
    let text = r#"
        #[cfg(all(unix, not(target_os = "linux")))] fn a() {}
        #[cfg_attr(not(target_os = "macos"), expect(dead_code, reason = "x, y"))] fn b() {}
        fn c() -> bool { cfg!(windows) }
        /// With cfg(…) a condition is written.
    "#;
    let found: Vec<String> = conditions(text).into_iter().collect();
    let expected = [r#"all(unix, not(target_os = "linux"))"#, r#"not(target_os = "macos")"#, "windows"];
    assert_eq!(found, expected);
    assert!(found.iter().all(|condition| uncovered(condition).is_none()));
    for nobody in [
        r#"all(unix, not(any(target_os = "linux", target_os = "macos")))"#,
        r#"target_os = "freebsd""#,
        "all(unix, windows)",
        r#"feature = "odd""#,
        "debug_assertions",
        "most(unix)",
    ] {
        assert!(uncovered(nobody).is_some(), "{nobody}");
    }
}
