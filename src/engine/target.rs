//! Which instance a command is about: by folder, by name, or by the manifest in the working folder.

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::engine::failure::Failure;
use crate::engine::registry::{self, Instances};
use crate::engine::trust::{self, Deploy};
use crate::host::{files, untrusted};
use crate::model::contradiction::read_manifest;
use crate::model::document::Document;
use crate::model::layout::Layout;
use crate::model::manifest::{FILE_NAME, Manifest, SHARED_SUFFIX};
use crate::model::marker::Marker;
use crate::model::name::{ComponentName, InstanceName};
use crate::plan::wanted::Beside;

/// The largest manifest that is read, in bytes.
pub(crate) const LARGEST: u64 = 1 << 20;

/// Why no instance was found.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TargetError {
    /// Nothing says which.
    #[error("no instance was named, and there is no manifest in `{folder}`")]
    Nothing {
        /// The working folder.
        folder: Utf8PathBuf,
        /// The instances that there are.
        candidates: Vec<Marker>,
    },
    /// There is none of that name.
    #[error("there is no instance `{name}`")]
    Unknown {
        /// The name.
        name: InstanceName,
        /// The instances that there are.
        candidates: Vec<Marker>,
    },
    /// There is none of that component.
    #[error("there is no instance of the component `{component}` in this scope")]
    NoneOf {
        /// The component.
        component: ComponentName,
        /// The instances that there are.
        candidates: Vec<Marker>,
    },
    /// There is one of that name in the other scope, which this caller can't change.
    #[error("the instance `{name}` belongs to the {scope} scope")]
    OtherScope {
        /// The name.
        name: InstanceName,
        /// Its scope.
        scope: crate::model::manifest::Scope,
    },
    /// The folder has no manifest.
    #[error("there is no manifest in `{0}`")]
    NoManifest(Utf8PathBuf),
    /// The folder has several.
    #[error("there are several manifests in `{folder}`")]
    Several {
        /// The folder.
        folder: Utf8PathBuf,
        /// Their names.
        names: Vec<String>,
    },
    /// The manifest is there and its instance is not installed.
    #[error("the instance `{name}` of `{folder}` is not installed")]
    NotInstalled {
        /// The name.
        name: InstanceName,
        /// The deploy folder.
        folder: Utf8PathBuf,
    },
}

/// What was typed to name an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// `--instance-dir`
    pub folder: Option<Utf8PathBuf>,
    /// `--name`
    pub name: Option<InstanceName>,
    /// `--component`
    pub component: Option<ComponentName>,
}

/// An instance that a command is about.
#[derive(Debug)]
pub struct Target {
    /// Its name.
    pub name: InstanceName,
    /// Its layout: that of the scope it was found in.
    pub layout: Layout,
    /// Its marker, if it is installed.
    pub marker: Option<Marker>,
    /// Its manifest, if its folder still has one.
    pub manifest: Option<Declared>,
}

/// A manifest that was read.
#[derive(Clone, Debug)]
pub struct Declared {
    /// Its path.
    pub path: Utf8PathBuf,
    /// Whose folder it stands in.
    pub deploy: Deploy,
    /// What it says.
    pub manifest: Manifest,
    /// The same with positions.
    pub document: Document,
    /// Whether it is there already, or only made of what was typed.
    pub on_disk: bool,
    /// What it takes the place of, where it was brought as a file of its own.
    pub given: Option<Given>,
    /// The files that come with it.
    pub beside: Vec<Beside>,
    /// What a manifest that is made of what was typed leaves to its archive.
    pub open: Option<Open>,
}

/// The place that a manifest has not taken yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// What stands there.
    pub before: Option<String>,
    /// Whether the deploy folder itself has to be made.
    pub folder_is_new: bool,
}

/// What only an archive can say of a manifest that was made of what was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// Whether the component's name is the archive's, since none was typed.
    pub component: bool,
    /// What the program is started with.
    pub arguments: Vec<String>,
}

impl Target {
    /// The marker, where the instance has to be installed.
    pub fn installed(&self) -> Result<&Marker, TargetError> {
        let folder = || {
            self.manifest.as_ref().map_or_else(Utf8PathBuf::new, |declared| declared.deploy.folder.clone())
        };
        self.marker
            .as_ref()
            .ok_or_else(|| TargetError::NotInstalled { name: self.name.clone(), folder: folder() })
    }
}

/// Finds the instance. Commands that only look give the layouts of both scopes, the user's first; commands
/// that change give the caller's alone.
pub fn find(
    choice: &Choice,
    working_folder: &Utf8Path,
    layouts: &[Layout],
) -> Result<(Target, Vec<String>), Failure> {
    if let Some(folder) = &choice.folder {
        return in_folder(&working_folder.join(folder), choice, layouts);
    }
    if let Some(name) = &choice.name {
        return by_name(name, choice, layouts);
    }
    match in_folder(working_folder, choice, layouts) {
        Err(Failure::Target(TargetError::NoManifest(_))) => {
            let (candidates, _) = all(layouts);
            Err(TargetError::Nothing { folder: working_folder.to_owned(), candidates }.into())
        }
        found => found,
    }
}

/// The manifest of a folder, chosen by component or name if there are several.
pub fn manifest_in(folder: &Utf8Path, choice: &Choice) -> Result<Declared, Failure> {
    if files::facts(folder)?.is_none() {
        return Err(TargetError::NoManifest(folder.to_owned()).into());
    }
    let deploy = trust::inspect(folder)?;
    let names = files::list(&deploy.folder)?.unwrap_or_default();
    let mut manifests: Vec<String> =
        names.into_iter().filter(|name| name == FILE_NAME || name.ends_with(SHARED_SUFFIX)).collect();
    if let Some(component) = &choice.component {
        let wanted = format!("{component}{SHARED_SUFFIX}");
        if manifests.contains(&wanted) {
            manifests = vec![wanted];
        } else {
            let mut matching = Vec::new();
            for name in manifests {
                if read(&deploy, &name)?.manifest.package.name == *component {
                    matching.push(name);
                }
            }
            manifests = matching;
        }
    }
    match manifests.as_slice() {
        [] => Err(TargetError::NoManifest(deploy.folder).into()),
        [name] => read(&deploy, name),
        several => {
            if let Some(wanted) = &choice.name {
                for name in several {
                    let declared = read(&deploy, name)?;
                    if declared.manifest.name == *wanted {
                        return Ok(declared);
                    }
                }
            }
            Err(TargetError::Several { folder: deploy.folder, names: several.to_vec() }.into())
        }
    }
}

fn read(deploy: &Deploy, name: &str) -> Result<Declared, Failure> {
    let path = deploy.folder.join(name);
    let text = trust::read(deploy, &path, LARGEST)?
        .ok_or_else(|| Failure::Target(TargetError::NoManifest(deploy.folder.clone())))?;
    let (manifest, document) = read_manifest(path.as_str(), &text)?;
    Ok(Declared {
        path,
        deploy: deploy.clone(),
        manifest,
        document,
        on_disk: true,
        given: None,
        open: None,
        beside: Vec::new(),
    })
}

fn in_folder(
    folder: &Utf8Path,
    choice: &Choice,
    layouts: &[Layout],
) -> Result<(Target, Vec<String>), Failure> {
    let declared = match manifest_in(folder, choice) {
        Ok(declared) => declared,
        Err(fault @ (Failure::Faulty(_) | Failure::Distrusted(_))) => {
            return installed_from(folder, layouts, fault);
        }
        Err(other) => return Err(other),
    };
    placed(declared, layouts)
}

/// The instance of a manifest that is to stand, or stands, in its folder.
pub(crate) fn placed(declared: Declared, layouts: &[Layout]) -> Result<(Target, Vec<String>), Failure> {
    let name = declared.manifest.name.clone();
    let (mut fallback, mut notices) = (None, Vec::new());
    for layout in layouts {
        if declared.manifest.scope.is_some_and(|scope| scope != layout.scope) {
            continue;
        }
        let (marker, more) = match registry::find(layout, &name) {
            Ok((marker, notices)) => (Some(marker), notices),
            Err(instances) => (None, instances.notices),
        };
        notices.extend(more);
        match marker {
            // The same name in another folder is another instance, unless that folder has moved here.
            Some(marker) if marker.folder == declared.deploy.folder || !anchored(&marker) => {
                let layout = layout.clone();
                return Ok((
                    Target { name, layout, marker: Some(marker), manifest: Some(declared) },
                    notices,
                ));
            }
            _ => fallback = fallback.or_else(|| Some(layout.clone())),
        }
    }
    let Some(layout) = fallback else {
        let scope = declared.manifest.scope.unwrap_or(crate::model::manifest::Scope::System);
        return Err(TargetError::OtherScope { name, scope }.into());
    };
    Ok((Target { name, layout, marker: None, manifest: Some(declared) }, notices))
}

/// The one instance that was installed from a folder whose manifest can't be used now.
fn installed_from(
    folder: &Utf8Path,
    layouts: &[Layout],
    fault: Failure,
) -> Result<(Target, Vec<String>), Failure> {
    let Ok(folder) = files::canonical(folder) else { return Err(fault) };
    let mut found = Vec::new();
    for layout in layouts {
        let of_folder =
            registry::instances(layout).markers.into_iter().filter(|marker| marker.folder == folder);
        found.extend(of_folder.map(|marker| (layout.clone(), marker)));
    }
    match (found.pop(), found.is_empty()) {
        (Some((layout, marker)), true) => {
            let notice = format!("its manifest has faults and is left aside: {fault}");
            Ok((
                Target { name: marker.name.clone(), layout, marker: Some(marker), manifest: None },
                vec![notice],
            ))
        }
        _ => Err(fault),
    }
}

/// Whether a marker's folder still holds a manifest of that instance.
#[must_use]
pub fn anchored(marker: &Marker) -> bool {
    let Ok(Some(names)) = files::list(&marker.folder) else { return false };
    names.iter().filter(|name| *name == FILE_NAME || name.ends_with(SHARED_SUFFIX)).any(|name| {
        // A manifest that can't be read may well be the one: then the folder counts as the instance's own.
        let text = untrusted::read(&marker.folder.join(name), LARGEST);
        let Ok(Some(text)) = text else { return true };
        serde_json::from_str::<serde_json::Value>(&text).map_or(true, |manifest| {
            manifest.get("name").and_then(serde_json::Value::as_str) == Some(marker.name.as_str())
        })
    })
}

fn by_name(
    name: &InstanceName,
    choice: &Choice,
    layouts: &[Layout],
) -> Result<(Target, Vec<String>), Failure> {
    let (mut notices, mut candidates) = (Vec::new(), Vec::new());
    for layout in layouts {
        let marker = match registry::find(layout, name) {
            Ok((marker, more)) => {
                notices.extend(more);
                marker
            }
            Err(instances) => {
                candidates.extend(instances.markers);
                continue;
            }
        };
        let in_its_folder =
            Choice { name: Some(name.clone()), component: choice.component.clone(), folder: None };
        let manifest = match manifest_in(&marker.folder, &in_its_folder) {
            Ok(declared) if declared.manifest.name == *name => Some(declared),
            Ok(_) | Err(Failure::Target(_)) => None,
            // Whoever needs the manifest reads it again and fails then; to stop or look, it is not needed.
            Err(fault) => {
                notices.push(format!("its manifest has faults and is left aside: {fault}"));
                None
            }
        };
        return Ok((
            Target { name: name.clone(), layout: layout.clone(), marker: Some(marker), manifest },
            notices,
        ));
    }
    Err(TargetError::Unknown { name: name.clone(), candidates }.into())
}

/// All instances of the given scopes.
#[must_use]
pub fn all(layouts: &[Layout]) -> (Vec<Marker>, Vec<String>) {
    let mut found = (Vec::new(), Vec::new());
    for layout in layouts {
        let Instances { markers, notices } = registry::instances(layout);
        found.0.extend(markers);
        found.1.extend(notices);
    }
    found
}
