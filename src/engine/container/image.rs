//! Images: finding the one that a name stands for, fetching it. All before anything is stopped.

use crate::engine::Context;
use crate::engine::container::{PATIENCE, run};
use crate::engine::failure::{CallError, Failure};
use crate::engine::question::ask;
use crate::model::compose::EngineKind;
use crate::model::image::ImageName;
use crate::platform::compose::query;
use crate::platform::compose::seen::{self, ImageSeen};

/// An image that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    /// Its name, with its digest where it has one.
    pub(crate) name: ImageName,
    /// What the engine is told: a name that will always mean these bytes.
    pub(crate) pinned: String,
}

/// What an image is called, as far as it is known without asking anybody.
pub(crate) fn as_written(name: &ImageName) -> Image {
    Image { name: name.clone(), pinned: name.to_string() }
}

/// The image of a name, fetched if need be.
pub(crate) fn bring(
    context: &Context<'_>,
    engine: EngineKind,
    name: &ImageName,
    (anew, dry_run): (bool, bool),
) -> Result<Image, Failure> {
    let look = || look(engine, name.as_str());
    let there = look()?;
    let found = match there {
        Some(found) if !anew || name.digest().is_some() => found,
        there if dry_run => {
            let what = if there.is_some() { "looked for anew" } else { "fetched" };
            context.notice(format!(
                "`{name}` would be {what} with `{}`",
                query::pull(engine, name.as_str()).join(" ")
            ));
            return Ok(there.map_or_else(|| as_written(name), |found| pinned(name, &found)));
        }
        there => {
            context.notice(format!("fetching `{name}` with {engine}"));
            match (run(&query::pull(engine, name.as_str())), there) {
                (Ok(_), _) => {}
                // An image that was made here has no registry to ask.
                (Err(error), Some(_)) => {
                    context.notice(format!("what is here of `{name}` is taken: {error}"));
                }
                (Err(CallError::Failed { reason, .. }), None) => {
                    return Err(Failure::OtherArchive(format!(
                        "the image `{name}` can't be fetched: {reason}"
                    )));
                }
                (Err(error), None) => return Err(error.into()),
            }
            look()?.ok_or_else(|| {
                Failure::OtherArchive(format!("`{name}` was fetched, and {engine} does not know it"))
            })?
        }
    };
    Ok(pinned(name, &found))
}

/// The image that is here under a name.
pub(crate) fn look(engine: EngineKind, name: &str) -> Result<Option<ImageSeen>, CallError> {
    ask(&query::image(engine, name), PATIENCE, seen::image)
}

/// What names these bytes for ever: the digest of the repository, or, of an image that has never been in one, its
/// number.
fn pinned(name: &ImageName, found: &ImageSeen) -> Image {
    if name.digest().is_some() {
        return as_written(name);
    }
    let mut digests = found.digests.iter().filter_map(|text| ImageName::new(text.as_str()).ok());
    let digest = digests.find(|known| known.is_of(name)).and_then(|known| known.digest().map(str::to_owned));
    match digest.and_then(|digest| name.pinned(&digest).ok()) {
        Some(name) => as_written(&name),
        None => Image { name: name.clone(), pinned: found.id.clone() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:af1b97f800da5611fbb288f7022c81fe781f672179c9dc5a0dbcb054d0e0e87c";

    #[test]
    fn an_image_is_pinned_by_its_digest_or_its_number() {
        let name = ImageName::new("quay.io/acme/web:1.0.0").unwrap();
        let mut found = ImageSeen {
            id: "sha256:abc".to_owned(),
            digests: vec![format!("quay.io/other/web@{DIGEST}")],
            tags: Vec::new(),
        };
        assert_eq!(pinned(&name, &found), Image { name: name.clone(), pinned: "sha256:abc".to_owned() });
        found.digests.push(format!("quay.io/acme/web@{DIGEST}"));
        assert_eq!(pinned(&name, &found).pinned, format!("quay.io/acme/web:1.0.0@{DIGEST}"));
        let whole = name.pinned(DIGEST).unwrap();
        assert_eq!(pinned(&whole, &found).name, whole);
    }
}
