//! Walks the entries of a zip.

use std::io::{Read, Seek, SeekFrom};

use tokio::sync::mpsc;
use zip::{ZipArchive, result::ZipError};

use super::{Piece, damaged, hand, pour, reader::Reader, refused};
use crate::error::{Error, Problem, Result};

/// Bytes of a directory that is read; one entry takes at least 46 of them.
const MOST_DIRECTORY: u64 = 256 << 20;

pub(super) fn walk(mut reader: Reader, most: u64, to: &mpsc::Sender<Piece>) -> Result<()> {
    let entries = look_ahead(&mut reader, most)?;
    let mut archive = ZipArchive::new(reader).map_err(told)?;
    // The library keeps one of several entries of a name, and nobody would miss the others.
    if archive.len() as u64 != entries {
        return Err(damaged());
    }
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).map_err(told)?;
        // Names are taken as UTF-8, flagged or not; what is neither has no name that could be kept.
        let name = String::from_utf8(entry.name_raw().to_vec())
            .map_err(|e| refused("unpack-name", &String::from_utf8_lossy(e.as_bytes())))?;
        if entry.is_dir() {
            continue;
        }
        if entry.is_symlink() {
            return Err(refused("unpack-link", &name));
        }
        if entry.encrypted() {
            return Err(refused("unpack-encrypted", &name));
        }
        hand(to, Piece::Begin(name))?;
        pour(&mut entry, to)?;
        hand(to, Piece::End)?;
    }
    Ok(())
}

fn told(e: ZipError) -> Error {
    match e {
        ZipError::UnsupportedArchive(text) if text == ZipError::PASSWORD_REQUIRED => {
            refused("unpack-encrypted", "")
        }
        other => {
            tracing::debug!(error = %other, "a zip does not read");
            damaged()
        }
    }
}

/// Refuses a directory that would fill the memory, before anybody reads it whole: counts and sizes stand at the
/// end of the file (APPNOTE 4.3.14 to 4.3.16). Gives how many entries it is said to have.
fn look_ahead(reader: &mut Reader, most: u64) -> Result<u64> {
    let size = reader.size();
    let tail_at = size.saturating_sub(66_000);
    let tail = bytes(reader, tail_at, size - tail_at)?;
    let end = tail
        .windows(4)
        .rposition(|w| w == b"PK\x05\x06")
        .ok_or_else(damaged)?;
    let record = tail.get(end..end + 22).ok_or_else(damaged)?;
    let mut entries = u64::from(u16::from_le_bytes([record[10], record[11]]));
    let mut directory = u64::from(little_u32(&record[12..16]));
    if entries == 0xffff || directory == 0xffff_ffff {
        let locator = end.checked_sub(20).and_then(|at| tail.get(at..end));
        if let Some(locator) = locator.filter(|l| l.starts_with(b"PK\x06\x07")) {
            let record = bytes(reader, little_u64(&locator[8..16]), 56)?;
            if !record.starts_with(b"PK\x06\x06") {
                return Err(damaged());
            }
            entries = little_u64(&record[32..40]);
            directory = little_u64(&record[40..48]);
        }
    }
    // Folders have entries too, one each at most.
    if entries > most.saturating_mul(2) {
        let problem = Problem::new("too-many-files", "").with("most", most);
        return Err(Error::TooLarge(problem));
    }
    if directory > MOST_DIRECTORY {
        return Err(Error::bad_request("unpack-bomb"));
    }
    Ok(entries)
}

fn bytes(reader: &mut Reader, at: u64, length: u64) -> Result<Vec<u8>> {
    let mut out = vec![0; length as usize];
    reader
        .seek(SeekFrom::Start(at))
        .and_then(|_| reader.read_exact(&mut out))
        .map_err(|_| damaged())?;
    Ok(out)
}

fn little_u32(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |n, b| (n << 8) | u32::from(*b))
}

fn little_u64(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |n, b| (n << 8) | u64::from(*b))
}
