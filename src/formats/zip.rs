//! The layout of a zip whose files are stored as they are, known before a byte of them is read: APPNOTE 6.3.10,
//! method 0, with ZIP64 (4.3.14, 4.5.3) exactly where a number needs it.
//!
//! With names, sizes and CRCs at hand, every header can be made from its item alone and its place in the zip,
//! so any range of a zip of terabytes can be sent without making the rest. Not here: the bytes of the files, and which
//! files there are (`catalog::bundle`).

use chrono::{DateTime, Datelike, Timelike, Utc};

/// A file of the zip.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// Relative, with `/`, in UTF-8; under 65,536 bytes.
    pub name: &'a str,
    /// Bytes.
    pub size: u64,
    pub crc32: u32,
}

/// The one time that all items have: as DOS writes it (two seconds fine, in UTC), and exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    date: u16,
    time: u16,
    unix: u32,
}

impl Stamp {
    /// DOS knows the years 1980 to 2107; what lies outside is moved to their ends.
    pub fn new(at: DateTime<Utc>) -> Self {
        let year = at.year().clamp(1980, 2107) as u16 - 1980;
        let (month, day) = (at.month() as u16, at.day() as u16);
        let (hour, minute, second) = (at.hour() as u16, at.minute() as u16, at.second() as u16);
        Self {
            date: year << 9 | month << 5 | day,
            time: hour << 11 | minute << 5 | (second / 2),
            unix: u32::try_from(at.timestamp()).unwrap_or(0),
        }
    }
}

/// From this on a number of 32 bits says "see ZIP64".
const FULL: u64 = u32::MAX as u64;
/// The same for the number of entries.
const FULL_COUNT: u64 = u16::MAX as u64;
/// Names are in UTF-8 (general purpose bit 11).
const UTF8: u16 = 1 << 11;
/// ZIP64 needs a reader of 4.5, a stored file one of 1.0; Unix wrote it, for the permissions.
const PLAIN: u16 = 10;
const ZIP64: u16 = 45;
const MADE_BY: u16 = 3 << 8 | ZIP64;
/// A regular file, `rw-r--r--`.
const MODE: u32 = 0o100_644 << 16;
/// Bytes of the extra field that holds the exact time: id, length, flags, seconds.
const TIME_EXTRA: u64 = 9;

/// Where the next item begins, and how long the central directory is so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    pub entries: u64,
    /// Bytes of everything before the central directory.
    pub local: u64,
    /// Bytes of the central directory.
    pub central: u64,
}

impl Place {
    /// The place after an item.
    #[must_use]
    pub fn after(self, item: &Item<'_>) -> Self {
        Self {
            entries: self.entries + 1,
            local: self.local + local_len(item) + item.size,
            central: self.central + central_len(item, self.local),
        }
    }

    /// Bytes of the whole zip, when no item follows.
    pub fn size(self) -> u64 {
        let end = if self.needs_zip64() { 56 + 20 + 22 } else { 22 };
        self.local + self.central + end
    }

    fn needs_zip64(self) -> bool {
        self.entries >= FULL_COUNT || self.local >= FULL || self.central >= FULL
    }
}

/// Bytes of the header before an item's own.
pub fn local_len(item: &Item<'_>) -> u64 {
    let zip64 = if item.size >= FULL { 20 } else { 0 };
    30 + item.name.len() as u64 + zip64 + TIME_EXTRA
}

/// The header before an item's own bytes (4.3.7); `at` is where it begins.
pub fn local_header(item: &Item<'_>, stamp: Stamp, at: u64) -> Vec<u8> {
    let large = item.size >= FULL;
    let mut out = Out::with(local_len(item));
    out.u32(0x0403_4b50);
    out.common(item, stamp, large || at >= FULL);
    out.u16(if large { 20 } else { 0 } + TIME_EXTRA as u16);
    out.bytes(item.name.as_bytes());
    if large {
        // Here both sizes must be given, even where one alone would not fit.
        out.zip64(&[item.size, item.size]);
    }
    out.time(stamp);
    out.0
}

fn central_len(item: &Item<'_>, at: u64) -> u64 {
    46 + item.name.len() as u64 + u64::from(central_extra(item, at)) + TIME_EXTRA
}

/// Bytes of the ZIP64 field in the central directory.
fn central_extra(item: &Item<'_>, at: u64) -> u16 {
    let sizes = if item.size >= FULL { 16 } else { 0 };
    let offset = if at >= FULL { 8 } else { 0 };
    if sizes + offset > 0 {
        4 + sizes + offset
    } else {
        0
    }
}

/// An item's entry of the central directory (4.3.12); `at` is where its header begins.
pub fn central_entry(item: &Item<'_>, stamp: Stamp, at: u64) -> Vec<u8> {
    let extra = central_extra(item, at);
    let mut out = Out::with(central_len(item, at));
    out.u32(0x0201_4b50);
    out.u16(MADE_BY);
    out.common(item, stamp, extra > 0);
    out.u16(extra + TIME_EXTRA as u16);
    out.u16(0); // comment
    out.u16(0); // disk
    out.u16(0); // internal attributes
    out.u32(MODE);
    out.short(at);
    out.bytes(item.name.as_bytes());
    let mut numbers = Vec::new();
    if item.size >= FULL {
        numbers.extend([item.size, item.size]);
    }
    if at >= FULL {
        numbers.push(at);
    }
    if !numbers.is_empty() {
        out.zip64(&numbers);
    }
    out.time(stamp);
    out.0
}

/// What ends the zip (4.3.14 to 4.3.16).
pub fn end(place: Place) -> Vec<u8> {
    let mut out = Out::with(98);
    if place.needs_zip64() {
        out.u32(0x0606_4b50);
        out.u64(44); // bytes that follow
        out.u16(MADE_BY);
        out.u16(ZIP64);
        out.u32(0);
        out.u32(0);
        out.u64(place.entries);
        out.u64(place.entries);
        out.u64(place.central);
        out.u64(place.local);
        out.u32(0x0706_4b50);
        out.u32(0);
        out.u64(place.local + place.central);
        out.u32(1);
    }
    let count = place.entries.min(FULL_COUNT) as u16;
    out.u32(0x0605_4b50);
    out.u16(0);
    out.u16(0);
    out.u16(count);
    out.u16(count);
    out.short(place.central);
    out.short(place.local);
    out.u16(0); // comment
    out.0
}

/// Numbers as a zip has them, the lowest byte first.
struct Out(Vec<u8>);

impl Out {
    fn with(len: u64) -> Self {
        Self(Vec::with_capacity(len as usize))
    }
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
    fn u16(&mut self, n: u16) {
        self.bytes(&n.to_le_bytes());
    }
    fn u32(&mut self, n: u32) {
        self.bytes(&n.to_le_bytes());
    }
    fn u64(&mut self, n: u64) {
        self.bytes(&n.to_le_bytes());
    }
    /// In 32 bits, or all ones where ZIP64 tells it.
    fn short(&mut self, n: u64) {
        self.u32(n.min(FULL) as u32);
    }
    /// What both headers of an item begin with, from the version needed to the length of the name.
    fn common(&mut self, item: &Item<'_>, stamp: Stamp, zip64: bool) {
        self.u16(if zip64 { ZIP64 } else { PLAIN });
        self.u16(UTF8);
        self.u16(0); // stored
        self.u16(stamp.time);
        self.u16(stamp.date);
        self.u32(item.crc32);
        self.short(item.size);
        self.short(item.size);
        self.u16(item.name.len() as u16);
    }
    fn zip64(&mut self, numbers: &[u64]) {
        self.u16(1);
        self.u16(numbers.len() as u16 * 8);
        for n in numbers {
            self.u64(*n);
        }
    }
    fn time(&mut self, stamp: Stamp) {
        self.u16(0x5455);
        self.u16(5);
        self.bytes(&[1]);
        self.u32(stamp.unix);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use chrono::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn stamp() -> Stamp {
        Stamp::new(Utc.with_ymd_and_hms(2026, 11, 23, 16, 8, 27).unwrap())
    }

    /// A zip of real bytes, and the places as they were foretold.
    fn whole(files: &[(String, Vec<u8>)]) -> (Vec<u8>, Place) {
        let (mut out, mut central, mut place) = (Vec::new(), Vec::new(), Place::default());
        for (name, bytes) in files {
            let item = Item {
                name,
                size: bytes.len() as u64,
                crc32: crc32fast::hash(bytes),
            };
            assert_eq!(place.local, out.len() as u64);
            out.extend(local_header(&item, stamp(), place.local));
            out.extend(bytes);
            central.extend(central_entry(&item, stamp(), place.local));
            place = place.after(&item);
        }
        assert_eq!(place.central, central.len() as u64);
        out.extend(central);
        out.extend(end(place));
        (out, place)
    }

    proptest! {
        /// An outside reader finds every file with its name and its bytes, and the length is as foretold.
        #[test]
        fn a_reader_finds_everything(
            files in proptest::collection::btree_map("[a-zđẩ][a-z/đẩ]{0,20}", proptest::collection::vec(any::<u8>(), 0..200), 0..20)
        ) {
            let files: Vec<_> = files.into_iter().collect();
            let (bytes, place) = whole(&files);
            prop_assert_eq!(place.size(), bytes.len() as u64);
            // Compares the two headers of each file and checks the CRCs.
            let mut reader = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
            reader.validate_header_consistency().unwrap();
            prop_assert!(!reader.has_overlapping_entries().unwrap());
            let mut read = Vec::new();
            for n in 0..reader.len() {
                let mut entry = reader.by_index(n).unwrap();
                let name = String::from_utf8(entry.name_raw().to_vec()).unwrap();
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                read.push((name, content));
            }
            prop_assert_eq!(read, files);
        }

        /// However large the files: each header is as long as was said, and says where its file begins.
        #[test]
        fn headers_are_as_long_as_foretold(sizes in proptest::collection::vec(0_u64..1 << 41, 1..50)) {
            let mut place = Place::default();
            for size in sizes {
                let item = Item { name: "k3f9a-2bq71/số liệu.csv", size, crc32: 7 };
                prop_assert_eq!(local_header(&item, stamp(), place.local).len() as u64, local_len(&item));
                let next = place.after(&item);
                let entry = central_entry(&item, stamp(), place.local);
                prop_assert_eq!(entry.len() as u64, next.central - place.central);
                prop_assert_eq!(told(&entry), (size, place.local));
                place = next;
            }
            prop_assert_eq!(place.size(), place.local + place.central + end(place).len() as u64);
        }
    }

    fn number(bytes: &[u8]) -> u64 {
        bytes
            .iter()
            .rev()
            .fold(0, |n, byte| n << 8 | u64::from(*byte))
    }

    /// Size and offset as a reader of ZIP64 takes them from an entry of the central directory.
    fn told(entry: &[u8]) -> (u64, u64) {
        let (mut size, mut at) = (number(&entry[24..28]), number(&entry[42..46]));
        let name = number(&entry[28..30]) as usize;
        let mut extra = &entry[46 + name..];
        while !extra.is_empty() {
            let len = number(&extra[2..4]) as usize;
            if number(&extra[..2]) == 1 {
                let mut numbers = extra[4..4 + len].chunks(8).map(number);
                if size == FULL {
                    size = numbers.next().unwrap();
                    assert_eq!(numbers.next(), Some(size));
                }
                if at == FULL {
                    at = numbers.next().unwrap();
                }
                assert_eq!(numbers.next(), None);
            }
            extra = &extra[4 + len..];
        }
        (size, at)
    }

    #[test]
    fn zip64_comes_exactly_where_a_number_needs_it() {
        let item = |size| Item {
            name: "a",
            size,
            crc32: 0,
        };
        assert_eq!(local_len(&item(FULL)) - local_len(&item(FULL - 1)), 20);
        let offset = |at| central_entry(&item(0), stamp(), at).len();
        assert_eq!(offset(FULL) - offset(FULL - 1), 12);
        let ends = |entries, local, central| {
            end(Place {
                entries,
                local,
                central,
            })
            .len()
        };
        assert_eq!(ends(65_534, FULL - 1, FULL - 1), 22);
        for place in [(65_535, 0, 0), (0, FULL, 0), (0, 0, FULL)] {
            assert_eq!(ends(place.0, place.1, place.2), 98);
        }
    }

    #[test]
    fn more_files_than_sixteen_bits_count_are_all_found() {
        let names = (0..66_000).map(|n| (format!("d/{n}"), Vec::new()));
        let (bytes, _) = whole(&names.collect::<Vec<_>>());
        let reader = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        assert_eq!(reader.len(), 66_000);
    }

    #[test]
    fn times_are_written_as_dos_and_exactly() {
        let at = stamp();
        // Years since 1980 in the upper seven bits, then month and day.
        assert_eq!(at.date, 46 * 512 + 11 * 32 + 23);
        assert_eq!(at.time, 16 * 2048 + 8 * 32 + 13);
        let header = local_header(
            &Item {
                name: "a",
                size: 0,
                crc32: 0,
            },
            at,
            0,
        );
        assert_eq!(number(&header[header.len() - 4..]), 1_795_450_107);
    }
}
