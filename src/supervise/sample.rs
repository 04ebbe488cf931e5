//! A small service for the tests of this floor.

use std::time::{Duration, Instant};

use camino::Utf8PathBuf;

use crate::host::process::{Ended, reap_one};
use crate::host::rest::{self, BorrowedFd};
use crate::model::launch::{Folders, LaunchSpec};
use crate::model::layout::Layout;
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::marker::Marker;
use crate::supervise::context::{Account, Context, ManagerLink, ProgramOutput};
use crate::supervise::program::Prepared;

/// A folder that is removed at the end, with all that a service needs in it.
pub(crate) struct Sample {
    _folder: tempfile::TempDir,
    pub(crate) root: Utf8PathBuf,
    pub(crate) context: Context,
}

impl Sample {
    pub(crate) fn new(command: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(folder.path().canonicalize().unwrap()).unwrap();
        let root = crate::host::os::fs::as_typed(root);
        let deploy = root.join("deploy");
        let layout = Layout::system().below(root.clone());
        let marker = Marker {
            name: "web".parse().unwrap(),
            component: "server".parse().unwrap(),
            platform: PlatformKind::Embedded,
            scope: Scope::User,
            folder: deploy,
        };
        let mut spec = LaunchSpec::bare(&marker);
        spec.command = command.iter().map(|word| (*word).to_owned()).collect();
        let folders = Folders::of(&spec, &layout);
        let Folders { package, config, data, logs, run, deploy } = &folders;
        for path in [package, config, data, logs, run, deploy, &layout.report(&spec.name)] {
            std::fs::create_dir_all(path).unwrap();
        }
        let context = Context {
            folders,
            status: layout.status(&spec.name),
            refused: layout.refused_values(&spec.name),
            definition: None,
            trial: None,
            output: ProgramOutput::Capture { echo: false },
            account: Account { name: "tester".to_owned(), home: root.clone(), credentials: None },
            language: None,
            manager: ManagerLink::default(),
            guardian: None,
            reader: None,
            pid_file: None,
            sockets: crate::host::listening::HeldSockets::default(),
            spec,
        };
        Self { _folder: folder, root, context }
    }

    pub(crate) fn prepared(&self) -> Prepared {
        Prepared::new(&self.context, None, 1).unwrap()
    }
}

/// Waits for the end of a child, and of none but that: other tests have children too.
pub(crate) fn end_of(pid: u32) -> Ended {
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        if let Some(exit) = reap_one(pid) {
            return Ended { pid, exit };
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    panic!("process {pid} did not end");
}

/// Waits until there is something to read.
pub(crate) fn readable(descriptor: BorrowedFd<'_>) {
    assert!(rest::any(&[descriptor], Some(Duration::from_secs(20))).unwrap());
}
