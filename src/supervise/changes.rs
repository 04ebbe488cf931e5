//! Whether a file changed whose change starts the program anew (`restartOnChange`).
//!
//! Files are told apart by device, inode, size and time of change: their content is not read. A look is taken every
//! five seconds, with the rights of the program's account, and a change counts only when two looks in a row see the
//! same: so a file that is still being written, or a version that is still being put in place, starts nothing.
//!
//! Whoever keeps it calls [`begin`](Changes::begin) just before each start of the program, wakes up at its
//! [`deadline`](Changes::deadline), and calls [`look`](Changes::look) then. What [`remark`](Changes::remark) says
//! belongs in the log.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::os;
use crate::host::os::Errno;
use crate::host::os::OwnedFd;
use crate::host::os::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
use crate::host::process::{Credentials, as_account};
use crate::model::moment::BootMoment;
use crate::model::watched::Watched;
use crate::supervise::context::Context;
use crate::supervise::program::Prepared;

/// The time from one look to the next.
const PAUSE: Duration = Duration::from_secs(5);
/// How many files of a folder are watched.
const MOST: usize = 10_000;
/// How deep a folder is looked into.
const DEEPEST: u32 = 8;

/// What a file is told apart by; none where there is no file.
type Fingerprint = Option<(u64, u64, i64, i64, u64)>;
/// All that one look saw.
type Look = BTreeMap<Utf8PathBuf, Fingerprint>;

#[derive(Debug)]
pub(crate) struct Changes {
    targets: Targets,
    account: Option<Credentials>,
    /// What the program was started with.
    base: Look,
    /// What the last look saw, if that was something else.
    other: Option<Look>,
    next: BootMoment,
    remark: Option<String>,
}

#[derive(Debug, Default)]
struct Targets {
    /// Files without which the program can't be started: as long as one is gone, nothing is started anew.
    needed: Vec<Utf8PathBuf>,
    /// Other files.
    files: Vec<Utf8PathBuf>,
    /// A folder with all its files.
    folder: Option<Utf8PathBuf>,
}

impl Changes {
    /// Remembers how the watched files are now. `None`: nothing is watched.
    pub(crate) fn begin(context: &Context, prepared: &Prepared, now: BootMoment) -> Option<Self> {
        let spec = &context.spec;
        let mut targets = Targets::default();
        let mut remark = None;
        for watched in &spec.restart_on_change {
            match watched {
                Watched::Program => targets.needed.push(prepared.program().to_owned()),
                Watched::Config => {
                    targets.folder = Some(context.folders.config.clone());
                    targets.files.extend(named_files(context));
                }
                Watched::Environment if spec.has_credentials() => {
                    let reason = "the environment file and the secrets are not watched: the service manager reads them, once, when it starts the service";
                    remark = Some(reason.to_owned());
                }
                Watched::Environment => {
                    targets.needed.extend(spec.environment_file.clone());
                    targets.needed.extend(spec.secrets.values().cloned());
                }
            }
        }
        if targets.needed.is_empty() && targets.folder.is_none() && remark.is_none() {
            return None;
        }
        let account = context.account.credentials.clone().filter(|_| !spec.credentials);
        let base = match as_account(account.as_ref(), || targets.look()) {
            Ok((base, whole)) => {
                if !whole {
                    let config = &context.folders.config;
                    remark = Some(format!(
                        "only {MOST} files of `{config}`, and none below {DEEPEST} folders, are watched for changes"
                    ));
                }
                base
            }
            Err(error) => {
                remark = Some(format!("changes can't be watched: {error}"));
                Look::new()
            }
        };
        Some(Self { targets, account, base, other: None, next: now.later(PAUSE), remark })
    }

    /// What is not watched as one might think.
    pub(crate) fn remark(&self) -> Option<&str> {
        self.remark.as_deref()
    }

    /// When the next look is due.
    pub(crate) fn deadline(&self) -> BootMoment {
        self.next
    }

    /// Looks, if it is time. `Some`: something changed and has come to rest; the text says what, for people.
    pub(crate) fn look(&mut self, now: BootMoment) -> Option<String> {
        if now < self.next {
            return None;
        }
        self.next = now.later(PAUSE);
        // What can't be looked at today says nothing about a change.
        let (seen, _) = as_account(self.account.as_ref(), || self.targets.look()).ok()?;
        let gone = |path| matches!(seen.get(path), None | Some(None));
        if seen == self.base || self.targets.needed.iter().any(gone) {
            self.other = None;
            return None;
        }
        if self.other.as_ref() != Some(&seen) {
            self.other = Some(seen);
            return None;
        }
        let changed = difference(&self.base, &seen);
        self.base = seen;
        self.other = None;
        changed
    }
}

/// The files of the deploy folder that the arguments name, by themselves or after `=`. The program's own is not among
/// them.
fn named_files(context: &Context) -> Vec<Utf8PathBuf> {
    let (deploy, config) = (&context.folders.deploy, &context.folders.config);
    let arguments = context.spec.arguments(&context.folders.places());
    let words = arguments.iter().skip(1).flat_map(|argument| {
        let value = argument.split_once('=').map(|(_, value)| value);
        std::iter::once(argument.as_str()).chain(value)
    });
    let paths = words.map(Utf8Path::new).filter(|path| path.starts_with(deploy) && !path.starts_with(config));
    paths.map(Utf8Path::to_owned).collect()
}

/// What is different, by the first path of it.
fn difference(base: &Look, seen: &Look) -> Option<String> {
    let fingerprint = |look: &Look, path| look.get(path).copied().flatten();
    let paths = seen.keys().chain(base.keys());
    let path = paths.into_iter().find(|path| fingerprint(base, *path) != fingerprint(seen, *path))?;
    let what = match (fingerprint(base, path), fingerprint(seen, path)) {
        (None, _) => "is new",
        (_, None) => "is gone",
        _ => "has changed",
    };
    Some(format!("`{path}` {what}"))
}

impl Targets {
    /// Looks at everything. Says whether that was all.
    fn look(&self) -> io::Result<(Look, bool)> {
        let mut look = Look::new();
        for path in self.needed.iter().chain(&self.files) {
            let stat = match os::fs::stat(path.as_str()) {
                Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => Some(stat),
                Ok(_) | Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS | Errno::LOOP) => None,
                Err(error) => return Err(error.into()),
            };
            look.insert(path.clone(), stat.as_ref().map(fingerprint));
        }
        let mut whole = true;
        if let Some(path) = &self.folder {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            if let Some(folder) = there(os::fs::openat(CWD, path.as_str(), flags, Mode::empty()))? {
                let mut files = Look::new();
                whole = walk(&folder, path, 1, &mut files)?;
                look.append(&mut files);
            }
        }
        Ok((look, whole))
    }
}

/// Adds the files of a folder and of those below it. A link counts by itself: where it leads is not followed. Says
/// whether these were all.
fn walk(folder: &OwnedFd, path: &Utf8Path, depth: u32, found: &mut Look) -> io::Result<bool> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if !matches!(name.to_bytes(), b"." | b"..") && !is_passing(name.to_bytes()) {
            names.push(name.to_owned());
        }
    }
    // In order, so that of too many the same ones are seen each time.
    names.sort_unstable();
    let mut whole = true;
    for name in names {
        if found.len() == MOST {
            return Ok(false);
        }
        let path = path.join(name.to_string_lossy().as_ref());
        let Some(stat) = there(os::fs::statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW))? else {
            continue;
        };
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            if depth == DEEPEST {
                whole = false;
                continue;
            }
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            if let Some(below) = there(os::fs::openat(folder, &name, flags, Mode::empty()))? {
                whole &= walk(&below, &path, depth + 1, found)?;
            }
        } else {
            found.insert(path, Some(fingerprint(&stat)));
        }
    }
    Ok(whole)
}

/// Nothing where there is nothing, or nothing that this account may see.
fn there<T>(result: os::io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS | Errno::LOOP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What editors leave beside a file while it is open, and what is written before it is put in place.
fn is_passing(name: &[u8]) -> bool {
    let swap =
        name.starts_with(b".") && [b".swp", b".swo", b".swx"].iter().any(|ending| name.ends_with(*ending));
    let lock = name.starts_with(b".#") || name.starts_with(b"#") && name.ends_with(b"#");
    swap || lock || name.ends_with(b"~") || name.starts_with(b".mainstay-")
}

#[allow(clippy::unnecessary_cast, clippy::cast_sign_loss, reason = "the types differ between systems")]
fn fingerprint(stat: &Stat) -> (u64, u64, i64, i64, u64) {
    (
        stat.st_dev as u64,
        stat.st_ino as u64,
        stat.st_size as i64,
        stat.st_mtime as i64,
        stat.st_mtime_nsec as u64,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::os::testing::PROGRAM;
    use crate::supervise::sample::Sample;

    /// A service whose files are watched, and the time of its start.
    fn watching(sample: &mut Sample, watched: &[Watched]) -> (Changes, BootMoment) {
        sample.context.spec.restart_on_change = watched.to_vec();
        let now = BootMoment(1_000_000);
        (Changes::begin(&sample.context, &sample.prepared(), now).unwrap(), now)
    }

    /// What the next looks say.
    fn looks(changes: &mut Changes, count: u32) -> Vec<Option<String>> {
        let looks = (0..count).map(|_| changes.look(changes.deadline()));
        looks.map(|told| told.map(|told| plain(&told))).collect()
    }

    /// What is told of a path.
    fn said(path: &Utf8Path, what: &str) -> String {
        plain(&format!("`{path}` {what}"))
    }

    /// A path may be written with both strokes where both mean the same.
    fn plain(text: &str) -> String {
        if cfg!(windows) { text.replace('\\', "/") } else { text.to_owned() }
    }

    #[test]
    fn a_change_counts_when_it_has_come_to_rest() {
        let mut sample = Sample::new(&[PROGRAM, "--config={deploy}/web.toml", "{deploy}/other"]);
        let (config, deploy) = (sample.context.folders.config.clone(), sample.context.folders.deploy.clone());
        std::fs::create_dir(config.join("sub")).unwrap();
        std::fs::write(config.join("sub/a"), "1").unwrap();
        let (mut changes, now) = watching(&mut sample, &[Watched::Config]);
        assert_eq!(changes.remark(), None);
        assert_eq!(changes.look(now.later(PAUSE / 2)), None);
        assert_eq!(looks(&mut changes, 2), [None, None]);
        // One that goes on changing waits for its end.
        let mut told = Vec::new();
        for text in ["12", "123", "1234"] {
            std::fs::write(config.join("sub/a"), text).unwrap();
            told.extend(looks(&mut changes, 1));
        }
        assert_eq!(told, [None, None, None]);
        let rested = Some(said(&config.join("sub/a"), "has changed"));
        assert_eq!(looks(&mut changes, 3), [rested, None, None]);
        for (path, text) in [
            (config.join("b"), "is new"),
            (deploy.join("web.toml"), "is new"),
            (deploy.join("other"), "is new"),
        ] {
            std::fs::write(&path, "x").unwrap();
            assert_eq!(looks(&mut changes, 2), [None, Some(said(&path, text))]);
        }
        std::fs::remove_file(config.join("b")).unwrap();
        assert_eq!(looks(&mut changes, 2), [None, Some(said(&config.join("b"), "is gone"))]);
        // One that is put back was no change.
        std::fs::rename(config.join("sub/a"), config.join("sub/a~")).unwrap();
        assert_eq!(looks(&mut changes, 1), [None]);
        std::fs::rename(config.join("sub/a~"), config.join("sub/a")).unwrap();
        assert_eq!(looks(&mut changes, 2), [None, None]);
        for passing in [".b.swp", "b~", ".#b", "#b#"] {
            std::fs::write(config.join(passing), "x").unwrap();
        }
        std::fs::write(deploy.join("unnamed"), "x").unwrap();
        assert_eq!(looks(&mut changes, 2), [None, None]);
    }

    #[test]
    fn what_the_program_needs_is_waited_for() {
        let mut sample = Sample::new(&["{deploy}/web"]);
        let deploy = sample.context.folders.deploy.clone();
        let (program, secret) = (deploy.join("web"), deploy.join("secret"));
        std::fs::copy(PROGRAM, &program).unwrap();
        std::fs::write(&secret, "1").unwrap();
        sample.context.spec.secrets.insert("KEY".to_owned().try_into().unwrap(), secret.clone());
        let (mut changes, _) = watching(&mut sample, &[Watched::Program, Watched::Environment]);
        for path in [program, secret] {
            std::fs::remove_file(&path).unwrap();
            assert_eq!(looks(&mut changes, 3), [None, None, None]);
            std::fs::write(&path, "a version that is larger").unwrap();
            assert_eq!(looks(&mut changes, 2), [None, Some(said(&path, "has changed"))]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed_and_folders_have_an_end() {
        let mut sample = Sample::new(&[PROGRAM]);
        let config = sample.context.folders.config.clone();
        let outside = sample.root.join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::os::unix::fs::symlink(&outside, config.join("link")).unwrap();
        let deep = config.join("1/2/3/4/5/6/7");
        std::fs::create_dir_all(deep.join("8")).unwrap();
        let (mut changes, _) = watching(&mut sample, &[Watched::Config]);
        assert!(changes.remark().is_some_and(|remark| remark.contains("below 8 folders")));
        std::fs::write(outside.join("a"), "x").unwrap();
        std::fs::write(deep.join("8/a"), "x").unwrap();
        assert_eq!(looks(&mut changes, 2), [None, None]);
        std::fs::write(deep.join("a"), "x").unwrap();
        assert_eq!(looks(&mut changes, 2), [None, Some(format!("`{deep}/a` is new"))]);
        std::fs::remove_file(config.join("link")).unwrap();
        std::os::unix::fs::symlink("elsewhere", config.join("link")).unwrap();
        assert_eq!(looks(&mut changes, 2), [None, Some(format!("`{config}/link` has changed"))]);
    }

    #[test]
    fn too_many_files_are_not_all_watched() {
        let mut sample = Sample::new(&[PROGRAM]);
        let config = sample.context.folders.config.clone();
        for number in 0..=MOST {
            std::fs::File::create(config.join(format!("{number:05}"))).unwrap();
        }
        let (mut changes, _) = watching(&mut sample, &[Watched::Config]);
        assert!(changes.remark().is_some_and(|remark| remark.starts_with("only 10000 files")));
        assert_eq!(changes.base.len(), MOST);
        std::fs::write(config.join(format!("{MOST:05}")), "x").unwrap();
        assert_eq!(looks(&mut changes, 2), [None, None]);
    }

    #[test]
    fn what_the_manager_hands_over_is_not_watched_and_nothing_is_nothing() {
        let mut sample = Sample::new(&[PROGRAM]);
        let now = BootMoment(0);
        assert!(Changes::begin(&sample.context, &sample.prepared(), now).is_none());
        sample.context.spec.credentials = true;
        sample.context.spec.platform = crate::model::manifest::PlatformKind::Systemd;
        sample.context.spec.environment_file = Some(sample.context.folders.deploy.join("env"));
        sample.context.spec.restart_on_change = vec![Watched::Environment];
        sample.context.spec.environment_file = None;
        let changes = Changes::begin(&sample.context, &sample.prepared(), now).unwrap();
        assert!(changes.remark().is_some_and(|remark| remark.contains("not watched")));
    }
}
