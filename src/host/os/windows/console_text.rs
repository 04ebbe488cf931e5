//! What commands of the system write: in the code page of the console (OEM), which is seldom UTF-8.

use windows_sys::Win32::Globalization::{CP_OEMCP, MultiByteToWideChar};

/// The text of what a command has written: UTF-8 where it is that, else by the code page of the console.
#[must_use]
pub(in crate::host) fn read(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| by_code_page(error.as_bytes(), CP_OEMCP))
}

fn by_code_page(bytes: &[u8], code_page: u32) -> String {
    let lossy = || String::from_utf8_lossy(bytes).into_owned();
    let Ok(length) = i32::try_from(bytes.len()) else { return lossy() };
    // No code page makes more letters than there are bytes.
    let mut letters = vec![0_u16; bytes.len()];
    // SAFETY: both places are as long as is said.
    let count =
        unsafe { MultiByteToWideChar(code_page, 0, bytes.as_ptr(), length, letters.as_mut_ptr(), length) };
    match usize::try_from(count) {
        Ok(count) if count > 0 => String::from_utf16_lossy(letters.get(..count).unwrap_or_default()),
        _ => lossy(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::task::command::{Outcome, SystemWords, outcome};

    #[test]
    fn words_of_the_console_are_understood_in_its_code_page() {
        // As `schtasks` writes them on a French console (850), a Russian (866) and a Japanese one (932).
        let said: [(u32, &[u8], &str); 3] = [
            (850, b"ERREUR : Acc\x8as refus\x82.\r\n", "Acc\u{e8}s refus\u{e9}."),
            (
                866,
                b"\x8e\xe8\xa8\xa1\xaa\xa0: \x8e\xe2\xaa\xa0\xa7\xa0\xad\xae \xa2 \xa4\xae\xe1\xe2\xe3\xaf\xa5.",
                "Отказано в доступе.",
            ),
            (932, b"\x83A\x83N\x83Z\x83X\x82\xaa\x8b\x91\x94\xdb\x82\xb3\x82\xea\x82\xdc\x82\xb5\x82\xbd\x81B", "アクセスが拒否されました。"),
        ];
        for (code_page, bytes, denied) in said {
            assert!(std::str::from_utf8(bytes).is_err(), "{code_page}");
            let words = SystemWords { denied: denied.to_owned(), absent: Vec::new() };
            let read = by_code_page(bytes, code_page);
            assert_eq!(outcome(Some(1), &read, &words), Outcome::Denied, "{code_page}: {read}");
        }
        assert_eq!(read("Größe".as_bytes().to_vec()), "Größe");
    }
}
