//! A refusal on its way out of a template: a filter raises it, and whoever fills the template finds it again.

use minijinja::{Error, ErrorKind};

use crate::platform::Inexpressible;

/// What a filter raises for a value that has no words at its place.
pub(super) fn refused(inexpressible: Inexpressible) -> Error {
    Error::new(ErrorKind::InvalidOperation, "refused").with_source(inexpressible)
}

/// The refusal in the depth of a template's error; one of the template itself (`the unit's template`) where there is none.
pub(super) fn reason(error: &Error, template: &str) -> Inexpressible {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(next) = source {
        if let Some(inexpressible) = next.downcast_ref::<Inexpressible>() {
            return inexpressible.clone();
        }
        source = next.source();
    }
    Inexpressible::new(template, error.to_string())
}
