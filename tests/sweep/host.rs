//! A host in a temporary folder: a layout, a deploy folder, archives, a service manager.

use std::cell::RefCell;
use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use mainstay::engine::Context;
use mainstay::engine::change::{Outcome, Request, change};
use mainstay::engine::event::Event;
use mainstay::engine::failure::Failure;
use mainstay::engine::lifecycle::lifecycle;
use mainstay::engine::obstacle::{Clear, Obstacle};
use mainstay::engine::recover::{Recovered, recover_instance};
use mainstay::engine::remove::{Removal, remove};
use mainstay::engine::source::{Proof, Source};
use mainstay::engine::target::{Choice, find};
use mainstay::host::account;
use mainstay::model::layout::{Layout, UserFolders};
use mainstay::model::manifest::{PlatformKind, Scope};
use mainstay::model::marker::Marker;
use mainstay::model::name::InstanceName;
use mainstay::package::{pack, tree};
use mainstay::plan::step::{Operation, Plan};
use mainstay::plan::wanted::Wishes;
use mainstay::platform::Facts;

use crate::check::print_of;
use crate::service::Service;

/// The versions that there are archives of.
pub(crate) const VERSIONS: [&str; 4] = ["1.0.0", "1.1.0", "2.0.0", "3.0.0"];

pub(crate) struct Host {
    folder: tempfile::TempDir,
    pub(crate) root: Utf8PathBuf,
    pub(crate) layout: Layout,
    pub(crate) name: InstanceName,
    pub(crate) platform: PlatformKind,
    pub(crate) service: Service,
    pub(crate) notices: RefCell<Vec<String>>,
    /// What the data looked like that the first version left, where there are any.
    pub(crate) data: RefCell<Option<String>>,
}

/// A folder where syncing costs nothing, if there is one: the sweep makes thousands of files durable.
fn temporary_folder() -> tempfile::TempDir {
    let builder = || tempfile::Builder::new().prefix("sweep-").to_owned();
    builder().tempdir_in("/dev/shm").or_else(|_| builder().tempdir()).unwrap()
}

/// The bytes of the archives, by version, made once.
fn archives() -> &'static [(&'static str, Vec<u8>)] {
    static ARCHIVES: std::sync::OnceLock<Vec<(&str, Vec<u8>)>> = std::sync::OnceLock::new();
    ARCHIVES.get_or_init(|| {
        let keep = temporary_folder();
        let folder = Utf8PathBuf::try_from(keep.path().to_owned()).unwrap();
        let pack = |version: &'static str| {
            let source = folder.join(version);
            for (name, text) in content(version) {
                let path = source.join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, text).unwrap();
            }
            let program = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(source.join("bin/server"), program).unwrap();
            let archive = folder.join(format!("server-{version}.tar.gz"));
            pack::pack(&source, &archive).unwrap();
            (version, std::fs::read(archive).unwrap())
        };
        VERSIONS.into_iter().map(pack).collect()
    })
}

/// What a version's tree holds.
pub(crate) fn content(version: &str) -> [(&'static str, String); 3] {
    [
        ("bin/server", format!("#!/bin/sh\necho {version}\n")),
        ("share/words.txt", format!("words of {version}\n").repeat(100)),
        (
            "mainstay-package.json",
            format!(
                r#"{{"component": "server", "version": "{version}", "service": {{"command": ["{{package}}/bin/server"]}}}}"#
            ),
        ),
    ]
}

impl Host {
    pub(crate) fn new(platform: PlatformKind) -> Self {
        let folder = temporary_folder();
        let top = Utf8PathBuf::try_from(folder.path().canonicalize().unwrap()).unwrap();
        let root = top.join("host");
        let folders = UserFolders {
            home: root.join("home"),
            config_home: None,
            state_home: None,
            data_home: None,
            runtime_directory: None,
            local_data: None,
        };
        // Half of the layout as it is in a home folder, half of it moved: so both kinds of paths are met.
        let layout = match platform {
            PlatformKind::Systemd => Layout::user(&folders),
            _ => Layout::user(&folders).below(root.join("moved")),
        };
        let name = InstanceName::new("web").unwrap();
        let service = Service::new(&layout, &name, platform);
        std::fs::create_dir_all(root.join("deploy")).unwrap();
        std::fs::write(top.join("tool"), "the tool").unwrap();
        let host = Self {
            folder,
            root,
            layout,
            name,
            platform,
            service,
            notices: RefCell::default(),
            data: RefCell::default(),
        };
        host.declare("1.0.0", "{}");
        host
    }

    fn top(&self) -> &Utf8Path {
        Utf8Path::from_path(self.folder.path()).unwrap()
    }

    /// The archive of a version.
    pub(crate) fn archive(&self, version: &str) -> Utf8PathBuf {
        let path = self.top().join(format!("server-{version}.tar.gz"));
        let (_, bytes) = archives().iter().find(|(known, _)| *known == version).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn manifest(&self) -> Utf8PathBuf {
        self.root.join("deploy/mainstay.json")
    }

    /// Writes the manifest, with this version and these variables.
    pub(crate) fn declare(&self, version: &str, variables: &str) {
        let platform = self.platform;
        let text = format!(
            "{{\n  \"name\": \"web\", \"platform\": \"{platform}\",\n  \"package\": {{ \"name\": \"server\", \"version\": \
             \"{version}\" }},\n  \"service\": {{ \"environment\": {variables}, \"boot\": true }},\n  \"upgrade\": {{ \
             \"keep\": 1 }}\n}}\n"
        );
        std::fs::write(self.manifest(), text).unwrap();
    }

    /// Has the definition name this manual page too.
    pub(crate) fn document(&self, page: &str) {
        let text = std::fs::read_to_string(self.manifest()).unwrap();
        let unit =
            format!("\"systemd\": {{ \"unit\": {{ \"Documentation\": [\"{page}\"] }} }},\n  \"upgrade\"");
        std::fs::write(self.manifest(), text.replace("\"upgrade\"", &unit)).unwrap();
    }

    /// Has sockets held there.
    pub(crate) fn listen(&self, places: &[&str]) {
        let text = std::fs::read_to_string(self.manifest()).unwrap();
        let sockets: Vec<String> =
            places.iter().map(|place| format!("{{ \"listen\": \"{place}\" }}")).collect();
        let sockets = format!("\"sockets\": [{}], \"boot\"", sockets.join(", "));
        std::fs::write(self.manifest(), text.replace("\"boot\"", &sockets)).unwrap();
    }

    /// Has new starts become ready beside old ones, where there is a supervisor to be asked.
    pub(crate) fn overlap(&self) {
        let text = std::fs::read_to_string(self.manifest()).unwrap();
        std::fs::write(self.manifest(), text.replace("\"boot\"", "\"overlap\": true, \"boot\"")).unwrap();
    }

    /// Has data that each version keeps in a form of its own, with these hooks between the forms.
    pub(crate) fn migrates(&self, hooks: &str, snapshots: bool) {
        let text = std::fs::read_to_string(self.manifest()).unwrap();
        let data = if snapshots { r#""data": ["{data}"], "# } else { "" };
        let upgrade = format!("\"upgrade\": {{ {data}\"hooks\": {{ {hooks} }}, ");
        std::fs::write(self.manifest(), text.replace("\"upgrade\": { ", &upgrade)).unwrap();
    }

    /// Fills the data folder as a version leaves it.
    pub(crate) fn fill(&self, version: &str) {
        let data = self.layout.data(&self.name);
        std::fs::create_dir_all(data.join("deep/er")).unwrap();
        std::fs::create_dir_all(data.join("empty")).unwrap();
        std::fs::write(data.join("form"), format!("{version}\n")).unwrap();
        std::fs::write(data.join("deep/er/table"), "rows\n".repeat(100)).unwrap();
        std::fs::write(data.join("old"), "old\n").unwrap();
        std::os::unix::fs::symlink("../form", data.join("deep/link")).unwrap();
        std::fs::set_permissions(data.join("deep/er/table"), std::fs::Permissions::from_mode(0o640)).unwrap();
        self.data.replace(Some(print_of(&data)));
    }

    pub(crate) fn marker(&self) -> Marker {
        Marker {
            name: self.name.clone(),
            component: "server".parse().unwrap(),
            platform: self.platform,
            scope: Scope::User,
            folder: self.root.join("deploy"),
        }
    }

    fn with<T>(
        &self,
        obstacle: &dyn Obstacle,
        work: impl FnOnce(&Context<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let events = |event: Event| {
            if let Event::Notice(text) = event {
                self.notices.borrow_mut().push(text);
            }
        };
        work(&Context {
            layout: self.layout.clone(),
            facts: Facts { systemd_version: 252, home: None, account: None },
            caller: account::by_uid(account::effective_uid()).unwrap(),
            program: self.top().join("tool"),
            manager: &self.service,
            events: &events,
            obstacle,
        })
    }

    fn change(
        &self,
        operation: Operation,
        from: Option<&str>,
        obstacle: &dyn Obstacle,
    ) -> Result<Outcome, Failure> {
        self.change_as(operation, from, Wishes::default(), obstacle)
    }

    pub(crate) fn change_as(
        &self,
        operation: Operation,
        from: Option<&str>,
        wishes: Wishes,
        obstacle: &dyn Obstacle,
    ) -> Result<Outcome, Failure> {
        let folder = self.root.join("deploy");
        let (target, _) = find(&Choice::default(), &folder, std::slice::from_ref(&self.layout))?;
        let request = Request {
            operation,
            source: from.map_or(Source::Present, |version| Source::File(self.archive(version))),
            proof: Proof::default(),
            variables: None,
            version: None,
            wishes,
            unpacked: false,
            restart_only: false,
            dry_run: false,
        };
        self.with(obstacle, |context| change(context, &target, &request, &|_| Ok(true)))
    }

    pub(crate) fn install(&self, version: &str, obstacle: &dyn Obstacle) -> Result<Outcome, Failure> {
        self.change(Operation::Install, Some(version), obstacle)
    }

    pub(crate) fn apply(&self, obstacle: &dyn Obstacle) -> Result<Outcome, Failure> {
        self.change(Operation::Apply, None, obstacle)
    }

    pub(crate) fn upgrade(&self, version: &str, obstacle: &dyn Obstacle) -> Result<Outcome, Failure> {
        self.change(Operation::Upgrade, Some(version), obstacle)
    }

    /// An upgrade in its own way.
    pub(crate) fn upgrade_as(&self, version: &str, wishes: Wishes) -> Result<Outcome, Failure> {
        let folder = self.root.join("deploy");
        let (target, _) = find(&Choice::default(), &folder, std::slice::from_ref(&self.layout))?;
        let source = Source::File(self.archive(version));
        let request = Request {
            operation: Operation::Upgrade,
            source,
            proof: Proof::default(),
            variables: None,
            version: None,
            wishes,
            unpacked: false,
            restart_only: false,
            dry_run: false,
        };
        self.with(&Clear, |context| change(context, &target, &request, &|_| Ok(true)))
    }

    pub(crate) fn rollback(&self, obstacle: &dyn Obstacle) -> Result<Outcome, Failure> {
        self.change(Operation::Rollback, None, obstacle)
    }

    /// A rollback that puts the older data back.
    pub(crate) fn rollback_with_data(&self, obstacle: &dyn Obstacle) -> Result<Outcome, Failure> {
        self.change_as(
            Operation::Rollback,
            None,
            Wishes { restore_data: true, ..Wishes::default() },
            obstacle,
        )
    }

    pub(crate) fn remove(&self, removal: Removal, obstacle: &dyn Obstacle) -> Result<Plan, Failure> {
        self.with(obstacle, |context| remove(context, &self.marker(), removal, false, &|_| Ok(true)))
    }

    pub(crate) fn stop(&self) {
        self.with(&Clear, |context| lifecycle(context, &self.marker(), Operation::Stop, false)).unwrap();
    }

    pub(crate) fn restart(&self) -> Result<(), Failure> {
        self.with(&Clear, |context| lifecycle(context, &self.marker(), Operation::Restart, false)).map(drop)
    }

    pub(crate) fn recover(&self, obstacle: &dyn Obstacle) -> Result<Recovered, Failure> {
        self.with(obstacle, |context| recover_instance(context, &self.name))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Version trees are sealed: without root's rights only their store can remove them.
        let top = self.top();
        let _ = tree::trash(top, "host");
        let _ = tree::empty_trash(top);
    }
}
