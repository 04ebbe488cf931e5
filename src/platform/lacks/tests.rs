use super::*;
use crate::model::duration::Span;
use crate::model::health::HealthPolicy;
use crate::model::layout::HostFolders;
use crate::model::manifest::Scope;
use crate::model::marker::Marker;
use crate::model::operating_system::OperatingSystem;

type Ask = fn(&mut LaunchSpec);

/// Each setting of the table, asked for.
const ASKED: [(&str, Ask); 11] = [
    ("service.supervision", |spec| spec.supervision = Supervision::Native),
    ("service.hardening", |spec| spec.hardening = Hardening::Strict),
    ("service.limits.processes", |spec| spec.limits.processes = Some(10)),
    ("service.limits.openFiles", |spec| spec.limits.open_files = Some(100)),
    ("service.group", |spec| spec.group = Some("web".to_owned())),
    ("service.umask", |spec| spec.umask = Some("0027".to_owned().try_into().unwrap())),
    ("service.sockets", |spec| {
        spec.sockets = vec![serde_json::from_str(r#"{"listen":"127.0.0.1:80"}"#).unwrap()];
    }),
    ("service.overlap", |spec| spec.overlap = true),
    ("service.ready.notify", |spec| spec.ready.probe = Probe::Notify),
    ("service.health.notify", |spec| {
        spec.health = Some(HealthPolicy {
            probe: HealthProbe::Notify,
            every: Span::seconds(1),
            timeout: Span::seconds(1),
            failures: 3,
        });
    }),
    ("service.user", |spec| spec.user = Some("web".to_owned())),
];

/// The settings that are refused on a platform, of all that can be asked for.
fn refused(kind: PlatformKind, layout: &Layout) -> Vec<&'static str> {
    let marker = Marker {
        name: "web".parse().unwrap(),
        component: "server".parse().unwrap(),
        platform: kind,
        scope: Scope::System,
        folder: "/srv/web".into(),
    };
    let mut plain = LaunchSpec::bare(&marker);
    plain.hardening = Hardening::Off;
    refuse(kind, &plain, layout).unwrap();
    let told = ASKED.iter().filter_map(|(setting, ask)| {
        let mut spec = plain.clone();
        ask(&mut spec);
        let error = refuse(kind, &spec, layout).err()?;
        assert_eq!(error.setting, *setting);
        assert!(error.reason.contains(": "), "it says what to do instead: {}", error.reason);
        Some(*setting)
    });
    told.collect()
}

#[test]
fn a_service_of_windows_refuses_what_it_has_no_words_for_and_takes_an_account() {
    let everything_but_the_account = &ASKED[..10];
    let found = refused(PlatformKind::Windows, &Layout::system());
    assert_eq!(found, everything_but_the_account.iter().map(|(setting, _)| *setting).collect::<Vec<_>>());
}

#[test]
fn a_task_and_the_guardian_on_windows_refuse_an_account_as_well() {
    let all: Vec<_> = ASKED.iter().map(|(setting, _)| *setting).collect();
    assert_eq!(refused(PlatformKind::Task, &Layout::system()), all);
    let windows = Layout::system_of(OperatingSystem::Windows, &HostFolders::default());
    assert_eq!(refused(PlatformKind::Embedded, &windows), all);
}

#[test]
fn elsewhere_only_what_needs_systemd_is_refused() {
    let few = ["service.supervision", "service.hardening", "service.limits.processes"];
    let unix = Layout::system();
    assert_eq!(refused(PlatformKind::Embedded, &unix), few);
    assert_eq!(refused(PlatformKind::Launchd, &unix), few);
}

#[test]
fn what_is_refused_is_said_in_the_documents() {
    let page = include_str!("../../../docs/platforms.md");
    for lack in TABLE {
        let name = lack.setting.trim_start_matches("service.");
        let said = ["`{}`", "\"{}\"", "`service.{}`"].map(|form| form.replace("{}", name));
        assert!(said.iter().any(|said| page.contains(said)), "{}", lack.setting);
    }
}
