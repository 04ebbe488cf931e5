//! How much an archive may ask for.

use crate::model::size::Size;

/// Limits on one archive. The defaults are far above real packages and far below what hurts a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The number of entries.
    pub entries: u64,
    /// The number of folders above an entry, and itself.
    pub depth: usize,
    /// The length of one part of a name, in bytes. File systems stop at 255.
    pub name: usize,
    /// The length of a whole name, in bytes.
    pub path: usize,
    /// The size of one file.
    pub file: Size,
    /// The size of all files together.
    pub total: Size,
    /// How many bytes may come out for each byte that went in. Deflate's own bound is about 1,030; programs
    /// stay below 10, text below 50.
    pub ratio: u64,
    /// The ratio counts once so much has come out: a small file of zeros hurts nobody.
    pub ratio_after: Size,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 300_000,
            depth: 100,
            name: 255,
            path: 2048,
            file: Size::new(4 << 30),
            total: Size::new(8 << 30),
            ratio: 200,
            ratio_after: Size::new(16 << 20),
        }
    }
}

impl Limits {
    /// Whether so much out of so little is more than any package needs.
    pub(crate) fn is_bomb(&self, compressed: u64, inflated: u64) -> bool {
        inflated > self.ratio_after.bytes() && inflated > compressed.saturating_mul(self.ratio)
    }
}
