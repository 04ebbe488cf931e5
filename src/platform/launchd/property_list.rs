//! A launch spec as a property list.
//!
//! The process that launchd starts is guard and supervisor in one, and stays root where the program gets another account.
//! It ends with success when it is done for good, so that launchd starts again only what died or asked for it.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, ErrorKind};
use serde::Serialize;

use crate::model::digest::Digest;
use crate::model::launch::LaunchSpec;
use crate::model::layout::{Layout, label};
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::platform::refusal::{reason, refused};
use crate::platform::{Inexpressible, stamp, xml};

const TEMPLATE: &str = include_str!("../../../templates/launchd.plist");
/// The beginning of the line that holds the digest of all others.
const HASH: &str = "<key>MainstayHash</key>";
/// The beginning of the line that says of a running process by which definition it was started.
const DEFINITION: &str = "<key>MAINSTAY_DEFINITION</key>";
/// The beginning of the line that says whether it starts by itself: it means nothing to what runs.
const BOOT: &str = "<key>RunAtLoad</key>";
/// The least time between two starts, in seconds: the supervisor has pauses of its own, and launchd's are 10 s.
const THROTTLE: u64 = 1;
/// How much longer launchd waits for an end than the supervisor takes, in seconds.
const GRACE: u64 = 10;

#[derive(Serialize)]
struct Values<'a> {
    label: String,
    component: &'a str,
    name: &'a str,
    scope: &'a str,
    folder: &'a str,
    stamp: &'a str,
    definition: String,
    arguments: Vec<String>,
    environment: Vec<(&'static str, &'a str)>,
    boot: &'static str,
    throttle: u64,
    exit_time_out: u64,
    system: bool,
    output: String,
}

/// The text of the property list.
pub(in crate::platform) fn render(spec: &LaunchSpec, layout: &Layout) -> Result<String, Inexpressible> {
    let blank = fill(spec, layout, String::new())?;
    let text = fill(spec, layout, digest(&blank))?;
    Ok(stamp::press(&text, HASH))
}

fn fill(spec: &LaunchSpec, layout: &Layout, definition: String) -> Result<String, Inexpressible> {
    let program = layout.runtime_program(&spec.name);
    let scope = format!("--{}", spec.scope);
    let words = [program.as_str(), "run", "--name", spec.name.as_str(), &scope, "--resident"];
    let roots = [("MAINSTAY_ROOT", &layout.root), ("MAINSTAY_CONFIG_ROOT", &layout.config_root)];
    let values = Values {
        label: label(&spec.name),
        component: spec.component.as_str(),
        name: spec.name.as_str(),
        scope: spec.scope.as_str(),
        folder: spec.deploy.as_str(),
        stamp: stamp::BLANK,
        definition,
        arguments: words.map(str::to_owned).to_vec(),
        environment: roots
            .into_iter()
            .filter_map(|(name, root)| Some((name, root.as_ref()?.as_str())))
            .collect(),
        boot: if spec.boot { "true" } else { "false" },
        throttle: THROTTLE,
        exit_time_out: spec.stop_limit().duration().as_secs().saturating_add(GRACE),
        system: spec.scope == Scope::System,
        output: layout.logs(&spec.name).join("supervisor.log").into_string(),
    };
    environment()
        .and_then(|environment| environment.get_template("plist")?.render(Serde(values)))
        .map_err(|error| reason(&error, "the property list's template"))
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment.set_syntax(
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?,
    );
    environment.set_formatter(|output, _, value| {
        if value.is_safe() || value.is_number() {
            write!(output, "{value}")?;
            return Ok(());
        }
        Err(Error::new(ErrorKind::BadEscape, format!("`{value}` has passed no filter")))
    });
    environment.add_filter("xml", |text: &str, setting: &str| match escaped(text) {
        Ok(text) => Ok(Value::from_safe_string(text)),
        Err(why) => Err(refused(Inexpressible::new(setting, why))),
    });
    environment.add_template("plist", TEMPLATE)?;
    Ok(environment)
}

fn escaped(text: &str) -> Result<String, String> {
    xml::escaped(text)
        .map_err(|letter| format!("a property list can't hold the character U+{:04X}", u32::from(letter)))
}

/// The marker in the text of a property list, however it is laid out.
pub(in crate::platform) fn marker(text: &str) -> Option<Marker> {
    // Most property lists are not ours: one search tells.
    if !text.contains("<key>MainstayComponent</key>") {
        return None;
    }
    let value = plist::Value::from_reader_xml(text.as_bytes()).ok()?;
    let keys = value.as_dictionary()?;
    let word = |key: &str| keys.get(key)?.as_string();
    Some(Marker {
        name: word("MainstayInstance")?.parse().ok()?,
        component: word("MainstayComponent")?.parse().ok()?,
        platform: PlatformKind::Launchd,
        scope: [Scope::System, Scope::User]
            .into_iter()
            .find(|scope| Some(scope.as_str()) == word("MainstayScope"))?,
        folder: word("MainstayInstanceDir")?.into(),
    })
}

/// Whether nobody has edited the text.
pub(in crate::platform) fn untouched(text: &str) -> bool {
    stamp::fits(text, HASH)
}

/// What of the text counts for a process that was started by it, as a digest.
pub(in crate::platform) fn digest(text: &str) -> String {
    let counts = |line: &&str| ![HASH, DEFINITION, BOOT].iter().any(|key| line.trim_start().starts_with(key));
    let lines: String = text.split_inclusive('\n').filter(counts).collect();
    Digest::of(lines.as_bytes()).to_string()
}

/// The digest that what is started by the text carries; none where mainstay did not write it.
#[must_use]
pub fn definition_of(text: &str) -> Option<String> {
    text.contains(DEFINITION).then(|| digest(text))
}

/// Whether the text has the service start by itself.
#[must_use]
pub fn runs_at_load(text: &str) -> bool {
    text.lines().any(|line| line.trim_start().starts_with(BOOT) && line.contains("<true/>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_can_not_hold_is_refused_and_everything_else_comes_back() {
        for text in ["", " a ", "a\tb\nc", "a\rb", "&<>\"'", "]]>", "<!--", "é 日 😀", "C:\\x", "$HOME %i"]
        {
            let whole = format!("<plist><string>{}</string></plist>", escaped(text).unwrap());
            let read = plist::Value::from_reader_xml(whole.as_bytes()).unwrap();
            assert_eq!(read.as_string(), Some(text), "{whole}");
        }
        for text in ["\u{1}", "a\u{b}", "\u{fffe}", "\0"] {
            assert!(escaped(text).is_err(), "{text:?}");
        }
    }
}
