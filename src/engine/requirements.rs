//! What a host lacks of what a package needs, looked at with the rights of the account that runs it.

use std::time::Duration;

use camino::Utf8Path;

use crate::engine::variables;
use crate::host::command::{self, Manner};
use crate::host::machine::Access as Use;
use crate::host::{account, disk, files, listening, machine};
use crate::model::launch::{Folders, LaunchSpec};
use crate::model::layout::Layout;
use crate::model::owner::Owner;
use crate::model::package::requirement::{VersionArgument, is_at_least, version_in};
use crate::model::package::{self, Access, Host, Requirement, RequirementKind, Setting, Severity};
use crate::model::size::Size;
use crate::model::token::{expand, expand_variables};
use crate::plan::wanted::Beside;
use crate::supervise::environment::PATH;

/// How long a command may take to say its version.
const LIMIT: Duration = Duration::from_secs(3);

/// Something that a host lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// What is missing, and why it is needed.
    pub what: String,
    /// What mends it, where the package says.
    pub mend: Option<String>,
    /// What follows.
    pub severity: Severity,
}

impl std::fmt::Display for Lack {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.what)?;
        self.mend.as_ref().map_or(Ok(()), |mend| write!(formatter, "; {mend}"))
    }
}

/// What conditions of a package are about, for an instance and the files that come with an operation.
pub(crate) fn setting(layout: &Layout, spec: &LaunchSpec, coming: &[Beside]) -> Setting {
    Setting {
        variables: variables::open(layout, spec, coming),
        scope: spec.scope,
        platform: spec.platform,
        os: std::env::consts::OS,
        architecture: std::env::consts::ARCH,
    }
}

/// All that the host lacks of what a package needs. The port of an instance that runs is its own.
pub(crate) fn lacks(
    layout: &Layout,
    spec: &LaunchSpec,
    coming: &[Beside],
    checks: &[Requirement],
    runs: bool,
) -> Vec<Lack> {
    if checks.is_empty() {
        return Vec::new();
    }
    let (folders, setting) = (Folders::of(spec, layout), setting(layout, spec, coming));
    let look = Look { spec, folders: &folders, setting: &setting, account: variables::account(spec), runs };
    let needed = checks.iter().filter(|check| check.when.holds(&setting));
    let lack = |check: &Requirement| {
        let missing = look.missing(check)?;
        let what = format!("{missing}, and {}", check.why);
        Some(Lack { what, mend: check.mend.clone(), severity: check.severity })
    };
    needed.filter_map(lack).collect()
}

/// What a package that is unpacked here says of its host. The rest of its description was checked when it came.
pub(crate) fn host_of(layout: &Layout, spec: &LaunchSpec) -> Host {
    #[derive(serde::Deserialize)]
    struct Described {
        #[serde(default)]
        host: Host,
    }
    let path = layout.tree(&spec.name, &spec.tree()).join(package::FILE_NAME);
    let text = files::read(&path).ok().flatten().unwrap_or_default();
    serde_json::from_str::<Described>(&text).map(|described| described.host).unwrap_or_default()
}

struct Look<'a> {
    spec: &'a LaunchSpec,
    folders: &'a Folders,
    setting: &'a Setting,
    account: Option<Owner>,
    runs: bool,
}

impl Look<'_> {
    /// What is missing, as the first half of a sentence.
    fn missing(&self, check: &Requirement) -> Option<String> {
        let name = check.name.as_deref().unwrap_or_default();
        let lacks = |holds: bool, what: String| (!holds).then_some(what);
        match check.kind {
            RequirementKind::File | RequirementKind::Device => self.file(check),
            RequirementKind::Command => self.command(check, name),
            RequirementKind::KernelModule => {
                lacks(machine::has_module(name), format!("the kernel's module `{name}` is not loaded"))
            }
            RequirementKind::KernelVersion => {
                let (found, wanted) = (machine::kernel(), check.version.as_deref().unwrap_or_default());
                let new_enough = version_in(&found).is_some_and(|version| is_at_least(version, wanted));
                lacks(new_enough, format!("the kernel is {found}, older than {wanted}"))
            }
            RequirementKind::KernelArgument => {
                let wanted = check.value.as_ref();
                let mut given = machine::kernel_arguments().into_iter();
                let there = given
                    .any(|(given, value)| given == name && (wanted.is_none() || value.as_ref() == wanted));
                let shown = wanted.map_or_else(|| name.to_owned(), |value| format!("{name}={value}"));
                lacks(there, format!("the kernel was booted without `{shown}`"))
            }
            RequirementKind::CpuFlag => {
                lacks(machine::has_cpu_flag(name), format!("the processor has no `{name}`"))
            }
            RequirementKind::Virtualization => {
                let able = machine::has_cpu_flag("vmx")
                    || machine::has_cpu_flag("svm")
                    || (cfg!(target_arch = "aarch64") && Utf8Path::new("/dev/kvm").exists());
                lacks(
                    able,
                    "the processor runs no virtual machines, or the firmware does not let it".to_owned(),
                )
            }
            RequirementKind::Group => self.group(name),
            RequirementKind::Root => {
                let root = self.account.as_ref().is_some_and(Owner::is_root);
                lacks(root, format!("the service runs as {} instead of root", self.who()))
            }
            RequirementKind::Port => self.port(check),
            RequirementKind::Memory => {
                let (found, wanted) = (machine::memory()?, check.size?);
                let what = format!("the host has {} of memory, less than {wanted}", Size::new(found).about());
                lacks(found >= wanted.bytes(), what)
            }
            RequirementKind::Disk => self.disk(check),
            RequirementKind::Sysctl => sysctl(check, name),
            RequirementKind::Architecture => word(check, "the processor", self.setting.architecture),
            RequirementKind::Os => word(check, "the operating system", self.setting.os),
            RequirementKind::Scope => word(check, "the instance's scope", self.spec.scope.as_str()),
            RequirementKind::Platform => word(check, "the platform", self.spec.platform.as_str()),
        }
    }

    fn who(&self) -> String {
        self.account.as_ref().map_or_else(|| "an unknown account".to_owned(), |account| account.name.clone())
    }

    /// Does something with the rights of the account that runs the program.
    fn as_account<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Option<T> {
        account::acting_as(self.account.as_ref(), work).ok()
    }

    fn file(&self, check: &Requirement) -> Option<String> {
        let path = expand(check.path.as_deref()?, &self.folders.places());
        let path = Utf8Path::new(&path);
        let (access, verb) = match check.access.unwrap_or_default() {
            Access::Exists => (Use::EXISTS, "find"),
            Access::Read => (Use::READ_OK, "read"),
            Access::Write => (Use::WRITE_OK, "write"),
            Access::ReadWrite => (Use::READ_OK | Use::WRITE_OK, "read and write"),
            Access::Execute => (Use::EXEC_OK, "run"),
        };
        if !path.exists() && !self.as_account(|| machine::may(path, Use::EXISTS)).unwrap_or(false) {
            return Some(format!("there is no `{path}`"));
        }
        let may = self.as_account(|| machine::may(path, access)).unwrap_or(false);
        (!may).then(|| format!("{} can't {verb} `{path}`", self.who()))
    }

    fn command(&self, check: &Requirement, name: &str) -> Option<String> {
        let path = self.setting.variables.get("PATH").map_or(PATH, String::as_str);
        let Some(program) = self.as_account(|| machine::program(name, path)).flatten() else {
            return Some(format!("there is no command `{name}` on the service's PATH"));
        };
        let wanted = check.version.as_deref()?;
        let argument = check.version_argument.unwrap_or(VersionArgument::Long).as_str();
        let environment = [("PATH".to_owned(), path.to_owned())];
        let manner = Manner {
            environment: Some(&environment),
            rights: self.account.as_ref(),
            limit: Some(LIMIT),
            largest: Some(64 << 10),
            ..Manner::default()
        };
        let said = command::output(&[program.into_string(), argument.to_owned()], manner);
        let said = said.map(|output| output.stdout + &output.stderr).unwrap_or_default();
        match version_in(&said) {
            Some(found) if is_at_least(found, wanted) => None,
            Some(found) => Some(format!("`{name}` is version {found}, older than {wanted}")),
            None => Some(format!("`{name} {argument}` says no version, and {wanted} is needed")),
        }
    }

    fn group(&self, name: &str) -> Option<String> {
        let Ok(group) = account::group(name) else { return Some(format!("there is no group `{name}`")) };
        let account = self.account.as_ref()?;
        let is_in = account.is_root()
            || self.spec.group.as_deref() == Some(name)
            || account::groups(account).contains(&group);
        (!is_in).then(|| format!("{} is not in the group `{name}`", account.name))
    }

    fn port(&self, check: &Requirement) -> Option<String> {
        let port = expand_variables(check.port.as_deref()?, |name| self.setting.variables.get(name).cloned());
        let address = if port.contains(':') { port.clone() } else { format!("127.0.0.1:{port}") };
        let taken = !self.runs
            && (listening::is_taken(&address)
                || (!port.contains(':') && listening::is_taken(&format!("0.0.0.0:{port}"))));
        taken.then(|| format!("somebody listens on port {port} already"))
    }

    fn disk(&self, check: &Requirement) -> Option<String> {
        let path = check.path.as_deref().unwrap_or("{data}");
        let path = expand(path, &self.folders.places());
        let wanted = check.size?;
        let room = Utf8Path::new(&path).ancestors().find_map(disk::room)?;
        (room.available < wanted.bytes()).then(|| {
            format!("the disk of `{path}` has {} left, less than {wanted}", Size::new(room.available).about())
        })
    }
}

fn word(check: &Requirement, what: &str, found: &str) -> Option<String> {
    let allowed = check.one_of.iter().any(|word| word == found);
    (!allowed).then(|| format!("{what} is {found}, and has to be {}", check.one_of.join(" or ")))
}

fn sysctl(check: &Requirement, name: &str) -> Option<String> {
    let Some(found) = machine::setting(name) else {
        return Some(format!("the kernel has no setting `{name}`"));
    };
    if let Some(wanted) = &check.value {
        return (found != machine::in_single_blanks(wanted))
            .then(|| format!("the kernel's setting `{name}` is {found}, not {wanted}"));
    }
    let wanted = check.minimum?;
    let enough = found.parse::<i64>().is_ok_and(|found| found >= wanted);
    (!enough).then(|| format!("the kernel's setting `{name}` is {found}, less than {wanted}"))
}
