//! What a doctor mends by itself: only what is safe, undone by nobody and missed by nobody.

use std::fmt;

use camino::Utf8PathBuf;

use crate::engine::failure::Failure;
use crate::engine::operation::exclusively;
use crate::engine::{Context, switch};
use crate::host::{account, files, identity, untrusted};
use crate::model::manifest::PlatformKind;
use crate::model::marker::Marker;
use crate::platform::calls;

/// One thing that is mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// Lets systemd read its units again.
    Reload,
    /// Enables or disables the unit, as the manifest says.
    Boot(bool),
    /// Lets an account's services run without a login.
    Linger(String),
    /// Finishes or undoes what an interrupted operation left.
    Recover,
    /// Takes the right to change a file or folder from everybody but its owner.
    Close(Utf8PathBuf),
    /// Removes a pid file that names a process that has ended.
    RemovePidFile {
        /// The file.
        path: Utf8PathBuf,
        /// The number in it.
        pid: u32,
        /// The account with whose rights it is removed.
        account: Option<String>,
    },
}

impl fmt::Display for Fix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reload => formatter.write_str("let systemd read its units again"),
            Self::Boot(true) => formatter.write_str("enable its unit"),
            Self::Boot(false) => formatter.write_str("disable its unit"),
            Self::Linger(user) => write!(formatter, "let the services of {user} run without a login"),
            Self::Recover => formatter.write_str("finish or undo what was interrupted"),
            Self::Close(path) => write!(formatter, "let nobody but its owner change `{path}`"),
            Self::RemovePidFile { path, pid, .. } => {
                write!(formatter, "remove `{path}`, if it still names process {pid} and that has ended")
            }
        }
    }
}

/// The largest pid file, in bytes.
const LARGEST: u64 = 64;

/// Mends, under the instance's lock and after recovery.
pub fn carry_out(context: &Context<'_>, of: &Marker, fix: &Fix) -> Result<(), Failure> {
    exclusively(context, of, || {
        let calls = match fix {
            Fix::Reload => calls::after_definition_written(of),
            Fix::Boot(at_boot) => {
                let socket = context.layout.socket_definition(&of.name);
                let held = of.platform == PlatformKind::Systemd && files::facts(&socket)?.is_some();
                let sockets = held.then(|| calls::sockets_at_boot(of, *at_boot));
                calls::boot(of, *at_boot).into_iter().chain(sockets).collect()
            }
            Fix::Linger(user) => calls::linger(user),
            // The operation was brought to its end before this is reached. What is left is what each start of the
            // service does: a current link that leads nowhere is pointed at a whole version.
            Fix::Recover => {
                if switch::read(&context.layout, &of.name)?.is_none() {
                    switch::at_start(&context.layout, &of.name, &context.means())?;
                }
                Vec::new()
            }
            Fix::Close(path) => return Ok(files::close_to_others(path)?),
            Fix::RemovePidFile { path, pid, account } => {
                return remove_pid_file(path, *pid, account.as_deref());
            }
        };
        for call in calls {
            context.manager.call(&call)?;
        }
        Ok(())
    })
}

/// With the rights of the program's account: what it could not remove, nobody removes in its name.
fn remove_pid_file(path: &Utf8PathBuf, pid: u32, account: Option<&str>) -> Result<(), Failure> {
    let account = account.map(account::by_name).transpose()?;
    account::acting_as(account.as_ref(), || {
        let text = untrusted::read(path, LARGEST)?.unwrap_or_default();
        let written = files::changed(path);
        let ended = identity::process(pid).is_none_or(|found| {
            found.ended || written.is_some_and(|written| identity::is_younger(found.identity, written))
        });
        if ended && text.trim().parse() == Ok(pid) {
            files::remove(path)?;
        }
        Ok(())
    })?
}
