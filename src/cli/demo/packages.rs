//! What the demo writes before the first command: two package folders and a deploy folder.

use camino::Utf8Path;

use crate::engine::failure::Failure;
use crate::host::{environment, files};
use crate::model::{manifest, package};

/// The two versions, each with the folder that it is packed from.
pub(crate) const VERSIONS: [(&str, &str); 2] = [("hello-1", "1.0.0"), ("hello-2", "2.0.0")];
/// The deploy folder.
pub(crate) const DEPLOY: &str = "deploy";

/// Writes the folders: each package holds this very program as `bin/server`.
pub(crate) fn write(folder: &Utf8Path, port: u16) -> Result<(), Failure> {
    let own = environment::own_program()?;
    for (name, version) in VERSIONS {
        let programs = folder.join(name).join("bin");
        files::create_folder(&programs, 0o755, None)?;
        files::copy_program(&own, &programs.join("server"))?;
        files::write(
            &folder.join(name).join(package::FILE_NAME),
            &DESCRIPTION.replace("VERSION", version),
            0o644,
            None,
        )?;
    }
    let deploy = folder.join(DEPLOY);
    files::create_folder(&deploy, 0o755, None)?;
    files::write(
        &deploy.join(manifest::FILE_NAME),
        &MANIFEST.replace("NUMBER", &port.to_string()),
        0o644,
        None,
    )?;
    Ok(())
}

/// What the vendor says of a version.
const DESCRIPTION: &str = r#"{
  "component": "hello",
  "version": "VERSION",
  "service": {
    "command": ["{package}/bin/server", "demo", "--serve", "VERSION"],
    "ready": { "http": "http://127.0.0.1:{env.PORT}/health" }
  }
}
"#;

/// What the person says who runs it.
const MANIFEST: &str = r#"{
  "name": "hello",
  "platform": "embedded",
  "package": { "name": "hello" },
  "service": { "environment": { "PORT": "NUMBER" } },
  "upgrade": { "keep": 1 }
}
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::contradiction::{read_manifest, read_package_description};

    #[test]
    fn what_is_written_can_be_read() {
        read_manifest("mainstay.json", &MANIFEST.replace("NUMBER", "4000")).unwrap();
        let description = DESCRIPTION.replace("VERSION", "1.0.0");
        read_package_description("mainstay-package.json", &description).unwrap();
    }
}
