//! The manager's calls, each with the rights that it takes and no more.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Code, Word};
use crate::host::files::{self, Kind};
use crate::host::os;
use crate::host::os::dispatcher;
use crate::host::os::fs::OFlags;
use crate::host::os::service::{Service, ServiceManager, access};
use crate::host::os::{service_account, service_process, service_rights};
use crate::platform::windows::Registration;
use crate::platform::windows::answer::{EXISTS, MARKED_FOR_DELETE, NO_SUCH_SERVICE, Standing};

/// The number of a request to stop (`SERVICE_CONTROL_STOP`).
const STOP: u32 = 1;

pub use service_rights::Rights;

fn service(name: &str, rights: u32) -> Result<Service, Code> {
    ServiceManager::open(access::SC_MANAGER_CONNECT)?.service(name, rights)
}

fn unless_absent<T>(found: Result<T, Code>) -> Result<Option<T>, Code> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(NO_SUCH_SERVICE) => Ok(None),
        Err(code) => Err(code),
    }
}

pub(super) fn standing(name: &str) -> Result<Option<Standing>, Code> {
    unless_absent(service(name, access::SERVICE_QUERY_STATUS).and_then(|service| service.standing()))
}

pub(super) fn registration(name: &str) -> Result<Option<Registration>, Code> {
    unless_absent(service(name, access::SERVICE_QUERY_CONFIG).and_then(|service| service.registration(name)))
}

pub(super) fn descriptions() -> Result<Vec<(String, String)>, Code> {
    let manager = ServiceManager::open(access::SC_MANAGER_CONNECT | access::SC_MANAGER_ENUMERATE_SERVICE)?;
    let described = |name: String| {
        // What may not be asked is somebody else's.
        let service = manager.service(&name, access::SERVICE_QUERY_CONFIG).ok()?;
        service.description().map(|description| (name, description))
    };
    Ok(manager.names()?.into_iter().filter_map(described).collect())
}

pub(super) fn register(wanted: &Registration, password: Option<&str>) -> Result<(), Code> {
    // The manager restarts a service on behalf of who has said so, who therefore has to be allowed to.
    let rights = access::SERVICE_CHANGE_CONFIG | access::SERVICE_QUERY_CONFIG | access::SERVICE_START;
    let manager = ServiceManager::open(access::SC_MANAGER_CONNECT | access::SC_MANAGER_CREATE_SERVICE)?;
    let change = |service: &Service| {
        let kept = service.registration(&wanted.name)?;
        service.change(wanted, &kept, password)
    };
    let service = match manager.service(&wanted.name, rights) {
        Ok(service) => {
            change(&service)?;
            service
        }
        Err(NO_SUCH_SERVICE) => match manager.create(wanted, password, rights) {
            // Somebody was quicker.
            Err(EXISTS) => {
                let service = manager.service(&wanted.name, rights)?;
                change(&service)?;
                service
            }
            created => created?,
        },
        Err(code) => return Err(code),
    };
    service.describe(wanted)
}

pub(super) fn start(name: &str) -> Result<(), Code> {
    service(name, access::SERVICE_START)?.start()
}

pub(super) fn ask_stop(name: &str) -> Result<(), Code> {
    service(name, access::SERVICE_STOP)?.control(STOP)
}

pub(super) fn delete(name: &str) -> Result<(), Code> {
    match service(name, access::DELETE)?.delete() {
        // Asked before; what holds it has still to let go.
        Err(MARKED_FOR_DELETE) | Ok(()) => Ok(()),
        Err(code) => Err(code),
    }
}

pub(super) fn allow_logon(account: &str) -> Result<(), Code> {
    service_account::allow_logon(&service_account::number_of(account)?)
}

pub(super) fn open_to(
    account: Option<&str>,
    before: Option<&str>,
    places: &[(Utf8PathBuf, Rights)],
) -> Result<(), Code> {
    let account = account.map(service_account::number_of).transpose()?.map(|number| number.sid());
    // One that was deleted meanwhile has still its entries: who may replace files tells its number.
    let before = before.and_then(|before| service_account::number_of(before).ok()).map(|number| number.sid());
    let mut former: Vec<_> = before.into_iter().collect();
    for (path, _) in places.iter().filter(|(_, rights)| *rights == Rights::ReplaceFiles) {
        former.extend(service_rights::replacers(path.as_str()).map_err(code)?);
    }
    let allow = |path: &Utf8Path, rights: Rights| {
        service_rights::allow(path.as_str(), account.as_ref(), rights, &former).map_err(code)
    };
    for (path, rights) in places {
        match rights {
            Rights::WriteFile if account.is_some() => make_lock(path)?,
            Rights::Write => {
                // Files that are closed to all but their maker inherit nothing. What can't be opened is somebody's who
                // wants it so, and is his own loss.
                for name in files_of(path) {
                    if account.is_some() || !former.is_empty() {
                        let _ = allow(&path.join(name), *rights);
                    }
                }
            }
            _ => {}
        }
        let done = allow(path, *rights);
        if account.is_some() { done? } else { present(done)? }
    }
    Ok(())
}

/// What is gone meanwhile, or was never there, is open to nobody.
fn present(done: Result<(), Code>) -> Result<(), Code> {
    done.or_else(|number| if number == code(os::Errno::NOENT) { Ok(()) } else { Err(number) })
}

/// The names of what lies directly in a folder and is no folder itself; a link is neither followed nor opened to anybody.
fn files_of(folder: &Utf8Path) -> Vec<String> {
    let names = files::list(folder).ok().flatten().unwrap_or_default();
    let is_file = |name: &String| {
        let facts = files::facts(&folder.join(name)).ok().flatten();
        facts.is_some_and(|facts| facts.kind == Kind::File)
    };
    names.into_iter().filter(is_file).collect()
}

/// Makes a file that nobody may open but its owner, and who is let in.
fn make_lock(path: &Utf8Path) -> Result<(), Code> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = os::fs::open(path.as_str(), flags, os::fs::mode(0o600));
    made.map(drop).map_err(code)
}

fn code(errno: os::Errno) -> Code {
    errno.raw_os_error().cast_unsigned()
}

pub(super) fn set_variable(name: &str, value: &str) {
    service_process::set_variable(name, value);
}

pub(super) fn leave_console() {
    service_process::leave_console();
}

pub(super) fn own_account() -> Option<String> {
    service_account::own().ok()
}

pub(super) fn dispatch(
    name: &str,
    main: Box<dyn FnOnce() + Send>,
    mut stop: Box<dyn FnMut() + Send>,
) -> Result<(), Code> {
    dispatcher::dispatch(name, main, Box::new(move |dispatcher::Request::Stop| stop()))
}

/// Tells the manager how this process stands as a service; the next word comes within the given time.
pub fn tell(word: Word, within: Duration) {
    let word = match word {
        Word::Starting => dispatcher::Word::Starting,
        Word::Running => dispatcher::Word::Running,
        Word::Stopping => dispatcher::Word::Stopping,
        Word::Stopped => dispatcher::Word::Stopped,
        Word::Broken => dispatcher::Word::Broken,
    };
    dispatcher::tell(word, u32::try_from(within.as_millis()).unwrap_or(u32::MAX));
}
