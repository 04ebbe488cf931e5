//! Whether the copy of mainstay that an instance is run by is there, and which it is.

use super::{Judged, doubtful, sound, wrong};
use crate::engine::doctor::facts::Facts;
use crate::model::answer::doctor::Check;
use crate::model::manifest::PlatformKind;

pub(super) fn runtime(facts: &Facts) -> Judged {
    let runtime = &facts.runtime;
    if facts.status.platform == PlatformKind::Compose {
        return sound(Check::Runtime, "no part of mainstay runs beside a container");
    }
    if !runtime.runs {
        let message =
            format!("`{}`, which its definition starts, is not there or can't be run", runtime.path);
        return wrong(Check::Runtime, message, "`mainstay apply` in its folder lays it there again");
    }
    let version = runtime.version.as_deref().unwrap_or("unknown");
    if version != runtime.own {
        let message = format!("it is run by mainstay {version}, and this is {}", runtime.own);
        let hint = "`mainstay apply` in its folder moves it to this one; never to an older one";
        return doubtful(Check::Runtime, message, hint);
    }
    if runtime.other_build {
        let message = format!("it is run by another build of mainstay {version} than this");
        return doubtful(Check::Runtime, message, "`mainstay apply` in its folder moves it to this one");
    }
    if runtime.replaced {
        let message = "its supervisor still runs an earlier copy of mainstay";
        return doubtful(Check::Runtime, message, "`mainstay restart` starts the present one");
    }
    sound(Check::Runtime, format!("it is run by mainstay {version}"))
}
