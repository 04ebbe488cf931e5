//! The package's own lines, in the words of people.

use std::time::Duration;

use anstyle::Style;
use serde_json::Value;

use crate::cli::commands::status::screen::{REMARK, Told};
use crate::cli::report::style;
use crate::cli::words;
use crate::host::clock;
use crate::model::answer::package_status::{FieldVerdict, PackageField, PackageStatus, text};
use crate::model::moment::Moment;
use crate::model::package::ValueForm;
use crate::model::package::view::RATIO;

/// From here on a number counts milliseconds, not seconds, since 1970: in seconds it would be the year 5138.
const MILLISECONDS_FROM: f64 = 1e11;

/// What a program says of itself, a line each.
pub(super) fn fields(package: &PackageStatus, now: Moment) -> Vec<Told> {
    if let Some(problem) = &package.problem {
        let told = format!("it does not say how it is: {}", words::visible(problem));
        return vec![Told::plain(REMARK, told)];
    }
    let told = |field: &PackageField| {
        let style = match (field.verdict, field.absent) {
            (Some(FieldVerdict::Good), _) => style::GOOD,
            (Some(FieldVerdict::Bad), _) => style::BAD,
            (None, true) => style::FAINT,
            (None, false) => Style::new(),
        };
        let value = value(field, now);
        Told::styled(words::visible(&field.label), style, words::visible(&value))
    };
    package.fields.iter().map(told).collect()
}

/// A value in its form; one that does not fit it, as it is.
fn value(field: &PackageField, now: Moment) -> String {
    let formed = if field.absent { None } else { formed(field, now) };
    formed.unwrap_or_else(|| text(&field.value))
}

fn formed(field: &PackageField, now: Moment) -> Option<String> {
    let unit = field.unit.as_deref();
    match field.form {
        ValueForm::Text => None,
        ValueForm::Number => {
            let number = rounded(field.value.as_f64()?, &field.value);
            Some(unit.map_or_else(|| number.clone(), |unit| format!("{number} {unit}")))
        }
        ValueForm::Bytes => field.value.as_u64().map(words::size),
        ValueForm::Duration => {
            let factor = match unit {
                Some("ms") => 0.001,
                Some("m") => 60.0,
                Some("h") => 3_600.0,
                _ => 1.0,
            };
            let length = Duration::try_from_secs_f64(field.value.as_f64()? * factor).ok()?;
            Some(if length < Duration::from_secs(60) {
                words::duration(length)
            } else {
                words::uptime(length)
            })
        }
        ValueForm::Time => {
            let moment = moment(&field.value)?;
            let ago = if moment > now { words::until(moment, now) } else { words::since(moment, now) };
            Some(format!("{}, {ago}", clock::local(moment)))
        }
        ValueForm::Percent => {
            let number = field.value.as_f64()? * if unit == Some(RATIO) { 100.0 } else { 1.0 };
            Some(format!("{} %", trimmed(format!("{number:.1}"))))
        }
        ValueForm::YesNo => field.value.as_bool().map(|yes| if yes { "yes" } else { "no" }.to_owned()),
    }
}

/// Whole numbers as they are, others with two decimals.
fn rounded(number: f64, value: &Value) -> String {
    if value.is_f64() { trimmed(format!("{number:.2}")) } else { value.to_string() }
}

fn trimmed(number: String) -> String {
    match number.split_once('.') {
        Some(_) => number.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => number,
    }
}

fn moment(value: &Value) -> Option<Moment> {
    if let Some(text) = value.as_str() {
        return clock::parse(text);
    }
    let number = value.as_f64()?;
    let seconds = if number.abs() >= MILLISECONDS_FROM { number / 1_000.0 } else { number };
    clock::since_epoch(seconds)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(value: &Value, form: &str, unit: Option<&str>) -> String {
        let field = json!({ "label": "X", "value": value, "as": form, "unit": unit });
        let now = Moment("2026-05-08T12:00:00Z".parse().unwrap());
        super::value(&serde_json::from_value(field).unwrap(), now)
    }

    #[test]
    fn values_are_shown_in_their_form() {
        for (value, form, unit, text) in [
            (json!("a"), "text", None, "a"),
            (json!(["a", "b"]), "text", None, "a, b"),
            (json!({ "a": 1 }), "text", None, r#"{"a":1}"#),
            (json!(true), "text", None, "true"),
            (json!(1200), "number", Some("agents"), "1200 agents"),
            (json!(1.256), "number", None, "1.26"),
            (json!(2.0), "number", None, "2"),
            (json!("many"), "number", Some("agents"), "many"),
            (json!(12_900_000), "bytes", None, "12.3 MiB"),
            (json!(-1), "bytes", None, "-1"),
            (json!(7_500), "duration", None, "2h 5m"),
            (json!(120), "duration", Some("ms"), "120ms"),
            (json!(1.5), "duration", Some("h"), "1h 30m"),
            (json!(-5), "duration", None, "-5"),
            (json!(1e300), "duration", None, "1e+300"),
            (json!(42.55), "percent", None, "42.5 %"),
            (json!(0.5), "percent", Some("ratio"), "50 %"),
            (json!(true), "yesNo", None, "yes"),
            (json!("maybe"), "yesNo", None, "maybe"),
        ] {
            assert_eq!(shown(&value, form, unit), text, "{value} {form}");
        }
    }

    #[test]
    fn times_are_told_from_now() {
        for value in [json!("2026-05-08T11:00:00Z"), json!(1_778_238_000), json!(1_778_238_000_000_i64)] {
            let said = shown(&value, "time", None);
            assert!(said.ends_with(", 1h ago"), "{value}: {said}");
        }
        assert!(shown(&json!("2026-05-08T12:05:00Z"), "time", None).ends_with(", in 5m"));
        assert_eq!(shown(&json!("soon"), "time", None), "soon");
        assert_eq!(shown(&json!(1e30), "time", None), "1e+30");
    }
}
