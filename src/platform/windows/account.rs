//! The accounts that can run a Windows service.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::name::InstanceName;

/// What a manifest calls the account that is the service's own.
const VIRTUAL: &str = "VirtualAccount";

/// An account that runs a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Account {
    /// The host itself, with all rights.
    LocalSystem,
    /// The few rights of a service; nobody on the network.
    LocalService,
    /// The few rights of a service; the host on the network.
    NetworkService,
    /// One of the service's own, without a password: `NT SERVICE\NAME`.
    Virtual(String),
    /// A person's, or one that was made for it: `.\NAME`, `DOMAIN\NAME`, `NAME@DOMAIN`.
    User(String),
}

impl Account {
    /// The account of a name, as a person or the service manager writes it.
    pub fn of(user: &str, instance: &InstanceName) -> Result<Self, String> {
        let (domain, name) = user.split_once('\\').unwrap_or(("", user));
        let is = |text: &str, wanted: &str| text.eq_ignore_ascii_case(wanted);
        let of_system = domain.is_empty() || is(domain, ".") || is(domain, "NT AUTHORITY");
        // A manifest names accounts in an alphabet without a backslash.
        if domain.is_empty() && is(name, VIRTUAL) {
            return Ok(Self::Virtual(instance.to_string()));
        }
        if is(domain, "NT SERVICE") {
            if !is(name, instance.as_str()) {
                return Err(format!(
                    "a virtual account is of the service whose name it has: write `NT SERVICE\\{instance}`"
                ));
            }
            return Ok(Self::Virtual(instance.to_string()));
        }
        let known = [
            (Self::LocalSystem, &["LocalSystem", "SYSTEM"][..]),
            (Self::LocalService, &["LocalService", "LOCAL SERVICE"][..]),
            (Self::NetworkService, &["NetworkService", "NETWORK SERVICE"][..]),
        ];
        for (account, names) in known {
            if of_system && names.iter().any(|known| is(name, known)) {
                return Ok(account);
            }
        }
        if name.is_empty() || is(domain, "NT AUTHORITY") {
            return Err(format!("`{user}` is no account that runs services"));
        }
        // Without a word on where, it is one of this host.
        let qualified = domain.is_empty() && !user.contains('@');
        Ok(Self::User(if qualified { format!(".\\{name}") } else { user.to_owned() }))
    }

    /// Whether it has a password, which the service manager has to know.
    #[must_use]
    pub fn has_password(&self) -> bool {
        // A group-managed account's name ends so; the domain keeps its password.
        matches!(self, Self::User(name) if !name.ends_with('$'))
    }

    /// Whether it is one that needs rights to be given to it: all but the host itself.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        *self != Self::LocalSystem
    }
}

impl fmt::Display for Account {
    /// As the service manager wants it written.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LocalSystem => formatter.write_str("LocalSystem"),
            Self::LocalService => formatter.write_str(r"NT AUTHORITY\LocalService"),
            Self::NetworkService => formatter.write_str(r"NT AUTHORITY\NetworkService"),
            Self::Virtual(name) => write!(formatter, r"NT SERVICE\{name}"),
            Self::User(name) => formatter.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_people_write() {
        let web = InstanceName::new("web").unwrap();
        let of = |user: &str| Account::of(user, &web);
        for name in ["LocalSystem", r"NT AUTHORITY\SYSTEM", r".\localsystem"] {
            assert_eq!(of(name), Ok(Account::LocalSystem), "{name}");
        }
        assert_eq!(of("LocalService"), Ok(Account::LocalService));
        assert_eq!(of(r"NT AUTHORITY\NETWORK SERVICE"), Ok(Account::NetworkService));
        assert_eq!(of("VirtualAccount"), Ok(Account::Virtual("web".to_owned())));
        assert_eq!(of(r"nt service\WEB"), Ok(Account::Virtual("web".to_owned())));
        assert!(of(r"NT SERVICE\other").is_err() && of(r"NT AUTHORITY\nobody").is_err());
        assert_eq!(of("alice").unwrap().to_string(), r".\alice");
        assert_eq!(of(r"OFFICE\alice").unwrap().to_string(), r"OFFICE\alice");
        assert_eq!(of("alice@office.example").unwrap().to_string(), "alice@office.example");
        assert!(of("alice").unwrap().has_password() && !of(r"OFFICE\web$").unwrap().has_password());
        // What the manager says is understood again.
        for account in [Account::LocalService, Account::NetworkService, Account::Virtual("web".to_owned())] {
            assert_eq!(of(&account.to_string()), Ok(account));
        }
    }
}
