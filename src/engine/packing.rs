//! Packing a folder, or checking that it could be packed and unpacked again.

mod soundness;

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::failure::Failure;
use crate::host::{files, temporary};
use crate::model::answer::pack::PackAnswer;
use crate::model::contradiction::read_package_description;
use crate::model::package::{self, PackageDescription};
use crate::package::limits::Limits;
use crate::package::pack::{Packed, pack};
use crate::package::unpack::unpack;

/// Packs a folder into an archive.
pub fn pack_folder(folder: &Utf8Path, output: Option<&Utf8Path>) -> Result<PackAnswer, Failure> {
    let description = described(folder)?;
    let output = match (output, &description) {
        (Some(output), _) => output.to_owned(),
        (None, Some(description)) => {
            Utf8PathBuf::from(format!("{}-{}.tar.gz", description.component, description.version))
        }
        (None, None) => {
            return Err(Failure::Usage(format!(
                "`{folder}` has no `{}` that names the component and its version: say with `--output` what the archive is called, as in `--output server-1.0.0.tar.gz`",
                package::FILE_NAME
            )));
        }
    };
    let packed = pack(folder, &output)?;
    Ok(answer(packed, Some(output)))
}

/// Packs a folder where it leaves no trace, and unpacks it again.
pub fn check_folder(folder: &Utf8Path) -> Result<PackAnswer, Failure> {
    let warnings = soundness::check(folder)?;
    let place = temporary::folder("mainstay-pack-")?;
    let archive = place.path().join("package.tar.gz");
    let packed = pack(folder, &archive)?;
    unpack(&archive, &place.path().join("tree"), Some(packed.digest), &Limits::default(), &mut |_| {})?;
    Ok(PackAnswer { warnings, ..answer(packed, None) })
}

/// What the folder says of itself, read with the care that tells where a fault stands.
fn described(folder: &Utf8Path) -> Result<Option<PackageDescription>, Failure> {
    if !folder.is_dir() {
        return Err(Failure::Usage(format!("there is no folder `{folder}`")));
    }
    let path = folder.join(package::FILE_NAME);
    let Some(text) = files::read(&path)? else { return Ok(None) };
    Ok(Some(read_package_description(path.as_str(), &text)?.0))
}

fn answer(packed: Packed, archive: Option<Utf8PathBuf>) -> PackAnswer {
    let (component, version) =
        packed.description.map(|description| (description.component, description.version)).unzip();
    PackAnswer {
        schema: "pack.v1".to_owned(),
        archive,
        sha256: packed.digest,
        size: packed.size,
        entries: packed.entries,
        component,
        version,
        warnings: Vec::new(),
    }
}
