//! The manager's calls, each with the rights that it takes and no more.

use std::time::Duration;

use super::{Code, Word};
use crate::host::os::dispatcher;
use crate::host::os::service::{Service, ServiceManager, access};
use crate::host::os::{service_account, service_process};
use crate::platform::windows::Registration;
use crate::platform::windows::answer::{EXISTS, MARKED_FOR_DELETE, NO_SUCH_SERVICE, Standing};

/// The number of a request to stop (`SERVICE_CONTROL_STOP`).
const STOP: u32 = 1;

pub use service_account::Rights;

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

pub(super) fn allow(path: &str, account: &str, rights: Rights) -> Result<(), Code> {
    service_account::allow(path, &service_account::number_of(account)?, rights)
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
