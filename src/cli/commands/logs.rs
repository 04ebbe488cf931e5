//! `logs`

use std::time::Duration;

use crate::cli::arguments::LogsArguments;
use crate::cli::report::{Report, style, styled};
use crate::cli::surroundings::target_to_see;
use crate::cli::words;
use crate::engine::failure::Failure;
use crate::engine::logs::{LogRequest, Told, logs as read};
use crate::engine::manager::{HostManager, Manager as _};
use crate::engine::target::Target;
use crate::host::{account, clock};
use crate::model::answer::log::{LogAnswer, LogStream};
use crate::model::duration::Span;
use crate::model::level::Level;
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::model::moment::Moment;

/// How many lines are shown before new ones are waited for, where nothing says how many.
const USUAL_LINES: usize = 100;
/// How much is gathered before it is written: a system call for each line would be most of the work.
const GATHERED: usize = 64 << 10;

/// `logs`
pub(crate) fn logs(report: &Report, arguments: &LogsArguments) -> Result<u8, Failure> {
    let request = request(report, arguments)?;
    let target = target_to_see(report, &arguments.target)?;
    let of = target.installed()?;
    let mut gathered = String::new();
    let mut any = false;
    // To a file or another program a line goes as it is, but for colours, which are taken out.
    let watched = report.is_watched();
    if request.follow && !runs(&target, of) {
        report.say(format!("{} does not run: what its log holds, and what comes when it does", target.name));
    }
    if request.follow && watched && !arguments.follow {
        report.say("following: Ctrl-C ends; `--no-follow` shows what is there and ends");
    }
    let write = |gathered: &mut String| {
        if report.is_json() {
            report.raw(gathered);
        } else {
            report.text(gathered);
        }
        gathered.clear();
        !report.is_closed()
    };
    let outcome = read(&target.layout, of, &request, &mut |told| match told {
        Told::Line(mut line) => {
            any = true;
            if report.is_json() {
                gathered.push_str(&serde_json::to_string(&line).unwrap_or_default());
                gathered.push('\n');
            } else {
                if watched {
                    line.text = words::visible(&line.text).into_owned();
                }
                push(&mut gathered, &line);
            }
            gathered.len() < GATHERED || write(&mut gathered)
        }
        Told::All => gathered.is_empty() || write(&mut gathered),
    });
    // What was found before a failure is worth showing.
    if !gathered.is_empty() {
        write(&mut gathered);
    }
    outcome?;
    if !any {
        report.say(format!("no line of {}'s log is what was asked for", target.name));
        let host_journal = of.platform == PlatformKind::Systemd && of.scope == Scope::System;
        if host_journal && account::effective_uid() != 0 {
            report.say("  reading the host's journal needs root, or the group `systemd-journal`");
        }
    }
    Ok(0)
}

/// Whether anything could write to the log now.
fn runs(target: &Target, of: &Marker) -> bool {
    HostManager::new(target.layout.clone()).seen(of).map_or(true, |seen| seen.state.runs())
}

fn push(gathered: &mut String, line: &LogAnswer) {
    let style = match (line.level, line.stream) {
        (_, Some(LogStream::Own)) => style::HINT,
        (Level::Error, _) => style::BAD,
        (Level::Warning, _) => style::DOUBTFUL,
        (Level::Info, _) => anstyle::Style::new(),
        (Level::Debug, _) => style::FAINT,
    };
    let own = if line.stream == Some(LogStream::Own) { "[mainstay] " } else { "" };
    let time = styled(style::FAINT, clock::local_precise(line.at));
    gathered.extend([&time, " ", &styled(style, format!("{own}{}", line.text)), "\n"]);
}

fn request(report: &Report, arguments: &LogsArguments) -> Result<LogRequest, Failure> {
    let watched = report.is_watched() && arguments.until.is_none();
    let follow = arguments.follow || (!arguments.no_follow && watched);
    let pattern = match &arguments.grep {
        None => None,
        Some(pattern) => Some(regex_lite::Regex::new(pattern).map_err(|error| {
            Failure::Usage(format!("`--grep {pattern}` is no regular expression: {error}"))
        })?),
    };
    let typed = arguments.lines.map(|lines| usize::try_from(lines).unwrap_or(usize::MAX));
    let usual = (follow && arguments.since.is_none()).then_some(USUAL_LINES);
    Ok(LogRequest {
        since: moment("--since", arguments.since.as_deref())?,
        until: moment("--until", arguments.until.as_deref())?,
        level: arguments.level.as_deref().and_then(Level::of_word),
        pattern,
        lines: typed.or(usual),
        follow,
    })
}

/// A point in time, as a person types it: a duration counts back from now.
fn moment(option: &str, typed: Option<&str>) -> Result<Option<Moment>, Failure> {
    let Some(typed) = typed else { return Ok(None) };
    let ago = typed.strip_suffix(" ago").unwrap_or(typed);
    let back = |span: Span| clock::before(Duration::from(span));
    let found = ago.parse::<Span>().ok().and_then(back).or_else(|| clock::parse(typed));
    found.map(Some).ok_or_else(|| {
        Failure::Usage(format!(
            "`{option} {typed}` is no time: write a duration (`1h`, `2d`) or a time (`2026-05-08T14:32:00Z`, or `2026-05-08T14:32` for this host's time zone)"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_typed_as_durations_or_moments() {
        let at = |text: &str| moment("--since", Some(text)).unwrap().unwrap();
        assert_eq!(at("2026-05-08T14:32:00Z").to_string(), "2026-05-08T14:32:00Z");
        assert_eq!(at("2026-05-08T14:32:00+02:00").to_string(), "2026-05-08T12:32:00Z");
        let hour = clock::now().0.duration_since(at("1h").0).as_secs();
        assert!((3590..3660).contains(&hour), "{hour}");
        assert!(at("2026-05-08T14:32") > at("2026-05-07"));
        assert!(moment("--since", Some("yesterday")).is_err());
        assert_eq!(moment("--since", None).unwrap(), None);
    }
}
