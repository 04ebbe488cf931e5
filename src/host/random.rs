//! Random bytes, from the kernel.

use std::fmt::Write as _;
use std::io;

/// 32 random bytes as 64 hexadecimal digits.
pub fn hex32() -> io::Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_another_each_time() {
        let (one, other) = (hex32().unwrap(), hex32().unwrap());
        assert_eq!(one.len(), 64);
        assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(one, other);
    }
}
