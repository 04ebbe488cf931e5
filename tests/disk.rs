//! The real binary on disks that really fill: at no moment is the service down or a version half there, the message says
//! what helps, and what is needed on a full disk works on one. And what a clean-up leaves alone, with real processes.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that fails panics, says what it saw, and starts processes itself"
)]

mod real;

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use mainstay::model::name::InstanceName;
use real::{LONG, MAINSTAY, Output, Place, await_some, is_root, program};

fn web() -> InstanceName {
    InstanceName::new("web").unwrap()
}

fn size_of(path: impl AsRef<std::path::Path>) -> u64 {
    path.as_ref().metadata().unwrap().len()
}

/// A file system of its own, as small as that.
struct Disk {
    place: Utf8PathBuf,
}

impl Disk {
    /// Mounts one on a folder of a place; none where that is not allowed.
    fn mount(place: &Utf8Path, options: &str) -> Option<Self> {
        if !is_root() {
            real::left_out("only root can mount a disk that is small enough to fill");
            return None;
        }
        std::fs::create_dir_all(place).unwrap();
        let mount = ["-t", "tmpfs", "-o", options, "tmpfs", place.as_str()];
        let status = Command::new("mount").args(mount).status().unwrap();
        assert!(status.success(), "mount {mount:?}");
        Some(Self { place: place.to_owned() })
    }

    /// Lays an empty layer over a folder, as a container does over its image; none where that is not allowed.
    fn over(place: &Utf8Path) -> Option<Self> {
        let below = place.with_file_name("below");
        std::fs::rename(place, &below).unwrap();
        let disk = Self::mount(&place.with_file_name("above"), "size=256m")?;
        for folder in [place, &disk.place.join("upper"), &disk.place.join("work")] {
            std::fs::create_dir(folder).unwrap();
        }
        let layers = format!("lowerdir={below},upperdir={0}/upper,workdir={0}/work", disk.place);
        let mount = ["-t", "overlay", "-o", &layers, "overlay", place.as_str()];
        assert!(Command::new("mount").args(mount).status().unwrap().success(), "mount {mount:?}");
        Some(Self { place: place.to_owned() })
    }

    fn filling(&self) -> Utf8PathBuf {
        self.place.join("filling")
    }

    /// Fills it, but for so much.
    fn fill(&self, left: u64) {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(self.filling()).unwrap();
        for piece in [1 << 20, 4096, 1] {
            let zeros = vec![0; piece];
            while file.write_all(&zeros).is_ok() {}
        }
        let size = file.metadata().unwrap().len();
        file.set_len(size.saturating_sub(left)).unwrap();
    }

    fn empty(&self) {
        let _ = std::fs::remove_file(self.filling());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l", self.place.as_str()]).status();
    }
}

/// What an install of so many versions takes, in bytes.
fn room_for(versions: u64) -> u64 {
    size_of(MAINSTAY) + versions * (size_of(program("server")) + (64 << 10))
}

/// The service answers from a whole tree, nothing is left of what did not come about, and it can be told.
fn stands(place: &Place, told: &str, versions: &[&str]) {
    let tree = await_some(told, LONG, || place.running_tree(&web()));
    assert!(versions.iter().any(|version| tree == format!("server-{version}")), "{told}: {tree} runs");
    let left = mainstay::host::files::list(&place.layout.install(&web())).unwrap().unwrap();
    let half = left.iter().find(|name| name.starts_with(".partial-") || name.starts_with(".mainstay-"));
    assert_eq!(half, None, "{told}: {left:?}");
    place.run(&["status"]).good();
}

fn is_refused_early(output: &Output) -> bool {
    output.code == Some(1) && output.err.contains("are needed, a reserve of")
}

#[test]
fn an_upgrade_that_will_not_fit_is_refused_before_anything_is_written() {
    let place = Place::new();
    let server = size_of(program("server"));
    let mebibyte = 1 << 20;
    let options = format!("size={}", room_for(3) + 4 * mebibyte);
    let Some(disk) = Disk::mount(place.layout.install(&web()).parent().unwrap(), &options) else {
        return;
    };
    place.declare(&place.deploy(), "web", "");
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    let second = place.archive("2.0.0");
    let mut refused = 0;
    for left in [0, 16 << 10, mebibyte, server, server + mebibyte / 2] {
        disk.fill(left);
        let before = (place.server(), place.print());
        let output = place.run(&["upgrade", "--yes", "--from", &second]);
        assert!(
            is_refused_early(&output) && output.err.contains("mainstay upgrade --cleanup"),
            "{left}: {output:?}"
        );
        assert!(output.err.contains("KiB") || output.err.contains("MiB"), "in plain units: {output:?}");
        assert_eq!(before, (place.server(), place.print()), "{left}: something changed");
        stands(&place, &format!("{left} left"), &["1.0.0"]);
        refused += 1;
        disk.empty();
    }
    assert_eq!(refused, 5);
    let shown = place.run(&["upgrade", "--dry-run", "--from", &second]).good();
    assert_eq!(shown.out.contains("of the disk, and shares"), !real::is_root(), "{shown:?}");
    place.run(&["upgrade", "--yes", "--from", &second]).good();
    stands(&place, "at the end", &["2.0.0"]);
    // The program is the same in both, and stored once, unless it runs as root, whom no mode keeps from writing it.
    let inode = |version: &str| {
        place.layout.tree(&web(), &format!("server-{version}/bin/server")).metadata().unwrap().ino()
    };
    assert_eq!(inode("1.0.0") == inode("2.0.0"), !real::is_root());
    let words = place.layout.tree(&web(), "server-2.0.0/words");
    assert_eq!(std::fs::read_to_string(words).unwrap(), "words of 2.0.0");
}

#[test]
fn a_disk_that_takes_no_more_files_is_told_from_one_without_room() {
    let place = Place::new();
    let Some(disk) = Disk::mount(&place.root, &format!("size={},nr_inodes=200", 2 * room_for(3))) else {
        return;
    };
    place.declare(&place.deploy(), "web", "");
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    let folder = disk.place.join("many");
    std::fs::create_dir(&folder).unwrap();
    let mut number = 0;
    while std::fs::write(folder.join(number.to_string()), "").is_ok() {
        number += 1;
    }
    place
        .run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")])
        .fails(1, "more files, whatever their size");
    stands(&place, "without inodes", &["1.0.0"]);
    std::fs::remove_dir_all(folder).unwrap();
    place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).good();
}

/// Others write as well: the disk fills when the operation has already looked. A hook of the manifest does that here,
/// between the journal's first line and the switch.
fn fills_meanwhile(part: fn(&Place) -> Utf8PathBuf, size: u64, lefts: &[u64]) {
    let mut failed = 0;
    for left in lefts {
        let place = Place::new();
        let Some(disk) = Disk::mount(&part(&place), &format!("size={size}")) else { return };
        let filling = disk.filling();
        let fill = format!("cat /dev/zero > {filling} 2> /dev/null; truncate -s -{left} {filling}");
        place.declare(&place.deploy(), "web", "");
        let manifest = place.deploy().join("mainstay.json");
        let text = std::fs::read_to_string(&manifest).unwrap();
        let hook = format!(
            r#""upgrade": {{ "hooks": {{ "beforeStop": ["/bin/sh", "-c", "{fill}"] }} }},
  "service""#
        );
        std::fs::write(&manifest, text.replacen("\"service\"", &hook, 1).replace("\"10s\"", "\"2s\""))
            .unwrap();
        place.run(&["install", "--from", &place.archive("1.0.0")]).good();
        let output = place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]);
        let told = format!("{left} left: {output:?}");
        assert!(matches!(output.code, Some(0 | 1 | 7)), "{told}");
        failed += u32::from(output.code != Some(0));
        stands(&place, &told, &["1.0.0", "2.0.0"]);
        if output.code != Some(0) {
            assert!(output.err.contains("df -h"), "{told}");
        }
        // With the disk still full, it can be stopped and started.
        place.run(&["stop"]).good();
        assert_eq!(place.server(), None, "{told}");
        disk.empty();
        place.run(&["recover"]).good();
        place.run(&["start"]).good();
        assert!(place.journal(&web()).is_empty(), "{told}: {:?}", place.journal(&web()));
        stands(&place, &told, &["1.0.0", "2.0.0"]);
    }
    eprintln!("{failed} of {} upgrades failed for want of room", lefts.len());
    assert!(failed > 0, "the disk was never full");
}

#[test]
fn a_state_folder_that_fills_meanwhile_leaves_nothing_halfway() {
    let full = std::env::var("MAINSTAY_FULL").is_ok_and(|full| full == "1");
    let lefts: Vec<u64> = (0..12).step_by(if full { 1 } else { 2 }).map(|pages| pages * 4096).collect();
    fills_meanwhile(|place| place.layout.states().to_owned(), 8 << 20, &lefts);
}

#[test]
fn a_disk_for_everything_that_fills_meanwhile_leaves_nothing_halfway() {
    let size = room_for(3) + (6 << 20);
    fills_meanwhile(|place| place.root.clone(), size, &[0, 12_288, 28_672]);
}

fn keep_one(place: &Place) {
    place.declare(&place.deploy(), "web", "");
    let manifest = place.deploy().join("mainstay.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(
        &manifest,
        text.replacen("\"service\"", "\"upgrade\": { \"keep\": 1, \"trial\": \"0s\" },\n  \"service\"", 1),
    )
    .unwrap();
}

fn install_all(place: &Place, versions: &[&str]) {
    for (number, version) in versions.iter().enumerate() {
        let command = if number == 0 { "install" } else { "upgrade" };
        let output = place.run(&[command, "--yes", "--from", &place.archive(version)]).good();
        assert_eq!(number > 0, output.err.contains("upgrade --cleanup"), "{output:?}");
    }
}

fn trees(place: &Place) -> Vec<String> {
    let names = mainstay::host::files::list(&place.layout.install(&web())).unwrap().unwrap();
    names.into_iter().filter_map(|name| name.strip_prefix("server-").map(str::to_owned)).collect()
}

#[test]
fn a_clean_up_works_on_a_full_disk() {
    let place = Place::new();
    let Some(disk) = Disk::mount(&place.root, &format!("size={}", room_for(4) + (8 << 20))) else { return };
    keep_one(&place);
    install_all(&place, &["1.0.0", "2.0.0", "3.0.0"]);
    disk.fill(0);
    place.run(&["status"]).good();
    let before = place.server();
    let shown = place.run(&["upgrade", "--cleanup", "--dry-run"]).good();
    assert!(shown.out.contains("frees "), "{shown:?}");
    let output = place.run(&["upgrade", "--cleanup", "--yes"]).good();
    assert!(
        output.err.contains("without one") && output.out.contains("2 old versions removed"),
        "{output:?}"
    );
    assert_eq!(before, place.server());
    assert_eq!(trees(&place), ["3.0.0"]);
    disk.fill(0);
    place.run(&["stop"]).good();
    place.run(&["start"]).good();
    disk.empty();
    let history = place.run(&["history"]).good();
    assert!(history.out.contains("cleaned up"), "{history:?}");
}

#[test]
fn a_way_back_works_on_a_full_disk() {
    let place = Place::new();
    let Some(disk) = Disk::mount(&place.root, &format!("size={}", room_for(3) + (8 << 20))) else { return };
    place.declare(&place.deploy(), "web", "");
    install_two(&place);
    disk.fill(0);
    let began = std::time::Instant::now();
    place.run(&["upgrade", "--rollback", "--yes"]).good();
    assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
    stands(&place, "on a full disk", &["1.0.0"]);
    assert!(place.journal(&web()).is_empty());
    assert!(place.run(&["history"]).good().out.contains("rolled back"));
    disk.empty();
    place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).good();
    stands(&place, "with room again", &["2.0.0"]);
    // What was kept for this is given up with the last instance.
    let reserve = place.layout.journals().join(".reserve");
    assert_eq!(size_of(&reserve), 256 << 10);
    place.run(&["uninstall", "--yes"]).good();
    assert!(!reserve.exists());
}

fn install_two(place: &Place) {
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).good();
}

/// A process of nobody's instance that uses a tree.
struct User(Child);

impl User {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // It says when it is so far.
        let mut word = [0; 1];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut word).unwrap();
        Self(child)
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_anybody_uses_stays_until_nobody_does() {
    let place = Place::new();
    keep_one(&place);
    install_all(&place, &["1.0.0", "2.0.0", "3.0.0", "4.0.0", "5.0.0", "6.0.0"]);
    let tree = |version: &str| place.layout.tree(&web(), &format!("server-{version}"));
    // A script of it, run by an interpreter.
    let mut script = Command::new("/bin/sh");
    script.args(["-c", "echo x; read word; exit", tree("1.0.0").join("run.sh").as_str()]);
    let script = User::start(script);
    // A folder of it to stand in that is no more.
    std::fs::set_permissions(tree("2.0.0"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let gone = tree("2.0.0").join("gone");
    std::fs::create_dir(&gone).unwrap();
    let mut stands = Command::new("/bin/sh");
    stands.args(["-c", "rmdir ../gone; echo x; read word; exit"]).current_dir(&gone);
    let stands = User::start(stands);
    // A library of it, mapped and closed, of which nothing else of the process tells.
    let mut maps = Command::new("python3");
    maps.args(["-c", "import mmap,sys\nf=open(sys.stdin.readline().strip(),'rb')\nm=mmap.mmap(f.fileno(),4096,access=mmap.ACCESS_READ)\nf.close()\nprint('x',flush=True)\nsys.stdin.readline()"]);
    let mut child = maps.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.as_mut().unwrap(), "{}", tree("3.0.0").join("bin/server")).unwrap();
    let mut word = [0; 1];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut word).unwrap();
    let maps = User(child);
    // Another instance that leads there.
    let other = place.layout.install(&InstanceName::new("other").unwrap());
    std::fs::create_dir_all(&other).unwrap();
    std::os::unix::fs::symlink("../web/server-4.0.0", other.join("server")).unwrap();

    let pins = place.deploy().join("mainstay.json");
    let text = std::fs::read_to_string(&pins).unwrap();
    std::fs::write(&pins, text.replacen("\"keep\": 1", "\"pins\": [\"5.0.0\"], \"keep\": 1", 1)).unwrap();

    let clean = || place.run(&["upgrade", "--cleanup", "--yes"]).good();
    let output = clean();
    assert_eq!(trees(&place), ["1.0.0", "2.0.0", "3.0.0", "4.0.0", "5.0.0", "6.0.0"], "{output:?}");
    assert!(output.err.contains("server-4.0.0 stays: another instance needs it"), "{output:?}");
    assert!(output.err.contains("server-3.0.0 stays: a running process needs it"), "{output:?}");
    assert!(output.err.contains("server-5.0.0 stays: a pin in the manifest needs it"), "{output:?}");
    drop(script);
    clean();
    assert_eq!(trees(&place), ["2.0.0", "3.0.0", "4.0.0", "5.0.0", "6.0.0"]);
    drop(stands);
    clean();
    assert_eq!(trees(&place), ["3.0.0", "4.0.0", "5.0.0", "6.0.0"]);
    drop(maps);
    clean();
    assert_eq!(trees(&place), ["4.0.0", "5.0.0", "6.0.0"]);
    std::fs::remove_file(other.join("server")).unwrap();
    std::fs::write(&pins, &text).unwrap();
    // What can't be read may say anything.
    let manifest = std::fs::read_to_string(&pins).unwrap();
    std::fs::write(&pins, manifest.replace("\"keep\"", "\"kept\"")).unwrap();
    place
        .run(&["--json", "upgrade", "--cleanup", "--yes", "--name", "web"])
        .fails(4, "the manifest can't be read");
    std::fs::write(&pins, manifest).unwrap();
    assert_eq!(trees(&place), ["4.0.0", "5.0.0", "6.0.0"]);
    clean();
    assert_eq!(trees(&place), ["6.0.0"]);
}

/// Damages a file of a version as a disk does.
fn damage(place: &Place, version: &str) -> Utf8PathBuf {
    let file = place.layout.tree(&web(), &format!("server-{version}")).join("words");
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, "damaged").unwrap();
    file
}

#[test]
fn what_lies_in_a_layer_of_an_image_is_rebuilt_once_nothing_runs_from_it() {
    if !is_root() {
        return real::left_out("only root can lay a layer over a folder");
    }
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    let (first, second) = (place.archive("1.0.0"), place.archive("2.0.0"));
    place.run(&["install", "--from", &first]).good();
    place.run(&["upgrade", "--yes", "--from", &second]).good();
    place.run(&["stop"]).good();
    let files = ["1.0.0", "2.0.0"].map(|version| damage(&place, version));
    let Some(_layer) = Disk::over(&place.root) else { return };
    place.run(&["start"]).good();
    place.run(&["repair", "--from", &second, "--yes"]).fails(2, "mainstay stop --name web");
    // Nothing runs from this one.
    place.run(&["repair", "--version", "1.0.0", "--from", &first, "--yes"]).good();
    assert_eq!(std::fs::read_to_string(&files[0]).unwrap(), "words of 1.0.0");
    place.run(&["stop"]).good();
    place.run(&["repair", "--from", &second, "--yes"]).good();
    assert_eq!(std::fs::read_to_string(&files[1]).unwrap(), "words of 2.0.0");
    place.run(&["start"]).good();
    stands(&place, "in a container", &["2.0.0"]);
    // What is in the upper layer now is exchanged while it runs.
    damage(&place, "2.0.0");
    place.run(&["repair", "--from", &second, "--yes"]).good();
    assert_eq!(std::fs::read_to_string(&files[1]).unwrap(), "words of 2.0.0");
    place.run(&["restart"]).good();
    stands(&place, "exchanged", &["2.0.0"]);
    place.run(&["uninstall", "--purge", "--yes"]).good();
}

#[test]
fn what_lies_in_a_layer_of_an_image_is_put_away_all_the_same() {
    let place = Place::new();
    place.declare(&place.deploy(), "web", "");
    place.run(&["install", "--from", &place.archive("1.0.0")]).good();
    place.run(&["upgrade", "--yes", "--from", &place.archive("2.0.0")]).good();
    place.run(&["upgrade", "--yes", "--from", &place.archive("3.0.0")]).good();
    place.run(&["stop"]).good();
    let Some(_layer) = Disk::over(&place.root) else { return };
    let trees = || {
        let names = mainstay::host::files::list(&place.layout.install(&web())).unwrap().unwrap();
        names.into_iter().filter(|name| name != "server").collect::<Vec<_>>()
    };
    assert!(trees().contains(&"server-1.0.0".to_owned()), "nothing to put away: {:?}", trees());
    place.run(&["start"]).good();
    let before = trees();
    place.run(&["upgrade", "--cleanup", "--yes"]).good();
    place.run(&["upgrade", "--yes", "--from", &place.archive("4.0.0")]).good();
    place.run(&["upgrade", "--cleanup", "--yes"]).good();
    let left = trees();
    assert!(before.iter().any(|tree| !left.contains(tree)), "nothing of the layer was put away: {left:?}");
    stands(&place, "in a container", &["4.0.0"]);
    place.run(&["uninstall", "--purge", "--yes"]).good();
    assert_eq!(mainstay::host::files::list(&place.layout.install(&web())).unwrap(), None);
}
