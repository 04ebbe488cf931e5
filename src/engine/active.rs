//! What is active of an instance: the version tree that its current link names, and the launch that belongs to it.

use camino::Utf8PathBuf;

use crate::engine::Context;
use crate::engine::failure::Failure;
use crate::engine::observe::observe;
use crate::host::files;
use crate::model::launch::LaunchSpec;
use crate::model::layout::Layout;
use crate::model::marker::Marker;
use crate::model::version::Version;
use crate::plan::observed::Observed;
use crate::plan::undefined;
use crate::plan::uninstall::put_away_folders;

fn tree(layout: &Layout, of: &Marker) -> Option<String> {
    files::read_pointer(&layout.current(&of.name, &of.component)).ok()?
}

/// The version that the current link names: one system call, and the truth.
pub(crate) fn version(layout: &Layout, of: &Marker) -> Option<Version> {
    let tree = tree(layout, of)?;
    let version = tree.strip_prefix(of.component.as_str())?.strip_prefix('-')?;
    version.parse().ok()
}

/// The launch spec that the current link names; nothing where this account can't read it.
pub(crate) fn launch(layout: &Layout, of: &Marker) -> Option<LaunchSpec> {
    let text = files::read(&layout.launch(&of.name, &tree(layout, of)?)).ok()??;
    serde_json::from_str(&text).ok()
}

/// The active launch, and what is observed beside it. Of an instance of which only the definition is left, a launch that is
/// enough to stop and deregister it.
pub(crate) fn observed(context: &Context<'_>, of: &Marker) -> Result<(LaunchSpec, Observed), Failure> {
    let observed = observe(context, of, &[])?;
    let linked = observed.link.as_ref().and_then(|link| observed.specs.get(link));
    let spec = linked.or_else(|| observed.specs.values().next());
    let spec = spec.cloned().unwrap_or_else(|| LaunchSpec::bare(of));
    let mut folders: Vec<Utf8PathBuf> = put_away_folders(&spec, &context.layout, true);
    folders.extend(put_away_folders(&spec, &context.layout, false));
    folders.extend(undefined::boot_link(&spec, &context.layout));
    let observed = observe(context, of, &folders)?;
    Ok((spec, observed))
}
