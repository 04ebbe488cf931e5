//! The image of a service for development, brought before anything is changed and after all that could be refused.

use crate::engine::Context;
use crate::engine::development::hands::PATIENCE;
use crate::engine::event::Event;
use crate::engine::failure::Failure;
use crate::engine::question::ask;
use crate::host::command::{self, Manner};
use crate::model::development::DevelopmentContainer;
use crate::platform::compose::{query, seen};

/// Fetches the image if it is not there, and tells what its engine says meanwhile.
pub(super) fn bring(
    context: &Context<'_>,
    container: &DevelopmentContainer,
    dry_run: bool,
) -> Result<(), Failure> {
    let (engine, image) = (container.engine, container.image.as_str());
    if ask(&query::image(engine, image), PATIENCE, seen::image)?.is_some() {
        return Ok(());
    }
    let argv = query::pull(engine, image);
    if dry_run {
        context.notice(format!("`{image}` would be fetched with `{}`", argv.join(" ")));
        return Ok(());
    }
    context.notice(format!("fetching `{image}` with {engine}"));
    let mut last = String::new();
    let mut each = |line: &str| {
        line.trim().clone_into(&mut last);
        context.tell(Event::Preparing(format!("{engine}: {line}")));
    };
    let failed = |reason: &str| {
        Failure::OtherArchive(format!(
            "the image `{image}` of `{}` can't be fetched: {reason}",
            container.service
        ))
    };
    match command::told(&argv, Manner::default(), &mut each) {
        Ok(output) if output.code == Some(0) => Ok(()),
        Ok(_) => Err(failed(&last)),
        Err(error) => Err(failed(&error.to_string())),
    }
}
