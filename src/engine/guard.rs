//! stub to be replaced
use crate::model::layout::Layout;
use crate::model::name::InstanceName;
use crate::model::status::ProcessIdentity;
pub(crate) fn start_detached(_: &Layout, _: &InstanceName) -> std::io::Result<()> {
    Ok(())
}
pub(crate) fn stop_guardian(_: &Layout, _: &InstanceName, _: std::time::Duration) -> std::io::Result<bool> {
    Ok(true)
}
pub(crate) fn restart_guardian(_: &Layout, _: &InstanceName) -> std::io::Result<()> {
    Ok(())
}
pub(crate) fn guardian_of(_: &Layout, _: &InstanceName) -> Option<ProcessIdentity> {
    None
}
