use super::*;
use crate::model::name::{ComponentName, InstanceName};

fn marker(folder: &str) -> Marker {
    Marker {
        name: InstanceName::new("web").unwrap(),
        component: ComponentName::new("server").unwrap(),
        platform: PlatformKind::Windows,
        scope: Scope::System,
        folder: folder.into(),
    }
}

#[test]
fn the_marker_survives_any_path_and_any_sentence() {
    for folder in [r"C:\srv\web", r"C:\srv\[a] b]", r"C:\x]]", r"D:\é 日\[mainstay {}]"] {
        for sentence in ["", "Orders", "of the [mainstay {\"name\":\"x\"}] shop", "a]"] {
            let marker = marker(folder);
            let text = description::write(sentence, &marker).unwrap();
            assert!(text.starts_with(sentence), "{text}");
            assert_eq!(description::read(&text), Some(marker), "{text}");
        }
    }
    assert_eq!(description::read("Orders [mainstay]"), None);
    assert!(description::write("a\nb", &marker("C:\\x")).is_err());
    assert!(description::write("@shell32.dll,-1", &marker("C:\\x")).is_err());
}

#[test]
fn the_program_is_named_at_its_real_place() {
    let registration = Registration {
        name: "web".to_owned(),
        display_name: "web".to_owned(),
        description: String::new(),
        command_line: r#""C:\link\mainstay.exe" run --name web --system --root "C:\a b""#.to_owned(),
        account: Account::LocalSystem,
        start: Start::Delayed,
        recovery: Some(RECOVERY.to_vec()),
        recovery_reset: Some(RECOVERY_RESET),
        preshutdown: Some(Span::seconds(45)),
    };
    let placed = registration.clone().with_program(r"C:\Program Files\m.exe").unwrap();
    assert_eq!(placed.command_line, r#""C:\Program Files\m.exe" run --name web --system --root "C:\a b""#);
    assert_eq!(placed.program(), r"C:\Program Files\m.exe");
    assert_eq!(registration.differences(&placed), ["the command line"]);
    assert!(placed.differences(&placed).is_empty());
    let impatient = Registration { preshutdown: Some(Span::seconds(5)), ..placed.clone() };
    assert_eq!(placed.differences(&impatient), ["the patience at a shutdown"]);
    let without = Registration { recovery: Some(Vec::new()), ..placed.clone() };
    assert_eq!(placed.differences(&without), ["the recovery actions"]);
    let untold = Registration { recovery: None, recovery_reset: None, preshutdown: None, ..placed.clone() };
    assert!(placed.differences(&untold).is_empty());
}

#[test]
fn a_service_that_was_made_and_not_described_is_known_by_what_it_starts() {
    let name = InstanceName::new("web").unwrap();
    let made = |description: &str, command_line: &str| Registration {
        name: "web".to_owned(),
        display_name: "web".to_owned(),
        description: description.to_owned(),
        command_line: command_line.to_owned(),
        account: Account::LocalSystem,
        start: Start::Delayed,
        recovery: None,
        recovery_reset: None,
        preshutdown: None,
    };
    let ours = r#""C:\Program Files\Mainstay\.runtime\0.1.0-1a2b\mainstay.exe" run --name web --system"#;
    assert!(made("", ours).is_unfinished_of(&name));
    assert!(made("", &format!(r#"{ours} --root "C:\a b""#)).is_unfinished_of(&name));
    for (description, line) in [
        ("Orders", ours),
        ("", r#""C:\other\0.1.0-1a2b\mainstay.exe" run --name web --system"#),
        ("", r#""C:\Mainstay\.runtime\0.1.0-1a2b\other.exe" run --name web --system"#),
        ("", r#""C:\Mainstay\.runtime\0.1.0-1a2b\mainstay.exe" run --name shop --system"#),
        ("", r#""C:\Mainstay\.runtime\0.1.0-1a2b\mainstay.exe""#),
    ] {
        assert!(!made(description, line).is_unfinished_of(&name), "{description} {line}");
    }
}

#[test]
fn each_code_that_people_meet_is_explained() {
    for code in [5, 1053, 1056, 1060, 1061, 1062, 1063, 1069, 1072, 1073, 1326, 1385] {
        let (what, help) = answer::explain(code).unwrap_or_else(|| panic!("{code}"));
        assert!(!what.is_empty() && !help.is_empty() && !what.ends_with('.'));
    }
    assert_eq!(answer::explain(0), None);
}
