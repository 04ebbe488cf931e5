//! What a program of Windows can't be started with, whoever starts it: what its command line and its variables can't hold.

use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::model::launch::{Folders, LaunchSpec};
use crate::model::layout::Layout;
use crate::platform::{Inexpressible, command_line};

/// Refuses what would not reach the program as it is written.
pub(in crate::platform) fn refuse(spec: &LaunchSpec, layout: &Layout) -> Result<(), Inexpressible> {
    names(spec)?;
    let folders = Folders::lasting(spec, layout);
    let words = spec.arguments(&folders.places());
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let kind = Utf8Path::new(program).extension().unwrap_or_default().to_ascii_lowercase();
    if matches!(kind.as_str(), "bat" | "cmd") {
        // Its words would be read once more, by rules of its own, which let one word become several commands.
        let reason = format!(
            "`{program}` is a batch file, which takes no words as they are: start it by `cmd /d /s /c`, or name its program"
        );
        return Err(Inexpressible::new("service.command", reason));
    }
    command_line::command_line("service.command", program, arguments).map(|_| ())
}

/// Two names that differ in the size of their letters alone are one variable, of which the program would get either.
fn names(spec: &LaunchSpec) -> Result<(), Inexpressible> {
    let mut seen = BTreeMap::new();
    for name in spec.environment.keys().chain(spec.secrets.keys()) {
        let same = seen.insert(name.as_str().to_lowercase(), name).filter(|other| *other != name);
        if let Some(other) = same {
            let reason = format!("`{other}` and `{name}` are one variable on Windows: leave one of them out");
            return Err(Inexpressible::new("service.environment", reason));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::layout::{HostFolders, Layout};
    use crate::model::manifest::{PlatformKind, Scope};
    use crate::model::marker::Marker;
    use crate::model::name::{ComponentName, InstanceName};
    use crate::model::operating_system::OperatingSystem;
    use crate::model::variable::VariableName;
    use crate::platform::{Facts, render};

    const FACTS: Facts = Facts { systemd_version: 252, home: None, account: None };

    /// Whether Windows and Linux refuse it on the platform that both have.
    fn refusals(change: impl Fn(&mut LaunchSpec)) -> [Option<String>; 2] {
        let mut spec = LaunchSpec::bare(&Marker {
            name: InstanceName::new("web").unwrap(),
            component: ComponentName::new("server").unwrap(),
            platform: PlatformKind::Embedded,
            scope: Scope::System,
            folder: r"C:\deploy".into(),
        });
        spec.command = vec!["{package}/bin/server".to_owned()];
        change(&mut spec);
        [OperatingSystem::Windows, OperatingSystem::Linux].map(|system| {
            let layout = Layout::system_of(system, &HostFolders::default());
            let refusal = render(PlatformKind::Embedded, &spec, &layout, &FACTS).err();
            refusal.map(|refusal| refusal.to_string())
        })
    }

    #[test]
    fn what_no_program_of_windows_can_be_started_with_is_refused_there_alone() {
        let refused = |word: &str, change: &dyn Fn(&mut LaunchSpec)| {
            let [windows, linux] = refusals(change);
            assert!(windows.as_ref().is_some_and(|text| text.contains(word)), "{word}: {windows:?}");
            assert_eq!(linux, None);
        };
        refused("`PATH_TO` and `Path_to` are one variable", &|spec| {
            let names = ["PATH_TO", "Path_to"].map(|name| (VariableName::new(name).unwrap(), String::new()));
            spec.environment = names.into();
        });
        refused("32766", &|spec| spec.command.push("x".repeat(32_767)));
        refused("32766", &|spec| spec.command.extend(vec!["{data}".to_owned(); 2_000]));
        refused("batch file", &|spec| spec.command = vec!["C:/tools/run.CMD".to_owned()]);
        assert_eq!(refusals(|spec| spec.command.push("x".repeat(30_000))), [None, None]);
        assert_eq!(
            refusals(|spec| spec.command = vec!["cmd".to_owned(), "run.cmd".to_owned()]),
            [None, None]
        );
    }
}
