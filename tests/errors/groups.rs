//! How the messages are grouped on the page, and which texts are no errors that a user can cause.

use crate::messages::Message;

/// How a group says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Each message on its own.
    Each,
    /// All together: one advice fits them.
    Together,
}

/// A part of the page.
#[derive(Debug)]
pub(crate) struct Group {
    /// Its heading.
    pub(crate) heading: &'static str,
    /// The exit code that most of its messages come with.
    pub(crate) codes: &'static str,
    /// How it says what to do.
    pub(crate) manner: Manner,
    /// The files of its messages: beginnings of paths below `src`. The longest that fits decides.
    pub(crate) files: &'static [&'static str],
}

const fn each(heading: &'static str, codes: &'static str, files: &'static [&'static str]) -> Group {
    Group { heading, codes, manner: Manner::Each, files }
}

const fn together(heading: &'static str, codes: &'static str, files: &'static [&'static str]) -> Group {
    Group { heading, codes, manner: Manner::Together, files }
}

/// The groups, in the order of the page.
pub(crate) static GROUPS: &[Group] = &[
    each(
        "What was typed",
        "2",
        &[
            "cli/",
            "engine/beside.rs",
            "engine/change.rs",
            "engine/change/",
            "engine/check.rs",
            "engine/drafted.rs",
            "engine/export.rs",
            "engine/given.rs",
            "engine/packing.rs",
            "engine/peek.rs",
            "engine/remove.rs",
        ],
    ),
    each("What is adopted", "2, 3, 4", &["engine/adopt.rs", "engine/adopt/"]),
    each("Which instance", "3", &["engine/target.rs"]),
    each("Guards", "4", &["plan/", "engine/operation.rs", "engine/self_update/owner.rs"]),
    each("Whose files and folders", "4", &["engine/trust.rs", "host/account.rs", "host/untrusted.rs"]),
    each("The manifest and the package's description", "2", &["model/"]),
    together("Texts that are no JSON", "2", &["model/tree.rs"]),
    together(
        "What a container can't be",
        "2",
        &[
            "model/compose.rs",
            "model/contradiction/compose.rs",
            "model/image.rs",
            "model/rule/compose.rs",
            "platform/compose",
        ],
    ),
    each(
        "What a platform can't express",
        "4",
        &[
            "platform/embedded.rs",
            "platform/launchd/property_list.rs",
            "platform/mod.rs",
            "platform/systemd/",
        ],
    ),
    together(
        "What systemd has no words for",
        "4",
        &["platform/systemd/escape.rs", "platform/systemd/text.rs"],
    ),
    together(
        "A line of a definition that is adopted",
        "4",
        &["platform/launchd/reader.rs", "platform/systemd/reader"],
    ),
    each(
        "Where the package comes from",
        "2",
        &["engine/source", "engine/resolve.rs", "engine/stage.rs", "package/version.rs"],
    ),
    each("Fetching", "1", &["package/fetch"]),
    each("Archives", "5", &["package/", "engine/repair.rs"]),
    together(
        "Inside an archive",
        "5",
        &[
            "package/attributes.rs",
            "package/central.rs",
            "package/entry.rs",
            "package/fault.rs",
            "package/gunzip.rs",
            "package/header.rs",
            "package/pax.rs",
            "package/untar.rs",
            "package/unzip.rs",
        ],
    ),
    each("Signatures and digests", "5", &["package/signature.rs", "package/sums.rs"]),
    each("A package: packing", "5", &["package/pack.rs"]),
    each("Programs that others install", "5", &["engine/origin"]),
    each("mainstay itself", "5", &["engine/self_update"]),
    each("Containers and their images", "1", &["engine/container"]),
    each("Services for development", "1", &["engine/development"]),
    each("An operation and its undoing", "1", &["engine/"]),
    each("Room on the disk", "1", &["host/disk.rs", "engine/space.rs"]),
    each(
        "A program that does not start or become ready",
        "1",
        &["supervise/", "host/process", "host/probe.rs", "host/http", "host/handover/unix.rs"],
    ),
    each(
        "Supervisors and guardians",
        "1",
        &["engine/guard", "engine/supervisor.rs", "supervise/run", "supervise/overlap"],
    ),
    each("launchd", "1", &["platform/launchd/course"]),
    each("The host", "1", &["host/", "platform/"]),
];

/// The group of a message.
pub(crate) fn group_of(message: &Message) -> &'static Group {
    let length = |group: &Group| {
        group.files.iter().filter(|start| message.file.starts_with(**start)).map(|start| start.len()).max()
    };
    let best = GROUPS.iter().filter(|group| length(group).is_some()).max_by_key(|group| length(group));
    best.unwrap_or_else(|| panic!("src/{} belongs to no group of tests/errors/groups.rs", message.file))
}

/// Texts that are collected, and that are no errors which a user can cause.
#[derive(Debug)]
pub(crate) struct Excluded {
    file: &'static str,
    /// The variant or the function; all of the file if empty.
    home: &'static str,
    /// The texts; all if there are none.
    texts: &'static [&'static str],
    /// Why.
    pub(crate) reason: &'static str,
}

impl Excluded {
    /// Whether a message is among them.
    pub(crate) fn covers(&self, message: &Message) -> bool {
        message.file.starts_with(self.file)
            && (self.home.is_empty() || self.home == message.home)
            && (self.texts.is_empty() || self.texts.contains(&message.text.as_str()))
    }
}

const fn no_error(
    file: &'static str,
    home: &'static str,
    texts: &'static [&'static str],
    reason: &'static str,
) -> Excluded {
    Excluded { file, home, texts, reason }
}

/// All that is excluded.
pub(crate) static EXCLUDED: &[Excluded] = &[
    no_error(
        "cli/demo/",
        "",
        &[],
        "the demo tries mainstay itself: what fails there is a defect, and says which",
    ),
    no_error(
        "cli/commands/demo.rs",
        "only_version",
        &[],
        "the demo tries mainstay itself: what fails there is a defect",
    ),
    no_error("cli/commands/history.rs", "history", &["DOWN FOR"], "the heading of a table's column"),
    no_error("cli/commands/schema.rs", "", &["did you mean `…`?"], "a part of the message beside it"),
    no_error("cli/commands/man.rs", "", &[": did you mean `…`?"], "a part of the message beside it"),
    no_error("engine/check/surroundings.rs", "", &[], "a warning: the manifest is taken"),
    no_error(
        "host/service.rs",
        "",
        &["tell of", "give the right to log on to the account of", "open its folders to the account of"],
        "a part of the message beside it",
    ),
    no_error("engine/windows.rs", "seen", &[], "a part of the message beside it"),
    no_error("platform/task.rs", "", &["the marker", "the task"], "a part of the message beside it"),
    no_error("model/doubt.rs", "of_source", &[], "a warning: the manifest is taken"),
    no_error(
        "model/rule/list.rs",
        "of_schedules",
        &[
            "between its runs nobody could answer",
            "it ends after each run by itself",
            "between its runs nobody would take the connections",
        ],
        "a part of the message beside it",
    ),
    no_error(
        "model/rule/compose.rs",
        "",
        &[
            "Compose has no words for it",
            "mainstay takes no snapshots of what a container keeps",
            "once it is ready nobody watches it, so there is no trial",
            "the account is the image's: name another in `compose.user`",
            "the engine decides it",
            "the engine locks a container in, by its own settings",
            "the group is the image's: name another in `compose.user`",
            "there is no migration",
        ],
        "a part of the message beside it",
    ),
    no_error(
        "engine/container/aim.rs",
        "guard",
        &["\"platform\": \"compose\""],
        "the setting that a message of trust names",
    ),
    no_error("cli/failure.rs", "", &[], "what is said to be done, and not what went wrong"),
    no_error(
        "engine/self_update/owner.rs",
        "guard",
        &["type the name of the tool instead"],
        "what is said to be done, and not what went wrong",
    ),
    no_error("engine/doctor", "", &[], "findings, each of which says itself what to do"),
    no_error("host/", "", ACTIONS, "the name of an action, which fills \"can't … `…`\""),
    no_error("host/notify.rs", "", &[], "a message to systemd, in its own words"),
    no_error("package/tree.rs", "", ACTIONS, "the name of an action, which fills \"`…` can't be …\""),
    no_error("engine/", "", ACTIONS, "the name of a step or of an outcome, which fills other messages"),
    no_error("engine/guard", "", ACTIONS, "the name of an action, which fills \"can't …\""),
    no_error("supervise/run.rs", "", ACTIONS, "the name of an action, which fills \"can't …\""),
    no_error("engine/origin/aim.rs", "aim", &[", as by `…`"], "a part of a note about what was found"),
    no_error(
        "engine/origin/aim.rs",
        "wanted_version",
        &["…; it is recorded as `unknown`", "nobody says which version `…` is, so none is recorded"],
        "a note: the operation goes on",
    ),
    no_error("engine/failure", "", &["a failure was asked for", "killed"], "asked for by tests only"),
    no_error("engine/switch.rs", "", &["a failure was asked for at: …"], "asked for by tests only"),
    no_error("model/tree.rs", "read", &["at line"], "what is cut off the words of the parser"),
    no_error("package/", "", KINDS, "the kind of a file, which fills \"is a …\""),
    no_error(
        "platform/systemd/text.rs",
        "",
        &["`…` has passed no filter", "the unit's template"],
        "a defect of the unit's template, which is mainstay's own",
    ),
    no_error(
        "platform/launchd/property_list.rs",
        "",
        &["`…` has passed no filter", "the property list's template"],
        "a defect of the property list's template, which is mainstay's own",
    ),
    no_error("supervise/errands.rs", "reconcile", &[], "nobody runs a command that is not there"),
    no_error("supervise/machine", "", STATES, "how the service is, which `status` shows, and no failure"),
];

const ACTIONS: &[&str] = &[
    "become the reaper of orphaned processes",
    "become the reaper of the program's processes",
    "begin a session",
    "catch signals",
    "compare with its archive",
    "compared with other versions",
    "create a file in",
    "create a folder in",
    "forced to the disk",
    "give away",
    "go on with",
    "go to the root folder",
    "is done",
    "look at",
    "make a pair of sockets",
    "make room in",
    "made read-only",
    "marked as complete",
    "open the folder of",
    "put away",
    "put back",
    "reach the service manager",
    "read the link",
    "remove what was put away in",
    "restart … with …",
    "set the mode of",
    "standard input",
    "switch to …",
    "use a folder in",
    "wait for events",
    "was undone",
    "write beside",
    "write to a file in",
];

const KINDS: &[&str] = &["block device", "character device", "named pipe"];

const STATES: &[&str] = &[
    "its reconcile command runs before it",
    "it waits for its first run",
    "nobody needs it; it is being ended",
    "nobody needs it; it stays down until it is started by hand…",
    "nobody needs it; the next connection starts it…",
    "run … is under way",
    "run …: starting",
    "started; not ready yet",
    "stopped without waiting…",
    "stopping without waiting",
    "…; it is started anew",
];
