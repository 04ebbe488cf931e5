use super::*;

fn good(stdout: &str) -> Answer<'_> {
    Answer { code: Some(0), stdout, stderr: "" }
}

fn bad(code: i32, stderr: &str) -> Answer<'_> {
    Answer { code: Some(code), stdout: "", stderr }
}

const RUNNING: &str = "MainPID=287\nStatusText=all = well\nResult=success\nNRestarts=2\n\
    ExecMainStartTimestamp=Sat 2026-11-21 01:07:42.773062 UTC\nExecMainCode=0\nExecMainStatus=0\n\
    MemoryCurrent=1048576\nLoadState=loaded\nActiveState=active\nSubState=running\n\
    FragmentPath=/etc/systemd/system/web.service\nSourcePath=\n\
    DropInPaths=/etc/systemd/system/web.service.d/a.conf /etc/systemd/system/web.service.d/b.conf\n\
    UnitFileState=enabled\nNeedDaemonReload=yes\nInvocationID=1c743e06830641f095030c91fba4ba9d\n";
const ABSENT: &str = "MainPID=0\nStatusText=\nResult=success\nNRestarts=0\nExecMainStartTimestamp=\n\
    ExecMainCode=0\nExecMainStatus=0\nMemoryCurrent=[not set]\nLoadState=not-found\n\
    ActiveState=inactive\nSubState=dead\nFragmentPath=\nSourcePath=\nDropInPaths=\nUnitFileState=\n\
    NeedDaemonReload=no\nInvocationID=\n";

#[test]
fn a_running_service() {
    let seen = service(good(RUNNING)).unwrap();
    assert_eq!(
        (seen.loaded, seen.active, seen.sub.as_str()),
        (LoadState::Loaded, ActiveState::Active, "running")
    );
    assert_eq!((seen.main_pid, seen.n_restarts, seen.memory), (Some(287), 2, Some(1 << 20)));
    assert_eq!(seen.started.unwrap().to_string(), "2026-11-21T01:07:42.773062Z");
    assert_eq!(seen.status_text.as_deref(), Some("all = well"));
    assert_eq!((seen.last_exit(), seen.drop_ins.len()), (None, 2));
    assert!(seen.need_daemon_reload && seen.starts_at_boot());
    assert_eq!(seen.invocation_id.as_deref(), Some("1c743e06830641f095030c91fba4ba9d"));
}

#[test]
fn a_service_that_is_not_there() {
    let seen = service(good(ABSENT)).unwrap();
    assert_eq!((seen.loaded, seen.active), (LoadState::NotFound, ActiveState::Inactive));
    assert_eq!(
        (seen.main_pid, seen.started, seen.memory, seen.fragment_path.clone()),
        (None, None, None, None)
    );
    assert!(!seen.starts_at_boot() && seen.drop_ins.is_empty());
    let both = unit_files(good(&format!("{RUNNING}\n\n{ABSENT}"))).unwrap();
    assert_eq!(both.map(|one| one.exists()), [true, false]);
}

#[test]
fn what_is_enabled_until_the_next_boot_does_not_start_at_boot() {
    let seen = |state: &str| service(good(&RUNNING.replace("UnitFileState=enabled", state))).unwrap();
    assert!(seen("UnitFileState=enabled").starts_at_boot());
    assert!(!seen("UnitFileState=enabled-runtime").starts_at_boot());
}

#[test]
fn how_the_last_run_ended() {
    let ended = |code: u8, status: i32| {
        let line = format!("ExecMainCode={code}\nExecMainStatus={status}");
        service(good(&RUNNING.replace("ExecMainCode=0\nExecMainStatus=0", &line))).unwrap().last_exit()
    };
    assert_eq!(ended(1, 190), Some(Exit::Code(190)));
    assert_eq!(ended(2, 9), Some(Exit::Signal(9)));
    assert_eq!(ended(3, 6), Some(Exit::Signal(6)));
}

#[test]
fn a_manager_that_can_not_be_reached_is_no_answer() {
    for said in [
        "Failed to connect to bus: No medium found",
        "Failed to connect to user scope bus via local transport: $DBUS_SESSION_BUS_ADDRESS and \
         $XDG_RUNTIME_DIR not defined (consider using --machine=<user>@.host --user to connect to bus of other user)",
        "System has not been booted with systemd as init system (PID 1). Can't operate.\n\
         Failed to connect to bus: Host is down",
    ] {
        assert_eq!(service(bad(1, said)), Err(NoAnswer::BusUnavailable { said: said.to_owned() }));
        assert!(matches!(services(bad(1, said)), Err(NoAnswer::BusUnavailable { .. })));
        assert!(matches!(linger(bad(1, said)), Err(NoAnswer::BusUnavailable { .. })));
    }
    let refused = "Interactive authentication required.";
    assert!(matches!(service(bad(1, refused)), Err(NoAnswer::Failed { code: Some(1), .. })));
    assert!(matches!(service(good("")), Err(NoAnswer::Unreadable { .. })));
    assert!(matches!(
        service(good(&RUNNING.replace("active\n", "thinking\n"))),
        Err(NoAnswer::Unreadable { .. })
    ));
}

#[test]
fn the_list_of_services() {
    let text = r#"[{"unit":"auditd.service","load":"not-found","active":"inactive","sub":"dead","job":"","description":"auditd.service"},
        {"unit":"web.service","load":"loaded","active":"activating","sub":"auto-restart","job":"","description":"web"}]"#;
    let seen = services(good(text)).unwrap();
    assert_eq!((seen[0].load, seen[1].active), (LoadState::NotFound, ActiveState::Activating));
    assert!(services(good("0 units listed.")).is_err());
}

#[test]
fn lingering() {
    assert_eq!(linger(good("yes\n")), Ok(true));
    assert_eq!(linger(good("no\n")), Ok(false));
    assert_eq!(linger(bad(1, "Failed to get user: User ID 999 is not logged in or lingering\n")), Ok(false));
    assert!(linger(bad(1, "Failed to look up user nosuch: No such process")).is_err());
}

#[test]
fn versions() {
    assert_eq!(version(good("systemd 252 (252.39-1~deb12u2)\n+PAM +AUDIT")), Ok(252));
    assert_eq!(version(good("systemd 257~rc1 (257~rc1-1)\n")), Ok(257));
    assert!(version(good("runit 2.1")).is_err());
    assert!(version(good("systemd ?")).is_err());
}
