//! What helps where a launch starts what it should not.

use crate::engine::origin::OriginError;

pub(super) fn help(error: &OriginError) -> Vec<String> {
    match error {
        OriginError::NotFound(_) => vec![
            "install the program, or mend `service.command`: an absolute path, or a name on the service's PATH".to_owned(),
        ],
        OriginError::Unversioned { .. } => vec![
            "`--restart-only` starts it again without asking for its version; `package.version` of the manifest can be left out".to_owned(),
        ],
        OriginError::Other { bring, found, .. } => {
            let bring = bring.as_ref().map(|command| format!("bring it where the service looks: `{command}`"));
            let take = format!("to take what is there: `mainstay upgrade --version {found}`");
            bring.into_iter().chain([take]).collect()
        }
    }
}
