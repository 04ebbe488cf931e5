//! A file that was typed, on platform `compose`: an image that was saved, or a package that says which image it is. Its
//! content decides which of them.

use std::env::consts::ARCH;

use camino::Utf8Path;

use crate::engine::Context;
use crate::engine::change::Request;
use crate::engine::container::image::{Image, as_written, bring, look};
use crate::engine::container::run;
use crate::engine::failure::{CallError, Failure};
use crate::engine::target::Declared;
use crate::engine::{peek, trust};
use crate::host::files::FileError;
use crate::model::compose::EngineKind;
use crate::model::image::ImageName;
use crate::package::image::{self, StoredImage};
use crate::platform::compose::query;

/// The image that a file brings.
pub(crate) fn image(
    context: &Context<'_>,
    engine: EngineKind,
    declared: &Declared,
    (path, like): (&Utf8Path, &ImageName),
    request: &Request,
) -> Result<Image, Failure> {
    if !path.is_dir() && path.extension() != Some("json") {
        let (file, path) = trust::open_archive(path)?;
        let unreadable = |source| FileError { action: "read", path: path.clone(), source };
        if let Some(stored) = image::read(&file).map_err(unreadable)? {
            return load(context, engine, (&path, &stored), like, request);
        }
    }
    let name = of_package(declared, path, like)?;
    bring(context, engine, &name, (false, request.dry_run))
}

/// The image that a package names, in the repository that the manifest takes it from: by its digest it is the same
/// everywhere.
fn of_package(declared: &Declared, path: &Utf8Path, like: &ImageName) -> Result<ImageName, Failure> {
    let component = &declared.manifest.package.name;
    let Some(description) = peek::find(path)? else {
        return Err(Failure::OtherArchive(format!(
            "`{path}` is neither an image that was saved nor a package that names one"
        )));
    };
    if description.component != *component {
        return Err(Failure::OtherArchive(format!(
            "`{path}` is a package of `{}`, and the manifest is of `{component}`",
            description.component
        )));
    }
    let name = description.image.as_ref().and_then(|image| image.of(&description.version, ARCH, like));
    name.ok_or_else(|| {
        Failure::OtherArchive(format!(
            "the package `{path}` names no image: say which tag of `{}` with `--version`",
            like.repository()
        ))
    })
}

/// Has an engine take an image from a file, before anything is stopped.
fn load(
    context: &Context<'_>,
    engine: EngineKind,
    (file, stored): (&Utf8Path, &[StoredImage]),
    like: &ImageName,
    request: &Request,
) -> Result<Image, Failure> {
    let (image, name) = chosen(file, stored, like, request)?;
    let argv = query::load(engine, file);
    if request.dry_run {
        context.notice(format!("`{name}` would be loaded with `{}`", argv.join(" ")));
        return Ok(as_written(&name));
    }
    context.notice(format!("loading `{name}` from `{file}` into {engine}"));
    run(&argv).map_err(|error| match error {
        CallError::Failed { reason, .. } => {
            Failure::OtherArchive(format!("`{file}` can't be loaded: {reason}"))
        }
        other @ CallError::Unavailable { .. } => other.into(),
    })?;
    // In a file it may be called by a tag alone, or not at all; an engine then calls it as it likes.
    if let Some(number) = &image.number
        && let Some(found) = look(engine, number)?
        && !found
            .tags
            .iter()
            .filter_map(|tag| ImageName::new(tag.as_str()).ok())
            .any(|tag| is_it(&tag, &name))
    {
        run(&query::tag(engine, number, name.as_str()))?;
    }
    bring(context, engine, &name, (false, false))
}

fn is_it(one: &ImageName, other: &ImageName) -> bool {
    one.is_of(other) && one.tag() == other.tag()
}

/// The image of the manifest's repository among those in a file, and its name.
fn chosen<'a>(
    file: &Utf8Path,
    stored: &'a [StoredImage],
    like: &ImageName,
    request: &Request,
) -> Result<(&'a StoredImage, ImageName), Failure> {
    let whole = |name: &String| {
        let is_tag = !name.contains(['/', ':']);
        if is_tag { like.with_tag(name).ok() } else { ImageName::new(name.as_str()).ok() }
    };
    let names = |image: &'a StoredImage| image.names.iter().filter_map(whole).map(move |name| (image, name));
    if let Some(found) = stored.iter().flat_map(names).find(|(_, name)| name.is_of(like)) {
        return Ok(found);
    }
    if let ([image], Some(version)) = (stored, &request.version)
        && image.names.is_empty()
        && let Ok(name) = like.with_tag(version.as_str())
    {
        return Ok((image, name));
    }
    let names: Vec<&str> = stored.iter().flat_map(|image| &image.names).map(String::as_str).collect();
    let holds = if names.is_empty() {
        "an image without a name: say which tag it is with `--version`".to_owned()
    } else {
        format!("`{}`, and the manifest names an image of `{}`", names.join("`, `"), like.repository())
    };
    Err(Failure::OtherArchive(format!("`{file}` holds {holds}")))
}
