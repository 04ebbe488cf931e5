//! A tar that is packed and given its checksums here, so that an input need not know how to.

use std::io::Write as _;

const BLOCK: usize = 512;

/// The archive that an input stands for.
#[allow(unreachable_pub, reason = "the fuzzer takes it from outside")]
pub fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut tar = bytes.to_vec();
    seal(&mut tar);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
    encoder.write_all(&tar).unwrap();
    encoder.finish().unwrap()
}

/// Puts the right checksum into each block that is read as a header.
fn seal(tar: &mut [u8]) {
    let mut at = 0;
    while let Some(block) = tar.get_mut(at..at + BLOCK) {
        if block.iter().all(|byte| *byte == 0) {
            return;
        }
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let digits = block[124..136].iter().skip_while(|byte| **byte == b' ');
        let digits = digits.take_while(|byte| matches!(byte, b'0'..=b'7'));
        let size = digits.fold(0_usize, |size, digit| size << 3 | usize::from(digit - b'0'));
        at += BLOCK + size.next_multiple_of(BLOCK);
    }
}
