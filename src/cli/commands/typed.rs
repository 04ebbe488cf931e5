//! What was typed of an archive, as the engine takes it.

use crate::cli::arguments::{ManifestArguments, SourceArguments};
use crate::engine::failure::Failure;
use crate::engine::source::{Proof, Source};
use crate::host::environment;

/// The source that was typed; else what the manifest says.
pub(super) fn source(typed: &SourceArguments) -> Result<Source, Failure> {
    Ok(match (&typed.from, &typed.url) {
        (Some(from), _) if from == "-" => Source::Input,
        (Some(from), _) if from.as_str().is_empty() => {
            return Err(Failure::Usage("`--from` names no archive: what was typed is empty".to_owned()));
        }
        (Some(from), _) => Source::File(environment::working_folder()?.join(from)),
        (None, Some(address)) => Source::Address(address.clone()),
        (None, None) => Source::Manifest,
    })
}

/// Refuses what would read standard input twice.
pub(super) fn guard_input(source: &SourceArguments, manifest: &ManifestArguments) -> Result<(), Failure> {
    let is_input = |path: &Option<camino::Utf8PathBuf>| path.as_ref().is_some_and(|path| path == "-");
    if is_input(&source.from) && is_input(&manifest.manifest) {
        let what = "standard input can be read once: name the file of the archive, or that of the manifest";
        return Err(Failure::Usage(what.to_owned()));
    }
    Ok(())
}

/// What was typed that the archive has to agree with.
pub(super) fn proof(typed: &SourceArguments) -> Result<Proof, Failure> {
    let signature = match &typed.signature {
        Some(path) => Some(environment::working_folder()?.join(path)),
        None => None,
    };
    Ok(Proof { sha256: typed.sha256, signature })
}
