//! When a program counts as started, when it is started again, and how it is ended.

use super::Reader;
use super::quantities::{Length, length, truth};
use crate::model::duration::Span;
use crate::model::health::Health;
use crate::model::manifest::{Ready, RestartWhen, StopSignal};
use crate::model::outcome::{ExitCodes, Outcome};

/// What stands for a time without an end: mainstay counts every time.
const WITHOUT_END: Span = Span::seconds(24 * 60 * 60);
/// How long systemd waits for a start and for a stop, unless its administrator says otherwise.
const USUAL_TIMEOUT: Span = Span::seconds(90);
/// How many restarts are counted before a program stays down (`DefaultStartLimitBurst=`), and within which time.
const USUAL_LIMIT: (u32, u64) = (5, 10);
/// More restarts than are ever made within a window: a limit that never counts.
const NO_LIMIT: u32 = 1_000;

/// The names that systemd has for exit codes (systemd.exec(5)) beside numbers: those of sysexits(3).
const NAMED_CODES: [(&str, u8); 17] = [
    ("SUCCESS", 0),
    ("FAILURE", 1),
    ("USAGE", 64),
    ("DATAERR", 65),
    ("NOINPUT", 66),
    ("NOUSER", 67),
    ("NOHOST", 68),
    ("UNAVAILABLE", 69),
    ("SOFTWARE", 70),
    ("OSERR", 71),
    ("OSFILE", 72),
    ("CANTCREAT", 73),
    ("IOERR", 74),
    ("TEMPFAIL", 75),
    ("PROTOCOL", 76),
    ("NOPERM", 77),
    ("CONFIG", 78),
];

/// The signal of a name or number, where a manifest can say it.
pub(super) fn stop_signal(text: &str) -> Option<StopSignal> {
    Some(match text.trim().trim_start_matches("SIG") {
        "TERM" | "15" => StopSignal::Sigterm,
        "INT" | "2" => StopSignal::Sigint,
        "QUIT" | "3" => StopSignal::Sigquit,
        "HUP" | "1" => StopSignal::Sighup,
        "USR1" | "10" => StopSignal::Sigusr1,
        "USR2" | "12" => StopSignal::Sigusr2,
        _ => return None,
    })
}

impl Reader<'_> {
    pub(super) fn policy(&mut self) {
        self.readiness();
        self.timeouts();
        self.ending();
        self.restart();
        self.exit_codes();
    }

    fn readiness(&mut self) {
        let mut notifies = false;
        if let Some((place, value)) = self.lines.last("Service", "Type") {
            match value.as_str() {
                "simple" | "exec" | "idle" => {
                    self.lines.same(place, "mainstay starts the program itself, and it stays in the foreground");
                }
                "notify" | "notify-reload" => {
                    notifies = true;
                    self.draft.service.ready = Some(Ready { notify: Some(true), ..Ready::default() });
                    self.lines.carried(place, "service.ready.notify");
                    if value == "notify-reload" {
                        self.lines.noting(place, "a manifest knows no reload");
                    }
                }
                // The commands may have found the way already.
                "forking" if self.stays_in_foreground() => {
                    self.lines.carried(place, "service.command");
                    self.lines.noting(place, "`daemon off;` keeps nginx in the foreground");
                }
                "forking" => self.lines.refused(
                    place,
                    "mainstay watches the program itself, so it has to stay in the foreground: most have an option for \
                     that (`--foreground`, `-f`, `--nodaemon`); let `ExecStart` use it, with `Type=exec`",
                ),
                "oneshot" => self.lines.refused(
                    place,
                    "a program that ends is no service: with a timer, say `service.schedule` in a manifest of its own",
                ),
                "dbus" => self.lines.refused(
                    place,
                    "mainstay asks no bus whether a program is ready: say `service.ready` in the manifest afterwards",
                ),
                _ => self.lines.refused(place, "systemd knows no such type"),
            }
        }
        if let Some((place, value)) = self.lines.last("Service", "WatchdogSec") {
            match length(&value) {
                Some(Length::Of(every)) if every > Span::seconds(0) && notifies => {
                    let health = Health { notify: Some(true), every: Some(every), ..Health::default() };
                    self.draft.service.health = Some(health);
                    self.lines.carried(place, "service.health");
                }
                Some(Length::Of(every)) if every > Span::seconds(0) => {
                    self.lines.refused(place, "only a program of `Type=notify` says that it still works");
                }
                _ => self.lines.same(place, "nobody asks"),
            }
        }
        for key in ["NotifyAccess", "GuessMainPID", "PIDFile"] {
            if let Some((place, _)) = self.lines.last("Service", key) {
                self.lines.same(place, "mainstay starts the program itself, and knows its processes");
            }
        }
    }

    fn timeouts(&mut self) {
        let both = self.lines.last("Service", "TimeoutSec");
        let mut limit = |key: &str, field: &'static str| {
            let (place, value) = self.lines.last("Service", key).or_else(|| both.clone())?;
            let (span, note) = match length(&value) {
                Some(Length::Of(span)) if span > Span::seconds(0) => (span, None),
                Some(_) => {
                    (WITHOUT_END, Some(format!("mainstay counts every time: {WITHOUT_END} stands for none")))
                }
                None => {
                    self.lines.refused(place, "it is no length of time");
                    return None;
                }
            };
            self.lines.carried(place, field);
            if let Some(note) = note {
                self.lines.noting(place, note);
            }
            Some(span)
        };
        let start = limit("TimeoutStartSec", "service.ready.timeout");
        let stop = limit("TimeoutStopSec", "service.stop.timeout");
        if both.is_some() && start.is_some() && start == stop {
            let (place, _) = both.unwrap_or_default();
            self.lines.carried(place, "service.ready.timeout, service.stop.timeout");
        }
        let ready = &mut self.draft.service.ready;
        if start.is_some() || ready.is_some() {
            ready.get_or_insert_default().timeout = Some(start.unwrap_or(USUAL_TIMEOUT));
        }
        self.draft.service.stop.timeout = Some(stop.unwrap_or(USUAL_TIMEOUT));
    }

    fn ending(&mut self) {
        if let Some((place, value)) = self.lines.last("Service", "KillMode") {
            match value.as_str() {
                "mixed" | "control-group" => {
                    self.lines.same(place, "a stop ends every process of the service");
                }
                _ => self.lines.refused(
                    place,
                    "a stop ends every process of the service; what is to live on is named in `service.detach`",
                ),
            }
        }
        if let Some((place, value)) = self.lines.last("Service", "KillSignal") {
            match stop_signal(&value) {
                Some(signal) => {
                    self.draft.service.stop.signal = Some(signal);
                    self.lines.carried(place, "service.stop.signal");
                }
                None => self.lines.refused(place, "`service.stop.signal` knows no such signal"),
            }
        }
        let signal = self.draft.service.stop.signal.unwrap_or_default();
        if let Some((place, value)) = self.lines.last("Service", "RestartKillSignal") {
            if stop_signal(&value) == Some(signal) {
                self.lines.same(place, "a restart stops it by the same signal");
            } else {
                self.lines.refused(place, "a restart stops it by the same signal as a stop");
            }
        }
        for (key, usual) in [("SendSIGKILL", true), ("SendSIGHUP", false), ("RemainAfterExit", false)] {
            let Some((place, value)) = self.lines.last("Service", key) else { continue };
            if truth(&value) == Some(usual) {
                self.lines.same(place, "so it is");
            } else if key == "RemainAfterExit" {
                self.lines.refused(place, "a service whose program has ended has ended");
            } else {
                self.lines.refused(place, "mainstay sends its signal, and kills when the time is up");
            }
        }
        if let Some((place, value)) = self.lines.last("Service", "ExitType") {
            if value == "main" {
                self.lines.same(place, "so it is");
            } else {
                self.lines.refused(place, "a service whose program has ended has ended");
            }
        }
    }

    fn restart(&mut self) {
        let mut when = RestartWhen::Never;
        if let Some((place, value)) = self.lines.last("Service", "Restart") {
            let found = match value.as_str() {
                "no" => Some(RestartWhen::Never),
                "always" => Some(RestartWhen::Always),
                "on-failure" => Some(RestartWhen::OnFailure),
                "on-abnormal" | "on-abort" | "on-watchdog" => {
                    when = RestartWhen::OnFailure;
                    self.lines.carried(place, "service.restart.when");
                    self.lines.noting(place, "`on-failure`: an exit code other than 0 restarts it too");
                    None
                }
                _ => {
                    self.lines.refused(place, "mainstay knows `no`, `on-failure` and `always`");
                    None
                }
            };
            if let Some(found) = found {
                when = found;
                self.lines.carried(place, "service.restart.when");
            }
        }
        self.draft.service.restart.when = Some(when);
        let mut delay = None;
        if let Some((place, value)) = self.lines.last("Service", "RestartSec") {
            match length(&value) {
                Some(Length::Of(span)) => {
                    delay = Some(span);
                    self.draft.service.restart.delays = Some(vec![span]);
                    self.lines.carried(place, "service.restart.delays");
                }
                _ => self.lines.refused(place, "it is no length of time"),
            }
        }
        self.growing(delay);
        self.start_limit(delay.unwrap_or(Span::milliseconds(100)));
    }

    /// Pauses that grow, which a manifest writes out.
    fn growing(&mut self, first: Option<Span>) {
        let steps = self.lines.last("Service", "RestartSteps");
        let longest = self.lines.last("Service", "RestartMaxDelaySec");
        let (Some((steps_place, steps)), Some((longest_place, longest))) = (steps.clone(), longest.clone())
        else {
            for (place, _) in steps.into_iter().chain(longest) {
                self.lines.same(place, "one of `RestartSteps` and `RestartMaxDelaySec` alone says nothing");
            }
            return;
        };
        let first = first.unwrap_or(Span::milliseconds(100));
        let count = steps.parse::<u32>().ok().filter(|count| (1..=50).contains(count));
        let (Some(count), Some(Length::Of(last))) = (count, length(&longest)) else {
            self.lines.refused(steps_place, "the pauses can't be written out");
            self.lines.refused(longest_place, "the pauses can't be written out");
            return;
        };
        let (from, to) = (first.duration().as_secs_f64(), last.duration().as_secs_f64());
        let pause = |step: u32| {
            let length = from * (to / from).powf(f64::from(step) / f64::from(count));
            let millisecond = std::time::Duration::try_from_secs_f64(length).unwrap_or_default().as_millis();
            Span::milliseconds(u64::try_from(millisecond).unwrap_or_default())
        };
        if from > 0.0 && to > from {
            self.draft.service.restart.delays = Some((0..=count).map(pause).collect());
        }
        self.lines.carried(steps_place, "service.restart.delays");
        self.lines.carried(longest_place, "service.restart.delays");
    }

    /// After how many restarts it stays down. systemd took these settings in `[Service]` once, and still does.
    fn start_limit(&mut self, delay: Span) {
        let mut said = |keys: [&str; 2]| {
            let places = ["Unit", "Service"].into_iter().flat_map(|section| keys.map(|key| (section, key)));
            places.into_iter().find_map(|(section, key)| self.lines.last(section, key))
        };
        let interval = said(["StartLimitIntervalSec", "StartLimitInterval"]);
        let burst = said(["StartLimitBurst", "StartLimitBurst"]);
        let window = match interval.as_ref().map(|(_, value)| length(value)) {
            None => Some(Span::seconds(USUAL_LIMIT.1)),
            Some(Some(Length::Of(window))) => Some(window),
            Some(_) => None,
        };
        let limit = burst.as_ref().map_or(Some(USUAL_LIMIT.0), |(_, value)| value.parse::<u32>().ok());
        let restart = &mut self.draft.service.restart;
        for (place, field) in [(&interval, "service.restart.window"), (&burst, "service.restart.limit")] {
            if let Some((place, _)) = place {
                self.lines.carried(*place, field);
            }
        }
        match (window, limit) {
            (Some(window), Some(limit)) => {
                let fastest = delay.duration().saturating_mul(limit);
                let never_met = window == Span::seconds(0) || limit == 0 || fastest > window.duration();
                if never_met {
                    // With such pauses there are never so many within the time: it is started again for ever.
                    restart.limit = Some(NO_LIMIT);
                } else if interval.is_some() || burst.is_some() {
                    restart.limit = Some(limit.clamp(1, NO_LIMIT));
                    restart.window = Some(window);
                }
            }
            _ => {
                for place in [interval, burst].into_iter().flatten() {
                    self.lines.refused(place.0, "it can't be read");
                }
            }
        }
        if restart.when == Some(RestartWhen::Never) {
            restart.limit = None;
            restart.window = None;
        }
    }

    fn exit_codes(&mut self) {
        let mut codes: Vec<(u8, Outcome)> = Vec::new();
        for (key, outcome) in [
            ("SuccessExitStatus", Outcome::Success),
            ("RestartForceExitStatus", Outcome::Restart),
            ("RestartPreventExitStatus", Outcome::Fatal),
        ] {
            for place in self.lines.many("Service", key) {
                let value = self.lines.value(place);
                let mut signals = Vec::new();
                for word in value.split_whitespace() {
                    let number = word.parse::<u8>().ok();
                    let named = NAMED_CODES.iter().find(|(name, _)| *name == word).map(|(_, code)| *code);
                    match number.or(named) {
                        Some(code) => codes.push((code, outcome)),
                        None => signals.push(word),
                    }
                }
                // To systemd these signals are a good end anyway; mainstay asks for the end itself.
                let usual = ["SIGHUP", "SIGINT", "SIGTERM", "SIGPIPE"];
                if signals.iter().any(|word| outcome != Outcome::Success || !usual.contains(word)) {
                    self.lines.refused(place, "`service.exitCodes` knows exit codes alone, and no signals");
                } else {
                    self.lines.carried(place, "service.exitCodes");
                }
            }
        }
        self.draft.service.exit_codes = codes.into_iter().collect::<ExitCodes>();
    }
}
