//! The template of units. Every value passes a filter that escapes it for the grammar of its place or
//! refuses it; a value that has passed none is refused by the template itself.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, ErrorKind};
use serde::Serialize;

use crate::platform::Inexpressible;
use crate::platform::refusal::{reason, refused};
use crate::platform::systemd::escape::{self, Unsayable};

const SERVICE: &str = include_str!("../../../templates/systemd.service");
const SOCKET: &str = include_str!("../../../templates/systemd.socket");

/// Fills the template of a service.
pub(super) fn fill(values: impl Serialize) -> Result<String, Inexpressible> {
    fill_template("service", values)
}

/// Fills the template of its sockets.
pub(super) fn fill_socket(values: impl Serialize) -> Result<String, Inexpressible> {
    fill_template("socket", values)
}

fn fill_template(name: &str, values: impl Serialize) -> Result<String, Inexpressible> {
    environment()
        .and_then(|environment| environment.get_template(name)?.render(Serde(values)))
        // The template engine takes the last line feed away.
        .map(|text| text.trim_end().to_owned() + "\n")
        .map_err(|error| reason(&error, "the unit's template"))
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_formatter(|output, _, value| {
        if value.is_safe() || value.is_number() {
            write!(output, "{value}")?;
            return Ok(());
        }
        Err(Error::new(ErrorKind::BadEscape, format!("`{value}` has passed no filter")))
    });
    environment
        .add_filter("command", |argv: Vec<String>, setting: &str| said(setting, escape::command(&argv)));
    environment.add_filter("assignment", |value: &str, name: &str| {
        said(&format!("service.environment.{name}"), escape::assignment(name, value))
    });
    environment.add_filter("path", |path: &str, setting: &str| said(setting, escape::path(path.into())));
    environment.add_filter("pattern_path", |path: &str, setting: &str| {
        said(setting, escape::pattern_path(path.into()))
    });
    environment.add_filter("credential_path", |path: &str| said(path, escape::credential_path(path.into())));
    environment.add_filter("listed_path", |path: &str, prefix: &str| {
        said(path, escape::listed_path(prefix, path.into()))
    });
    environment.add_filter("text", |text: &str, setting: &str| said(setting, escape::text(text)));
    environment.add_filter("verbatim", |text: &str, setting: &str| said(setting, escape::verbatim(text)));
    environment.add_filter("json", |text: &str, setting: &str| said(setting, escape::json(text)));
    environment.add_filter("word", word);
    environment.add_filter("listen", listen);
    environment.add_template("service", SERVICE)?;
    environment.add_template("socket", SOCKET)?;
    Ok(environment)
}

/// A value of a small alphabet, which no grammar changes.
fn word(text: &str) -> Result<Value, Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+~-".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        Ok(Value::from_safe_string(text.to_owned()))
    } else {
        Err(refused(Inexpressible::new(
            text,
            "it is not a plain word of letters, digits, `.`, `_`, `+`, `~` and `-`",
        )))
    }
}

/// An address, or the path of a Unix socket, whose words [`crate::model::socket::Listen`] has checked: here only a
/// specifier could mean something else.
fn listen(text: &str) -> Result<Value, Error> {
    said("service.sockets", escape::text(text))
}

fn said(setting: &str, outcome: Result<String, Unsayable>) -> Result<Value, Error> {
    match outcome {
        Ok(text) => Ok(Value::from_safe_string(text)),
        Err(unsayable) => Err(refused(Inexpressible::new(setting, unsayable.to_string()))),
    }
}
