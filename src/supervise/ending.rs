//! How a supervisor ends, and the exit code that says so to its guard.

use crate::model::status::Exit;
use crate::model::trial::{END_OF_TRIAL, PROGRAM_190, PROGRAM_192, SETUP_FAILED};

/// The exit code after a second request to stop.
pub const FORCED: u8 = 130;

/// How a supervisor ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was asked to stop, and the program is gone.
    Stopped,
    /// The program ended by itself with success, and is not to be started again.
    Completed,
    /// The program failed, and is not to be started again.
    Failed(Exit),
    /// The version on trial failed, before it was ready or while it was watched; it is to be taken back.
    TrialFailed,
    /// It was asked twice to stop, and killed the program without waiting.
    Forced,
}

impl Ending {
    /// The exit code of the supervisor. Only a failed trial is 190, and none of these is 192, so a guard may act
    /// on the number alone.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        let program = |code: u8| match code {
            0 => 1,
            END_OF_TRIAL => PROGRAM_190,
            SETUP_FAILED => PROGRAM_192,
            code => code,
        };
        match self {
            Self::Stopped | Self::Completed => 0,
            Self::Failed(Exit::Code(code)) => program(u8::try_from(code).unwrap_or(1)),
            // As shells say it.
            Self::Failed(Exit::Signal(signal)) => {
                program(u8::try_from(signal).ok().and_then(|signal| signal.checked_add(128)).unwrap_or(1))
            }
            Self::Failed(Exit::NotReady | Exit::NotStarted | Exit::Unhealthy | Exit::OverMemory) => 1,
            Self::TrialFailed => END_OF_TRIAL,
            Self::Forced => FORCED,
        }
    }
}

/// The exit code where there was no supervisor: what hindered it may pass, so the guard is to try again. A launch
/// on trial is not waited for, because the one before it can run.
#[must_use]
pub fn without_supervisor(on_trial: bool) -> u8 {
    if on_trial { END_OF_TRIAL } else { SETUP_FAILED }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failed_trial_is_190_none_is_192_and_only_success_is_0() {
        for code in 0..=255 {
            let exit_code = Ending::Failed(Exit::Code(code)).exit_code();
            assert!(![0, END_OF_TRIAL, SETUP_FAILED].contains(&exit_code), "{code}");
        }
        for signal in 1..=64 {
            let exit_code = Ending::Failed(Exit::Signal(signal)).exit_code();
            assert!(![END_OF_TRIAL, SETUP_FAILED].contains(&exit_code) && exit_code > 128, "{signal}");
        }
        assert_eq!(Ending::Failed(Exit::Code(42)).exit_code(), 42);
        assert_eq!(Ending::Failed(Exit::Code(190)).exit_code(), 191);
        assert_eq!(Ending::Failed(Exit::Code(192)).exit_code(), 193);
        assert_eq!((without_supervisor(true), without_supervisor(false)), (190, 192));
        assert_eq!(Ending::Failed(Exit::Signal(9)).exit_code(), 137);
        assert_eq!(Ending::Failed(Exit::NotReady).exit_code(), 1);
        assert_eq!(Ending::TrialFailed.exit_code(), 190);
        assert_eq!(Ending::Forced.exit_code(), 130);
        assert_eq!(Ending::Stopped.exit_code(), 0);
    }
}
