//! Which program a launch really starts, where mainstay did not unpack it, and in which version: read from what stands
//! beside the real file, never from what somebody typed.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::engine::Context;
use crate::engine::variables::of_file;
use crate::host::command::{self, Manner};
use crate::host::{account, environment, files, process, temporary, untrusted};
use crate::model::launch::{Folders, LaunchSpec};
use crate::model::manifest::{PlatformKind, Supervision};
use crate::model::origin::{Bringer, Origin, shim_target, version_word};
use crate::model::token::Places;
use crate::model::version::Version;
use crate::plan::wanted::Beside;
use crate::platform::identity;
use crate::supervise::environment::PATH;

pub(crate) mod aim;
mod interpreter;
mod node;
mod python;
mod system;

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest file that is read on the way to a version, in bytes: a `RECORD` names every file of a package.
const LARGEST: u64 = 16 << 20;
/// How many shell scripts may hand over to each other.
const MOST_SHIMS: usize = 4;

/// Why it can't be said which version a launch starts, or why it is not the one that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OriginError {
    /// There is no such program.
    #[error("the launch command can't be found: {0}")]
    NotFound(String),
    /// Nobody says which version it is.
    #[error("the version of `{program}`, which the service starts, is not to be had: {reason}")]
    Unversioned {
        /// The real file.
        program: Utf8PathBuf,
        /// What was tried.
        reason: String,
    },
    /// It is another version than the one that was asked for.
    #[error("the service starts `{program}`, which is version {found}, not {asked}: nothing was changed")]
    Other {
        /// The real file.
        program: Utf8PathBuf,
        /// Its version.
        found: Version,
        /// The version that was asked for.
        asked: Version,
        /// What brings that one.
        bring: Option<String>,
    },
}

/// What a launch starts.
///
/// A `PATH` in the environment file counts as it is to be, where the file comes with the operation.
pub(crate) fn origin(
    context: &Context<'_>,
    spec: &LaunchSpec,
    coming: &[Beside],
) -> Result<Origin, OriginError> {
    let folders = Folders::of(spec, &context.layout);
    let places = folders.places();
    let base = spec.start_folder(&places);
    let arguments = started(context, spec).unwrap_or_else(|| spec.arguments(&places));
    let search = search_path(spec, &places, coming);
    let (program, arguments) = interpreter::past_env(&arguments);
    let name = program.ok_or_else(|| OriginError::NotFound("the command is empty".to_owned()))?;
    // Where it was named counts: an environment of Python is known by the folder of its links.
    let named = process::find_program(name, &search, &spec.deploy)
        .map_err(|error| OriginError::NotFound(error.to_string()))?;
    let real = followed(&named)?;
    if interpreter::is_node(&real) {
        if let Some(script) = interpreter::script(arguments) {
            let script = followed(&base.join(script))?;
            let asked = || ask(context, spec, &[named.to_string(), script.to_string()], &search);
            return Ok(node::origin(&script, spec).unwrap_or_else(|| Origin {
                version: asked().ok(),
                program: script.clone(),
                bringer: Bringer::Unknown,
            }));
        }
    } else if interpreter::is_python(&real) {
        match interpreter::python_work(arguments) {
            Some(interpreter::Work::Module(module)) => {
                if let Some(found) = python::of_module(&named, module) {
                    return Ok(found);
                }
            }
            Some(interpreter::Work::Script(script)) => {
                let script = followed(&base.join(script))?;
                let asked = || ask(context, spec, &[named.to_string(), script.to_string()], &search);
                return Ok(python::of_script(&script).unwrap_or_else(|| Origin {
                    version: asked().ok(),
                    program: script.clone(),
                    bringer: Bringer::Unknown,
                }));
            }
            None => {}
        }
    }
    let real = past_shims(real)?;
    if let Some(found) = node::origin(&real, spec).or_else(|| python::of_script(&real)) {
        return Ok(found);
    }
    let bringer = bringer(&named, &real);
    let mut version = ask(context, spec, &[named.to_string()], &search).ok();
    if bringer == Bringer::System {
        version = version.or_else(|| system::version(&real));
    }
    Ok(Origin { program: real, version, bringer })
}

/// The version of what a launch starts, where it has to be known.
pub(crate) fn version(found: &Origin) -> Result<Version, OriginError> {
    found.version.clone().ok_or_else(|| OriginError::Unversioned {
        program: found.program.clone(),
        reason: "no package manager's files stand beside it, and `--version` brings no version to light"
            .to_owned(),
    })
}

/// Refuses what is not the version that was asked for.
pub(crate) fn guard(found: &Origin, asked: &Version) -> Result<(), OriginError> {
    let version = version(found)?;
    if version == *asked {
        return Ok(());
    }
    Err(OriginError::Other {
        program: found.program.clone(),
        found: version,
        asked: asked.clone(),
        bring: found.bringer.command(asked),
    })
}

/// What systemd itself starts, where the program has the main place in its unit: a file of the user's beside the unit
/// may say something else than we wrote.
fn started(context: &Context<'_>, spec: &LaunchSpec) -> Option<Vec<String>> {
    if spec.supervision != Supervision::Native || spec.platform != PlatformKind::Systemd {
        return None;
    }
    context.manager.started(&identity(spec)).ok().flatten()
}

/// Where a service's program is looked for: its clean `PATH`, or what its own settings say.
fn search_path(spec: &LaunchSpec, places: &Places<'_>, coming: &[Beside]) -> String {
    let of_file = spec.environment_file.as_ref().and_then(|path| {
        let mut variables = of_file(&spec.deploy, path, coming)?.into_iter();
        variables.find_map(|(name, value)| (name.as_str() == "PATH").then_some(value))
    });
    let written = || {
        let variables = spec.variables(places);
        variables.into_iter().find_map(|(name, value)| (name.as_str() == "PATH").then_some(value))
    };
    of_file.or_else(written).unwrap_or_else(|| PATH.to_owned())
}

fn followed(path: &Utf8Path) -> Result<Utf8PathBuf, OriginError> {
    files::canonical(path).map_err(|error| OriginError::NotFound(format!("{error}: {}", error.source)))
}

/// The script at the end of shell scripts that only hand over.
fn past_shims(mut program: Utf8PathBuf) -> Result<Utf8PathBuf, OriginError> {
    for _ in 0..MOST_SHIMS {
        // A program that is no text is no shell script.
        let Ok(Some(text)) = untrusted::read(&program, 1 << 16) else { break };
        let Some(target) = shim_target(&text) else { break };
        program = followed(&program.parent().unwrap_or(&program).join(target))?;
    }
    Ok(program)
}

/// What a program says of itself, as the service's account and with a clean environment: it is somebody's program, and
/// may do anything.
fn ask(context: &Context<'_>, spec: &LaunchSpec, argv: &[String], search: &str) -> Result<Version, String> {
    let account = match &spec.user {
        Some(user) => account::by_name(user).map_err(|error| error.to_string())?,
        None => context.caller.clone(),
    };
    let environment = [
        ("PATH".to_owned(), search.to_owned()),
        ("HOME".to_owned(), environment::home(account.uid).map_or_else(|| "/".to_owned(), String::from)),
        ("LC_ALL".to_owned(), "C.UTF-8".to_owned()),
    ];
    // One that knows no such option may be a server that offers whatever folder it is started in.
    let empty = temporary::empty("mainstay-empty-").map_err(|error| error.to_string())?;
    let manner = Manner {
        environment: Some(&environment),
        folder: Some(empty.path()),
        rights: Some(&account),
        limit: Some(PATIENCE),
        ..Manner::default()
    };
    // nginx knows no long options.
    let is_nginx = argv.last().is_some_and(|program| program.rsplit('/').next() == Some("nginx"));
    let option = if is_nginx { "-v" } else { "--version" };
    let argv: Vec<String> = argv.iter().cloned().chain([option.to_owned()]).collect();
    let output = command::output(&argv, manner).map_err(|error| error.to_string())?;
    // What it says as it fails is no answer.
    let outputs = [&output.stdout, &output.stderr].into_iter().filter(|_| output.code == Some(0));
    let found = outputs.into_iter().find_map(|text| version_word(text));
    found.ok_or_else(|| format!("`{} {option}` names none", argv[0]))
}

/// Who brought a program, by where it stands.
fn bringer(named: &Utf8Path, real: &Utf8Path) -> Bringer {
    let mut words = real.components().map(|component| component.as_str());
    if words.by_ref().any(|word| word == "Cellar")
        && let Some(formula) = words.next()
    {
        return Bringer::Brew { formula: formula.to_owned() };
    }
    let root = named.parent().and_then(Utf8Path::parent);
    if let Some(root) = root.filter(|root| files::facts(&root.join(".crates.toml")).ok().flatten().is_some())
    {
        let usual = root.file_name() == Some(".cargo");
        return Bringer::Cargo { root: (!usual).then(|| root.to_owned()) };
    }
    let of_system = ["/usr/bin", "/usr/sbin", "/usr/lib", "/bin", "/sbin", "/lib"];
    if of_system.iter().any(|folder| real.starts_with(folder)) { Bringer::System } else { Bringer::Unknown }
}
