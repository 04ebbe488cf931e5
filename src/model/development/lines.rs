//! The lines of an environment file that services for development give: each after a mark of its own, so that what its
//! owner writes beside them is told from ours and never touched.

use std::fmt::Write as _;

use crate::model::environment_file::{line, parse};
use crate::model::name::ComponentName;
use crate::model::variable::VariableName;

/// How a mark begins; the service's name follows.
const MARK: &str = "# from `mainstay install --dev`: ";

/// A variable that a service gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The service.
    pub service: ComponentName,
    /// The variable.
    pub name: VariableName,
    /// Its value.
    pub value: String,
}

/// The text with the variables that are given now, and without those that were given before. A variable that its owner
/// has set himself is kept, and named.
#[must_use]
pub fn with(text: &str, before: &[Given], now: &[Given]) -> (String, Vec<VariableName>) {
    let mut text = stripped(text, before, now);
    // What can't be read is its owner's to mend, and told by whoever starts the program.
    let known = parse(&text).unwrap_or_default();
    let mut kept = Vec::new();
    for given in now {
        match known.iter().find(|(name, _)| *name == given.name) {
            Some((_, value)) if *value == given.value => {}
            Some((name, _)) => kept.push(name.clone()),
            None => {
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push('\n');
                }
                let _ = write!(text, "{MARK}{}\n{}", given.service, line(&given.name, &given.value));
            }
        }
    }
    (text, kept)
}

/// The text without the variables that were given. What its owner has changed of them since is his, and stays without
/// its mark.
#[must_use]
pub fn without(text: &str, given: &[Given]) -> String {
    stripped(text, given, &[])
}

fn stripped(text: &str, before: &[Given], now: &[Given]) -> String {
    let mut rest = String::with_capacity(text.len());
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(current) = lines.next() {
        let marked = current.starts_with(MARK).then(|| lines.peek().copied().unwrap_or_default());
        match marked {
            Some(next) if is_one_of(next, now) => rest += current,
            Some(next) if is_one_of(next, before) => {
                lines.next();
            }
            // The mark alone.
            Some(_) => {}
            None => rest += current,
        }
    }
    rest
}

fn is_one_of(text: &str, all: &[Given]) -> bool {
    match parse(text).as_deref() {
        Ok([(name, value)]) => all.iter().any(|given| given.name == *name && given.value == *value),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(name: &str, value: &str) -> Given {
        Given {
            service: "db".parse().unwrap(),
            name: VariableName::new(name).unwrap(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn what_is_added_can_be_taken_away_and_the_rest_is_as_it_was() {
        let url = given("URL", "postgres://app:$x' \"#@127.0.0.1:15432/app");
        let given = [url, given("HOST", "127.0.0.1")];
        for text in ["", "A=1\n", "A=1", "# a comment\n\nA='x\ny'\n"] {
            let (with, kept) = with(text, &[], &given);
            assert!(kept.is_empty(), "{text:?}");
            let variables = parse(&with).unwrap();
            assert!(
                given.iter().all(|it| variables.contains(&(it.name.clone(), it.value.clone()))),
                "{with}"
            );
            assert_eq!(super::with(&with, &given, &given).0, with, "a second time changes nothing");
            let ended =
                if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
            assert_eq!(without(&with, &given), ended);
        }
    }

    #[test]
    fn what_its_owner_has_set_is_kept_and_named() {
        let ours = [given("URL", "ours"), given("HOST", "h")];
        let (text, kept) = with("URL=mine\n", &[], &ours);
        assert_eq!(kept, [VariableName::new("URL").unwrap()]);
        assert_eq!(text, format!("URL=mine\n{MARK}db\nHOST=h\n"));
        // He changes what was given: it is his from then on.
        let changed = text.replace("HOST=h", "HOST=other");
        let (again, kept) = with(&changed, &ours, &ours);
        assert_eq!((again.as_str(), kept.len()), ("URL=mine\nHOST=other\n", 2));
        assert_eq!(without(&changed, &ours), again);
    }

    #[test]
    fn what_is_given_no_more_goes_and_another_value_takes_the_place() {
        let before = [given("OLD", "1"), given("URL", "1")];
        let (text, _) = with("A=1\n", &[], &before);
        let (text, kept) = with(&(text + "B=2\n"), &before, &[given("URL", "2")]);
        assert_eq!(text, format!("A=1\nB=2\n{MARK}db\nURL=2\n"));
        assert!(kept.is_empty());
    }
}
