//! A property list of launchd, to be adopted: one that launchd goes by is exchanged, of another only a manifest is made.

use camino::Utf8Path;

use super::{AdoptError, AdoptRequest, Found, as_it_is, marker, named};
use crate::engine::failure::Failure;
use crate::engine::{Context, manager};
use crate::host::files;
use crate::model::adoption::{Before, FORMAT};
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::plan::apply::adopt::Adopting;
use crate::platform::launchd::course::Strange;
use crate::platform::launchd::reader;

pub(super) fn read(context: &Context<'_>, request: &AdoptRequest, path: &Utf8Path) -> Result<Found, Failure> {
    let unreadable = |reason: String| AdoptError::Unreadable { path: path.to_owned(), reason };
    let bytes = fs_err::read(path).map_err(|error| unreadable(error.to_string()))?;
    let read = reader::read(path, &bytes).map_err(|error| unreadable(error.to_string()))?;
    let service = read.label.clone().unwrap_or_else(|| path.to_string());
    // A label is a reversed domain name, of which the last part is the service's own.
    let stem = read.label.as_deref().or(path.file_stem()).unwrap_or_default();
    let name = named(stem.rsplit('.').next().unwrap_or(stem));
    let canonical = |path: &Utf8Path| files::canonical(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().map(canonical);
    let counts = manager::is_there(PlatformKind::Launchd)
        && folder.is_some_and(|folder| folder == canonical(context.layout.property_lists()));
    let mut adopting = None;
    if let Some(label) = read.label.filter(|_| counts) {
        let text = String::from_utf8(bytes).map_err(|_| {
            unreadable(
                "it is in binary form, which can't be brought back: `plutil -convert xml1` it".to_owned(),
            )
        })?;
        if request.no_start {
            return Err(Failure::Usage(
                "what launchd has under another label can't go on beside it: leave `--no-start` out"
                    .to_owned(),
            ));
        }
        let own = request.name.clone().map_or_else(|| name.clone(), Ok)?;
        let of = Marker { platform: PlatformKind::Launchd, ..marker(context, &own)? };
        let strange = Strange { label, file: path.to_owned() };
        let (ran, enabled) = manager::strange(&of, &strange)?;
        let before = Before {
            format: FORMAT,
            service: strange.label.clone(),
            files: vec![as_it_is(context, path, Some(text))?],
            reread: Vec::new(),
            back: Vec::new(),
            enabled,
            ran,
            aside: None,
        };
        adopting = Some(Adopting {
            before,
            moved: vec![(path.to_owned(), None)],
            way_out: None,
            strange: Some(strange),
        });
    }
    Ok(Found { name, service, draft: read.draft, definition: None, adopting, container: None })
}
