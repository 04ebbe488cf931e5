//! PAX extended headers
//! (<https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html>, section "pax Extended Header").

use crate::package::fault::Fault;

/// What an extended header says of the next entry, as far as it matters to a package.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Extended {
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) link_path: Option<Vec<u8>>,
    pub(crate) size: Option<u64>,
}

/// The longest extended header: names of the greatest length, and room for whatever else writers note.
pub(crate) const LONGEST: u64 = 1 << 20;

impl Extended {
    /// Reads every record, or refuses the whole. Skipping what can't be read is how two readers come to see
    /// two archives in one.
    pub(crate) fn parse(mut bytes: &[u8]) -> Result<Self, Fault> {
        let mut found = Self::default();
        while !bytes.is_empty() {
            let (record, rest) = split_record(bytes)?;
            bytes = rest;
            let at =
                record.iter().position(|byte| *byte == b'=').ok_or(Fault::Extended("a record has no `=`"))?;
            let (keyword, value) = (&record[..at], &record[at + 1..]);
            match keyword {
                b"" => return Err(Fault::Extended("a record has no keyword")),
                b"path" => set(&mut found.path, value.to_vec())?,
                b"linkpath" => set(&mut found.link_path, value.to_vec())?,
                b"size" => set(&mut found.size, decimal(value)?)?,
                // star's record of an entry's true type and size, in place of those in the header.
                b"SCHILY.realsize" | b"SCHILY.filetype" | b"SUN.holesdata" => return Err(Fault::Sparse),
                _ if keyword.starts_with(b"GNU.sparse.") => return Err(Fault::Sparse),
                // Owners, times and attributes are not taken from packages, other vendors' notes neither.
                _ => {}
            }
        }
        if found.path.as_deref() == Some(b"") || found.link_path.as_deref() == Some(b"") {
            return Err(Fault::Extended("a name in it is empty"));
        }
        Ok(found)
    }

    /// Whether it says nothing that matters.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn set<Value>(place: &mut Option<Value>, value: Value) -> Result<(), Fault> {
    if place.replace(value).is_some() { Err(Fault::Extended("a keyword comes twice")) } else { Ok(()) }
}

/// `<length> <keyword>=<value>\n`, where the length counts itself and the end of the line.
fn split_record(bytes: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    let broken = Fault::Extended("the length of a record is wrong");
    let space = bytes.iter().take(8).position(|byte| *byte == b' ').ok_or_else(|| broken.clone())?;
    let length = usize::try_from(decimal(&bytes[..space])?).map_err(|_| broken.clone())?;
    if length <= space + 1 || length > bytes.len() || bytes[length - 1] != b'\n' {
        return Err(broken);
    }
    Ok((&bytes[space + 1..length - 1], &bytes[length..]))
}

fn decimal(digits: &[u8]) -> Result<u64, Fault> {
    let broken = Fault::Extended("a number in it is broken");
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(broken);
    }
    Ok(digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read() {
        let expected = Extended { path: Some(b"a/b".into()), link_path: Some(b"c".into()), size: Some(123) };
        let found = Extended::parse(b"12 path=a/b\n12 size=123\n14 linkpath=c\n20 mtime=1700000000\n");
        assert_eq!(found, Ok(expected));
        assert_eq!(Extended::parse(b""), Ok(Extended::default()));
    }

    #[test]
    fn a_broken_record_refuses_the_whole() {
        for bytes in [
            &b"12 path=a/b"[..],
            b"13 path=a/b\n",
            b"12 pathxa/b\n",
            b"0 path=a/b\n",
            b"3 \n",
            b"6 =ab\n",
            b"-1 path=a\n",
            b"99999999999999999999 path=a\n",
            b"12 size=12a\n",
            b"11 size=-1\n",
            b"8 size=\n",
            b"8 path=\n",
            b"10 path=a\n10 path=a\n",
            b"12 path=a/b\n\0",
        ] {
            assert!(
                matches!(Extended::parse(bytes), Err(Fault::Extended(_))),
                "{:?}",
                bytes.escape_ascii().to_string()
            );
        }
        assert_eq!(Extended::parse(b"22 GNU.sparse.major=1\n"), Err(Fault::Sparse));
    }
}
