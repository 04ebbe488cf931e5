//! Patience with a file that somebody else has open for a moment: a search index, a backup, a virus scanner.

use std::time::Duration;

use super::Errno;

/// The first pause; each is twice as long as the one before.
const FIRST: Duration = Duration::from_millis(10);
/// The longest pause.
const LONGEST: Duration = Duration::from_millis(500);
/// How long all of them are together, about.
const ALL: Duration = Duration::from_secs(4);
/// How long a refusal is asked again that may be meant: scanners answer so as well.
const REFUSED: Duration = Duration::from_millis(300);
/// How long a name is asked for again that is refused although the thing itself was opened for it. A folder can't be
/// renamed while anybody has open what is in it, and whoever looks through fresh programs has each open for seconds.
const SEARCHED: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// Opening something: who may not, may not in a moment either.
    Open,
    /// Giving a name to something that is open for it, or taking its name away: a refusal is somebody in the way.
    Name,
}

impl Act {
    /// How long an answer is not believed.
    fn patience(self, answer: Errno) -> Option<Duration> {
        match (self, answer) {
            (_, Errno::BUSY | Errno::GOING) => Some(ALL),
            (Self::Open, Errno::ACCESS) => Some(REFUSED),
            (Self::Name, Errno::ACCESS) => Some(SEARCHED),
            _ => None,
        }
    }
}

/// Opens something again as long as somebody else is in the way. What is refused for good is refused a little later.
pub(super) fn patiently<T>(act: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    again(Act::Open, act)
}

/// Gives or takes a name of what is open for that, again as long as somebody else is in the way.
pub(super) fn named_patiently<T>(act: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    again(Act::Name, act)
}

fn again<T>(kind: Act, mut act: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    let (mut pause, mut waited) = (FIRST, Duration::ZERO);
    loop {
        let outcome = act();
        let limit = outcome.as_ref().err().and_then(|errno| kind.patience(*errno));
        if limit.is_none_or(|limit| waited >= limit) {
            return outcome;
        }
        std::thread::sleep(pause);
        waited += pause;
        pause = (pause * 2).min(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_in_the_way_for_a_moment_is_waited_for() {
        let until = |kind: Act, last: u32, answer: Errno| {
            let mut tries = 0;
            again(kind, || {
                tries += 1;
                if tries < last { Err(answer) } else { Ok(tries) }
            })
        };
        for kind in [Act::Open, Act::Name] {
            assert_eq!(until(kind, 4, Errno::BUSY), Ok(4));
            assert_eq!(until(kind, 2, Errno::ACCESS), Ok(2));
            assert_eq!(until(kind, 2, Errno::NOENT), Err(Errno::NOENT));
        }
        // A right that is missing is said soon.
        assert_eq!(until(Act::Open, 1000, Errno::ACCESS), Err(Errno::ACCESS));
    }

    #[test]
    fn a_name_is_asked_for_as_long_as_a_scanner_reads() {
        // Tries after which more than two seconds have passed, as a scanner of a fresh program takes.
        let mut tries = 0;
        let named = named_patiently(|| {
            tries += 1;
            if tries < 10 { Err(Errno::ACCESS) } else { Ok(()) }
        });
        assert_eq!((named, tries), (Ok(()), 10));
        assert!(Act::Name.patience(Errno::ACCESS) > Act::Open.patience(Errno::BUSY));
        assert_eq!(Act::Name.patience(Errno::EXIST), None);
    }
}
