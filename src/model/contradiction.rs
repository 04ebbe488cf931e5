//! What a manifest's fields can't mean together: faults that no single type can refuse.

use crate::model::document::Document;
use crate::model::manifest::Manifest;
use crate::model::package::PackageDescription;
use crate::model::problem::Problems;

/// Reads a manifest: its form, its fields, and what they mean together.
pub fn read_manifest(name: &str, text: &str) -> Result<(Manifest, Document), Problems> {
    let document = Document::parse(name, text)?;
    let manifest: Manifest = document.read()?;
    Ok((manifest, document))
}

/// Reads a package description: its form, its fields, and what they mean together.
pub fn read_package_description(name: &str, text: &str) -> Result<(PackageDescription, Document), Problems> {
    let document = Document::parse(name, text)?;
    let description: PackageDescription = document.read()?;
    Ok((description, document))
}
