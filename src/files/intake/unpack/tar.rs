//! Walks the entries of a tar (ustar, GNU, pax).
//!
//! Entry by entry as they stand, because the library would read a long name into memory whatever its length.
//! A pax `size` that differs from the header's is refused: who packs files over 8 GiB uses GNU's format, or zip.

use std::io::Read;

use tar::{Archive, EntryType};
use tokio::sync::mpsc;

use super::{Piece, damaged, hand, pour, refused};
use crate::error::Result;

/// Longest header that says more of the entry after it.
const MOST_HEADER: u64 = 64 << 10;

pub(super) fn walk(from: impl Read, to: &mpsc::Sender<Piece>) -> Result<()> {
    let mut archive = Archive::new(from);
    let mut longer: Option<Vec<u8>> = None;
    let mut size: Option<u64> = None;
    let entries = archive.entries().map_err(|_| damaged())?.raw(true);
    for entry in entries {
        let mut entry = entry.map_err(|_| damaged())?;
        let kind = entry.header().entry_type();
        match kind {
            EntryType::GNULongName => {
                let mut name = header(&mut entry)?;
                while name.last() == Some(&0) {
                    name.pop();
                }
                longer = Some(name);
                continue;
            }
            EntryType::XHeader => {
                for (key, value) in pax(&header(&mut entry)?)? {
                    match key.as_str() {
                        "path" => longer = Some(value),
                        "size" => {
                            size = std::str::from_utf8(&value)
                                .ok()
                                .and_then(|v| v.parse().ok());
                        }
                        _ => {}
                    }
                }
                continue;
            }
            EntryType::XGlobalHeader | EntryType::GNULongLink => {
                header(&mut entry)?;
                continue;
            }
            _ => {}
        }
        let raw = longer
            .take()
            .unwrap_or_else(|| entry.path_bytes().into_owned());
        let name = String::from_utf8(raw)
            .map_err(|e| refused("unpack-name", &String::from_utf8_lossy(e.as_bytes())))?;
        let declared = entry.header().entry_size().map_err(|_| damaged())?;
        if size.take().is_some_and(|size| size != declared) {
            return Err(refused("unpack-kind", &name));
        }
        match kind {
            EntryType::Directory => continue,
            EntryType::Regular | EntryType::Continuous => {}
            _ => return Err(refused("unpack-link", &name)),
        }
        // Old archives mark a folder by the end of its name.
        if name.ends_with('/') {
            continue;
        }
        let name = name
            .strip_prefix("./")
            .map_or(name.clone(), ToOwned::to_owned);
        hand(to, Piece::Begin(name))?;
        pour(&mut entry, to)?;
        hand(to, Piece::End)?;
    }
    Ok(())
}

fn header(entry: &mut impl Read) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    entry
        .take(MOST_HEADER + 1)
        .read_to_end(&mut out)
        .map_err(|_| damaged())?;
    if out.len() as u64 > MOST_HEADER {
        return Err(damaged());
    }
    Ok(out)
}

/// Records of a pax header, `length key=value\n` each (POSIX pax, extended header).
fn pax(mut text: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut out = Vec::new();
    while !text.is_empty() {
        let space = text.iter().position(|b| *b == b' ').ok_or_else(damaged)?;
        let length: usize = std::str::from_utf8(&text[..space])
            .ok()
            .and_then(|n| n.parse().ok())
            .ok_or_else(damaged)?;
        let record = text.get(space + 1..length).ok_or_else(damaged)?;
        let record = record.strip_suffix(b"\n").ok_or_else(damaged)?;
        let equals = record.iter().position(|b| *b == b'=').ok_or_else(damaged)?;
        let key = String::from_utf8_lossy(&record[..equals]).into_owned();
        out.push((key, record[equals + 1..].to_vec()));
        text = &text[length..];
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pax_records_are_read_by_their_length() {
        let read = pax(b"19 path=a=b\nc/d.csv\n").unwrap_or_default();
        assert!(read.is_empty(), "a wrong length is not guessed around");
        let read = pax("20 path=dữ liệu\n11 size=12\n".as_bytes()).unwrap();
        assert_eq!(read[0], ("path".to_owned(), "dữ liệu".as_bytes().to_vec()));
        assert_eq!(read[1], ("size".to_owned(), b"12".to_vec()));
    }

    proptest! {
        #[test]
        fn nothing_makes_the_parsers_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
            let _ = pax(&bytes);
            let (to, mut found) = mpsc::channel(1_000);
            let _ = walk(bytes.as_slice(), &to);
            found.close();
        }
    }
}
