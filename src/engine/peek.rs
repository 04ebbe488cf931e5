//! What a package says of itself, before anything is made of it.

use camino::Utf8Path;

use crate::engine::failure::Failure;
use crate::engine::trust;
use crate::host::{files, temporary};
use crate::model::contradiction::read_package_description;
use crate::model::package::{self, PackageDescription};
use crate::package::limits::Limits;
use crate::package::unpack::{Flushing, unpack_file};

/// The description of a package, where there has to be one.
pub fn description(path: &Utf8Path) -> Result<PackageDescription, Failure> {
    find(path)?.ok_or_else(|| none(path))
}

/// The description of a package: an archive, an unpacked folder, or the description itself. An archive is unpacked where
/// it leaves no trace.
pub fn find(path: &Utf8Path) -> Result<Option<PackageDescription>, Failure> {
    if path.extension() == Some("json") {
        let Some(text) = files::read(path)? else { return Ok(None) };
        return Ok(Some(read_package_description(path.as_str(), &text)?.0));
    }
    if path.is_dir() {
        return description_in(path);
    }
    let place = temporary::folder("mainstay-look-")?;
    let tree = place.path().join("tree");
    let (file, path) = trust::open_archive(path)?;
    unpack_file(file, &path, &tree, None, &Limits::default(), &mut |_| {}, Flushing::Late)?;
    description_in(&tree)
}

/// The description in a version tree, if its package brought one.
pub(crate) fn description_in(tree: &Utf8Path) -> Result<Option<PackageDescription>, Failure> {
    let path = tree.join(package::FILE_NAME);
    let Some(text) = files::read(&path)? else { return Ok(None) };
    let (description, _) = read_package_description(path.as_str(), &text)?;
    Ok(Some(description))
}

fn none(path: &Utf8Path) -> Failure {
    Failure::Usage(format!(
        "`{path}` has no `{}`, so there is nothing to begin with: `mainstay init` without `--from` asks",
        crate::model::package::FILE_NAME
    ))
}
