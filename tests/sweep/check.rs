//! What has to be true of a host after whatever has happened to it.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8Path;
use mainstay::host::files;
use mainstay::model::digest::Digest;
use mainstay::model::launch::LaunchSpec;
use mainstay::model::manifest::PlatformKind;
use mainstay::model::receipt::Receipt;
use mainstay::model::trial::Trial;
use mainstay::package::tree;

use crate::host::{Host, content};
use crate::service::exists;

/// What is found wrong, as a sentence.
pub(crate) type Verdict = Result<(), String>;

macro_rules! demand {
    ($condition:expr, $($words:tt)*) => {
        if !$condition {
            return Err(format!($($words)*));
        }
    };
}

/// What may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed<'a> {
    /// The versions of which one is active; empty where nothing may be installed.
    pub(crate) versions: &'a [&'a str],
    /// Whether it may be that nothing is installed.
    pub(crate) gone: bool,
    /// Whether the manifest may say more than was applied.
    pub(crate) edited: bool,
    /// Whether it has to run if it is installed; nothing where it may or may not.
    pub(crate) runs: Option<bool>,
}

/// The whole of an instance: all or nothing of it, and that whole.
pub(crate) fn whole(host: &Host, allowed: Allowed<'_>) -> Verdict {
    let (layout, name) = (&host.layout, &host.name);
    let definition = layout.definition(name, host.platform);
    let journal = files::list(&layout.journal(name)).unwrap().unwrap_or_default();
    demand!(journal.is_empty(), "the journal holds {journal:?}");
    open_trial(host)?;
    let left = leftovers(&host.root);
    demand!(left.is_empty(), "left over: {left:?}");
    let receipt = files::read(&layout.receipt(name)).unwrap();
    demand!(
        receipt.is_some() == exists(&definition),
        "receipt: {}, definition: {}",
        receipt.is_some(),
        exists(&definition)
    );
    let Some(receipt) = receipt else {
        demand!(allowed.gone, "nothing is installed");
        return gone(host);
    };
    let receipt: Receipt = serde_json::from_str(&receipt).map_err(|error| error.to_string())?;
    let version = active(host, &receipt)?;
    demand!(allowed.versions.contains(&version.as_str()), "{version} is active");
    let manifest = files::read(&host.manifest()).unwrap().unwrap_or_default();
    demand!(
        allowed.edited || receipt.manifest == manifest,
        "the receipt has another manifest than the folder"
    );
    trees(host)?;
    sockets(host, &version)?;
    data(host, &version)?;
    if let Some(expected) = allowed.runs {
        let runs = host.service.running().is_some();
        demand!(runs == expected, "it runs: {runs}, and that should be: {expected}");
    }
    Ok(())
}

/// The data have the form of the version that is active, and those of the first version are as it left them.
fn data(host: &Host, version: &str) -> Verdict {
    let Some(first) = &*host.data.borrow() else { return Ok(()) };
    let folder = host.layout.data(&host.name);
    let form = files::read(&folder.join("form")).unwrap().unwrap_or_default();
    demand!(form.trim() == version, "the data have the form of {form:?}, and {version} is active");
    let now = print_of(&folder);
    demand!(version != "1.0.0" || now == *first, "the data of {version} have changed:\n{first}\n{now}");
    Ok(())
}

/// A trial is open only of what is active, and so that it can be taken back.
fn open_trial(host: &Host) -> Verdict {
    let (layout, name) = (&host.layout, &host.name);
    let Some(text) = files::read(&layout.trial(name)).unwrap() else { return Ok(()) };
    let trial: Trial = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let link = files::read_link(&layout.current(name, &"server".parse().unwrap())).unwrap();
    demand!(link.as_deref() == Some(trial.tree.as_str()), "{} is on trial, and {link:?} active", trial.tree);
    let spec = files::read(&layout.launch(name, &trial.tree)).unwrap().unwrap_or_default();
    let spec: LaunchSpec = serde_json::from_str(&spec).map_err(|error| error.to_string())?;
    demand!(trial.is_open_for(&spec), "the trial of {} is not open", trial.tree);
    let watch = trial.watch.ok_or("a gate is left open")?;
    demand!(tree::is_whole(&layout.tree(name, &watch.from.tree())), "there is no way back");
    Ok(())
}

/// The manager listens where the launch says, as far as it listens at all, and its definition says the same.
fn sockets(host: &Host, version: &str) -> Verdict {
    let (layout, name) = (&host.layout, &host.name);
    if host.platform != PlatformKind::Systemd {
        return Ok(());
    }
    let spec = files::read(&layout.launch(name, &format!("server-{version}"))).unwrap().unwrap_or_default();
    let spec: LaunchSpec = serde_json::from_str(&spec).map_err(|error| error.to_string())?;
    let wanted: Vec<String> = spec.sockets.iter().map(|socket| socket.listen.to_string()).collect();
    let text = files::read(&layout.socket_definition(name)).unwrap();
    demand!(text.is_some() != wanted.is_empty(), "wanted are {wanted:?}, defined is {text:?}");
    let (open, enabled) = host.service.sockets();
    demand!(enabled != wanted.is_empty(), "at boot: {enabled}, wanted: {wanted:?}");
    if let Some(open) = open {
        demand!(open == wanted, "open are {open:?}, wanted are {wanted:?}");
    } else {
        demand!(wanted.is_empty() || host.service.running().is_none(), "{wanted:?} are not open");
    }
    Ok(())
}

/// What runs was started by the definition that is there.
pub(crate) fn by_its_definition(host: &Host) -> Verdict {
    let definition = files::read(&host.layout.definition(&host.name, host.platform)).unwrap();
    let unit = host.service.unit();
    demand!(unit.is_none() || unit == definition, "what runs was started by another definition");
    Ok(())
}

/// The link leads to a whole tree with a launch spec, the receipt agrees, and what runs is what the link names.
fn active(host: &Host, receipt: &Receipt) -> Result<String, String> {
    let (layout, name) = (&host.layout, &host.name);
    let link = files::read_link(&layout.current(name, &receipt.component)).unwrap();
    let link = link.ok_or("there is no current link")?;
    demand!(tree::is_whole(&layout.tree(name, &link)), "the link leads to {link}, which is not whole");
    let spec = files::read(&layout.launch(name, &link)).unwrap();
    let spec = spec.ok_or_else(|| format!("{link} has no launch spec"))?;
    let spec: LaunchSpec = serde_json::from_str(&spec).map_err(|error| error.to_string())?;
    demand!(spec.tree() == link, "the spec of {link} is that of {}", spec.tree());
    let recorded = receipt.active().map(|active| active.version.to_string());
    demand!(
        recorded.as_deref() == Some(spec.version.as_str()),
        "the receipt has {recorded:?}, the link {link}"
    );
    let runtime = files::read(&layout.runtime_program(name)).unwrap();
    demand!(runtime.is_some(), "the instance's copy of the tool is missing");
    if let Some((tree, launch)) = host.service.running() {
        demand!(tree == link, "{tree} runs and the link names {link}");
        demand!(launch == spec.identity(), "what runs has other settings than the spec of {link}");
    }
    Ok(spec.version.to_string())
}

/// Every tree that has a name is whole, file by file.
fn trees(host: &Host) -> Verdict {
    for found in tree::versions(&host.layout.install(&host.name), &"server".parse().unwrap()).unwrap() {
        demand!(found.complete.is_some(), "{} is not whole", found.path);
        for (file, text) in content(found.version.as_str()) {
            let there = std::fs::read_to_string(found.path.join(file)).ok();
            demand!(there.as_deref() == Some(text.as_str()), "{}/{file} is missing or another", found.path);
        }
    }
    Ok(())
}

fn gone(host: &Host) -> Verdict {
    let (layout, name) = (&host.layout, &host.name);
    let install = files::list(&layout.install(name)).unwrap();
    demand!(install.is_none(), "the install folder holds {install:?}");
    demand!(!exists(&layout.launches(name)), "the launch specs are left");
    demand!(host.service.running().is_none(), "it still runs");
    demand!(!host.service.enabled(), "it would still be started at boot");
    demand!(!exists(&layout.socket_definition(name)), "the definition of its sockets is left");
    demand!(host.service.sockets() == (None, false), "sockets are left: {:?}", host.service.sockets());
    Ok(())
}

/// What no finished operation leaves anywhere.
fn leftovers(folder: &Utf8Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in folder.read_dir_utf8().unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        let is_one = [".partial-", ".trash-", ".mainstay-"].iter().any(|prefix| name.starts_with(prefix));
        if is_one || name == "operation.new" {
            found.push(entry.path().to_string());
        } else if entry.file_type().unwrap().is_dir() {
            found.extend(leftovers(entry.path()));
        }
    }
    found
}

/// Everything below a folder in one number: names, modes, links and contents.
pub(crate) fn print_of(folder: &Utf8Path) -> String {
    let mut text = String::new();
    describe(folder, &mut text);
    text
}

fn describe(folder: &Utf8Path, text: &mut String) {
    let mut entries: Vec<_> = folder.read_dir_utf8().unwrap().map(Result::unwrap).collect();
    entries.sort_by(|one, other| one.path().cmp(other.path()));
    for entry in entries {
        let path = entry.path();
        let facts = path.symlink_metadata().unwrap();
        let content = if facts.is_symlink() {
            path.read_link_utf8().unwrap().to_string()
        } else if facts.is_file() {
            Digest::of(&std::fs::read(path).unwrap()).to_string()
        } else {
            String::new()
        };
        writeln!(text, "{path} {:o} {content}", facts.permissions().mode()).unwrap();
        if facts.is_dir() {
            describe(path, text);
        }
    }
}
