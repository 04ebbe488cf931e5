use super::command::{Outcome, SystemWords, outcome};
use super::*;

fn text(program: &str, arguments: &str, description: &str, boot: bool) -> String {
    let values = Values {
        stamp: stamp::BLANK,
        task: "mainstay-web".to_owned(),
        description,
        marker: r#"{"name":"web","component":"server","platform":"task","scope":"user","folder":"C:\\a]]> & <b>"}"#
            .to_owned(),
        boot: if boot { "true" } else { "false" },
        account: Some("S-1-5-21-1-2-3-1001"),
        program,
        arguments: arguments.to_owned(),
    };
    stamp::press(&fill(values).unwrap(), HASH)
}

#[test]
fn a_task_says_what_it_was_given() {
    let program = r"C:\Users\Jörg & Söhne\mainstay.exe";
    let arguments = r#"run --name web --user "a<b>" "C:\x\\""#;
    let text = text(program, arguments, "Orders\r\n& more", true);
    assert!(stamp::fits(&text, HASH) && !stamp::fits(&text.replace("PT10S", "PT1S"), HASH));
    let meaning = Meaning::of(&text).unwrap();
    let says = |place: &str, value: &str| assert_eq!(meaning.get(place), Some(value), "{place}");
    says("Actions/Exec/Command", program);
    says("Actions/Exec/Arguments", arguments);
    says("RegistrationInfo/Description", "Orders\r\n& more");
    says("Triggers/LogonTrigger/Delay", "PT10S");
    says("Triggers/LogonTrigger/UserId", "S-1-5-21-1-2-3-1001");
    says("Settings/ExecutionTimeLimit", "PT0S");
    says("Settings/DisallowStartIfOnBatteries", "false");
    says("Settings/StopIfGoingOnBatteries", "false");
    says("Settings/RestartOnFailure/Interval", "PT1M");
    // The published schema has one byte for it.
    says("Settings/RestartOnFailure/Count", "255");
    says("Settings/MultipleInstancesPolicy", "IgnoreNew");
    says("Principals/Principal/LogonType", "InteractiveToken");
    let marker = marker(&text).unwrap();
    assert_eq!((marker.name.as_str(), marker.folder.as_str()), ("web", r"C:\a]]> & <b>"));
    assert!(escaped("a\u{1}b").is_err() && escaped("\u{fffe}").is_err());
}

#[test]
fn its_bytes_are_what_the_scheduler_reads_and_gives() {
    let text = text("C:\\é 日 😀.exe", "run", "x", true);
    let bytes = encoding::encode(&text);
    assert_eq!(bytes[..4], [0xff, 0xfe, b'<', 0]);
    assert_eq!(encoding::decode(&bytes), text);
    // What a console has written, and what was written as UTF-8.
    assert_eq!(encoding::decode(&bytes[2..]), text);
    assert_eq!(encoding::decode(format!("\u{feff}{text}").as_bytes()), text);
}

#[test]
fn tasks_are_compared_by_what_they_mean() {
    let wanted = Meaning::of(&text("C:\\m.exe", "run", "x", true)).unwrap();
    // As the scheduler gives it back: another order, what is usual left out, what is its own added.
    let given = text("C:\\m.exe", "run", "x", true)
        .replace("    <AllowStartOnDemand>true</AllowStartOnDemand>\n", "")
        .replace("      <Enabled>true</Enabled>\n", "")
        .replace("<URI>\\mainstay-web</URI>", "<Date>2026-01-01T00:00:00</Date><Author>HOST\\alice</Author>")
        .replace("<Task version=\"1.2\" ", "<Task version=\"1.4\" ");
    assert_eq!(wanted.differences(&Meaning::of(&given).unwrap()), Vec::<String>::new());
    for (from, to, place) in [
        ("PT0S", "PT72H", "Settings/ExecutionTimeLimit"),
        ("<Priority>5</Priority>", "", "Settings/Priority"),
        ("<Delay>PT10S</Delay>", "", "Triggers/LogonTrigger/Delay"),
        ("C:\\m.exe", "C:\\n.exe", "Actions/Exec/Command"),
        ("<Enabled>true</Enabled>", "<Enabled>false</Enabled>", "Triggers/LogonTrigger/Enabled"),
    ] {
        let changed = text("C:\\m.exe", "run", "x", true).replacen(from, to, 1);
        assert_eq!(wanted.differences(&Meaning::of(&changed).unwrap()), [place]);
    }
    assert!(Meaning::of("<Task><a>").is_err() && Meaning::of("").is_err());
}

#[test]
fn the_program_is_named_at_its_real_place() {
    let linked = text(r"C:\a & b\mainstay.exe", "run", "x", true);
    let placed = with_program(&linked, r"C:\real & true\mainstay.exe").unwrap();
    assert_eq!(Meaning::of(&placed).unwrap().get(PROGRAM), Some(r"C:\real & true\mainstay.exe"));
    assert_eq!(with_program("<Task/>", "x"), None);
}

#[test]
fn each_person_has_names_of_his_own() {
    let name = crate::model::name::InstanceName::new("web").unwrap();
    let of = |person: &str| task_name(&name, Some(person));
    assert_eq!(of("S-1-5-21-1-2-3-1001"), "mainstay-web-S-1-5-21-1-2-3-1001");
    assert_ne!(of("S-1-5-21-1-2-3-1001"), of("S-1-5-21-1-2-3-1002"));
    let argv = command::run(&of("S-1-5-21-1-2-3-1001"));
    assert_eq!(argv[1..], ["/Run", "/TN", "\\mainstay-web-S-1-5-21-1-2-3-1001", "/HRESULT"]);
}

#[test]
fn a_command_without_codes_is_asked_by_its_words() {
    assert!(command::knows_no_codes(Some(1)), "as before Windows 8, and under Wine");
    for code in [Some(0), Some(0x8007_0005_u32.cast_signed()), Some(0x8004_131F_u32.cast_signed()), None] {
        assert!(!command::knows_no_codes(code), "{code:?}");
    }
}

#[test]
fn exit_codes_are_understood_in_any_language() {
    let words = SystemWords {
        denied: "Zugriff verweigert".to_owned(),
        absent: vec!["Das System kann die angegebene Datei nicht finden.".to_owned()],
    };
    let of = |code: i32, said: &str| outcome(Some(code), said, &words);
    assert_eq!(of(0, "ERFOLG"), Outcome::Done);
    assert_eq!(of(1, "FEHLER: Zugriff verweigert\r\n"), Outcome::Denied);
    assert_eq!(of(1, "FEHLER: Das System kann die angegebene Datei nicht finden."), Outcome::Absent);
    assert_eq!(of(5, ""), Outcome::Denied);
    assert_eq!(of(0x8007_0005_u32.cast_signed(), "?"), Outcome::Denied);
    assert_eq!(of(1, "(80070005)"), Outcome::Denied);
    assert_eq!(of(0x8007_0002_u32.cast_signed(), ""), Outcome::Absent);
    assert_eq!(of(0x8004_131F_u32.cast_signed(), ""), Outcome::Runs);
    assert_eq!(of(0x8004_1322_u32.cast_signed(), ""), Outcome::NoScheduler);
    assert_eq!(of(1, "Sonst etwas"), Outcome::Failed("Sonst etwas".to_owned()));
    assert!(of(5, "").help().is_some());
    // Words that the system does not have say nothing.
    assert_eq!(outcome(Some(1), "x", &SystemWords::default()), Outcome::Failed("x".to_owned()));
}
