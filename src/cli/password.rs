//! The password of an account: typed without being shown, or a line of standard input, and never an argument, which every
//! account of a host can read.

use crate::cli::report::Report;
use crate::engine::failure::Failure;
use crate::host::keyboard::{Keyboard, Typed};
use crate::host::{environment, service};
use crate::model::operating_system::OperatingSystem;

/// Asks for the password of the account that runs a service, which is kept by the service manager alone.
pub(super) fn ask(report: &Report, wanted: bool) -> Result<(), Failure> {
    if !wanted {
        return Ok(());
    }
    if environment::operating_system() != OperatingSystem::Windows {
        let reason =
            "`--user-password` is for the account of a Windows service: elsewhere no service has a password";
        return Err(Failure::Usage(reason.to_owned()));
    }
    if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        report.say("Password of the account that runs the service:");
    }
    let wrong = |error: std::io::Error| Failure::Usage(format!("the password can't be read: {error}"));
    match Keyboard::open(&[]).map_err(wrong)?.line(true).map_err(wrong)? {
        Typed::Line(password) if !password.is_empty() => service::remember_password(password),
        _ => return Err(Failure::Usage("no password was given".to_owned())),
    }
    Ok(())
}
