//! Units as they are read: their settings, one by one (systemd.syntax(7)).

use camino::Utf8Path;

use crate::model::digest::Digest;
use crate::model::shown;

/// The folders of the load path that come before those in which units of ours stand (systemd.unit(5)).
const BEFORE_OURS: [&str; 4] = ["system.control", "user.control", "transient", "generator.early"];

/// The settings of a unit or a drop-in, each as section, name and value. Lines that go on are put together.
fn settings(text: &str) -> Vec<(String, String, String)> {
    let (mut found, mut section, mut open) = (Vec::new(), String::new(), String::new());
    for line in text.lines() {
        let bare = line.trim();
        if bare.starts_with(['#', ';']) {
            continue;
        }
        if let Some(begun) = bare.strip_suffix('\\') {
            open.push_str(begun.trim_end());
            open.push(' ');
            continue;
        }
        let whole = std::mem::take(&mut open) + bare;
        if let Some(name) = whole.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((name, value)) = whole.split_once('=') {
            found.push((section.clone(), name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    found
}

/// What counts for what runs: all but the sections that systemd goes by as soon as it has read them.
pub(in crate::platform) fn running_part(text: &str) -> String {
    let counts = |(section, name, value): (String, String, String)| match section.as_str() {
        "Unit" | "Install" => None,
        _ => Some(format!("{section}.{name}={value}\n")),
    };
    Digest::of(settings(text).into_iter().filter_map(counts).collect::<String>().as_bytes()).short()
}

/// What a drop-in sets, as `Section.Name=value`; what may be a secret is not shown.
#[must_use]
pub fn told(text: &str) -> Vec<String> {
    let told = |(section, name, value): (String, String, String)| {
        format!("{section}.{name}={}", shown::setting(&name, &value))
    };
    settings(text).into_iter().map(told).collect()
}

/// Whether systemd goes by the unit in this file before one of ours of the same name.
#[must_use]
pub fn outranks(path: &Utf8Path) -> bool {
    let folder = path.parent().and_then(Utf8Path::file_name).unwrap_or_default();
    BEFORE_OURS.contains(&folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: &str = "# ours\n[Unit]\nDescription=web\n[Service]\nExecStart=/a \\\n  --b\n; note\nNice=5\n[Install]\nWantedBy=x\n";

    #[test]
    fn settings_are_read_as_systemd_reads_them() {
        assert_eq!(
            told(UNIT),
            ["Unit.Description=web", "Service.ExecStart=/a --b", "Service.Nice=5", "Install.WantedBy=x"]
        );
        assert_eq!(told("[Service]\nEnvironment=API_TOKEN=abc\n"), ["Service.Environment=API_TOKEN=…"]);
    }

    #[test]
    fn only_what_counts_for_the_process_makes_another_running_part() {
        let same = [
            UNIT.replace("Description=web", "Description=other"),
            UNIT.replace("# ours\n", ""),
            UNIT.replace("WantedBy=x", "WantedBy=y"),
        ];
        for text in same {
            assert_eq!(running_part(&text), running_part(UNIT), "{text}");
        }
        assert_ne!(running_part(&UNIT.replace("Nice=5", "Nice=6")), running_part(UNIT));
        assert_ne!(running_part(&UNIT.replace("--b", "--c")), running_part(UNIT));
    }

    #[test]
    fn a_folder_before_ours_is_told() {
        assert!(outranks(Utf8Path::new("/run/systemd/transient/web.service")));
        assert!(outranks(Utf8Path::new("/etc/systemd/system.control/web.service")));
        assert!(!outranks(Utf8Path::new("/usr/lib/systemd/system/web.service")));
    }
}
