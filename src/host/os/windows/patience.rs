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

/// Does something again as long as somebody else is in the way. What is refused for good is refused a little later.
pub(super) fn patiently<T>(mut act: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    let (mut pause, mut waited) = (FIRST, Duration::ZERO);
    loop {
        let limit = match act() {
            Err(Errno::BUSY | Errno::GOING) => ALL,
            Err(Errno::ACCESS) => REFUSED,
            outcome => return outcome,
        };
        if waited >= limit {
            return act();
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
        let mut tries = 0;
        let mut until = |last: u32, answer: Errno| {
            tries = 0;
            patiently(|| {
                tries += 1;
                if tries < last { Err(answer) } else { Ok(tries) }
            })
        };
        assert_eq!(until(4, Errno::BUSY), Ok(4));
        assert_eq!(until(2, Errno::ACCESS), Ok(2));
        assert_eq!(until(2, Errno::NOENT), Err(Errno::NOENT));
        assert_eq!(until(1000, Errno::ACCESS), Err(Errno::ACCESS));
    }
}
