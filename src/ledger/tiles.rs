//! The tree cut into tiles of height 8, as C2SP `tlog-tiles` names and serves them. Pure.
//!
//! Tile `n` of level `l` holds the hashes of nodes `256 n …` of tree level `8 l`: a full one 256 of them. Tiles are
//! also how the tree is stored: a partial tile is the beginning of the one that is stored.

use std::collections::{BTreeMap, BTreeSet};

use super::tree;
use crate::ids::Sha256;

/// Hashes in a full tile.
pub const WIDTH: u64 = 256;

/// A tile of the tree; `width` 256 is a full one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileName {
    pub level: Level,
    pub n: u64,
    pub width: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The leaves themselves.
    Entries,
    Hashes(u8),
}

impl TileName {
    /// Reads what follows `tile/`: `0/x001/x234/067.p/8`, `entries/000`. One name a tile: no leading zeroes, no
    /// other padding.
    pub fn parse(path: &str) -> Option<Self> {
        let (level, rest) = path.split_once('/')?;
        let level = if level == "entries" {
            Level::Entries
        } else {
            Level::Hashes(number(level).filter(|l| *l < 64)? as u8)
        };
        let (rest, width) = match rest.split_once(".p/") {
            Some((rest, width)) => (rest, number(width).filter(|w| (1..256).contains(w))? as u16),
            None => (rest, WIDTH as u16),
        };
        let parts: Vec<&str> = rest.split('/').collect();
        let (last, before) = parts.split_last()?;
        let mut n = 0_u64;
        let digits = before.iter().map(|p| p.strip_prefix('x'));
        for (place, part) in digits.chain([Some(*last)]).enumerate() {
            let part = part?;
            // Six elements are more leaves than there are atoms of storage.
            if part.len() != 3 || !part.bytes().all(|b| b.is_ascii_digit()) || place > 5 {
                return None;
            }
            if place == 0 && part == "000" && !before.is_empty() {
                return None;
            }
            n = n * 1000 + part.parse::<u64>().ok()?;
        }
        Some(Self { level, n, width })
    }

    /// The same as a path below `tile/`.
    pub fn path(&self) -> String {
        let mut out = match self.level {
            Level::Entries => "entries".to_owned(),
            Level::Hashes(level) => level.to_string(),
        };
        let mut parts = vec![format!("/{:03}", self.n % 1000)];
        let mut above = self.n / 1000;
        while above > 0 {
            parts.push(format!("/x{:03}", above % 1000));
            above /= 1000;
        }
        parts.reverse();
        out.push_str(&parts.concat());
        if u64::from(self.width) < WIDTH {
            out.push_str(".p/");
            out.push_str(&self.width.to_string());
        }
        out
    }
}

/// Digits only, no leading zero.
fn number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok())?
}

/// A tile with its hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    pub level: u8,
    pub n: u64,
    pub hashes: Vec<Sha256>,
}

/// The right edge of a tree, to which leaves are appended.
#[derive(Debug, Clone, Default)]
pub struct Growing {
    size: u64,
    /// The last, partial tile of each level, 0 to 255 hashes.
    edge: Vec<Tile>,
    /// Tiles that became full.
    full: Vec<Tile>,
}

impl Growing {
    /// Which tiles a tree of `size` leaves ends with: level, number, how many hashes.
    pub fn edge_of(size: u64) -> Vec<(u8, u64, u16)> {
        (0..8_u8)
            .map(|level| (level, size >> (8 * u32::from(level))))
            .take_while(|(_, count)| *count > 0)
            .map(|(level, count)| (level, count / WIDTH, (count % WIDTH) as u16))
            .collect()
    }

    /// Goes on with a tree of `size` leaves whose tiles are `tiles`. None when one is missing.
    pub fn resume(size: u64, tiles: &TileSet) -> Option<Self> {
        let mut edge = Vec::new();
        for (level, n, width) in Self::edge_of(size) {
            let hashes = match width {
                0 => Vec::new(),
                width => tiles.hashes(level, n)?.get(..usize::from(width))?.to_vec(),
            };
            edge.push(Tile { level, n, hashes });
        }
        Some(Self {
            size,
            edge,
            full: Vec::new(),
        })
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf by its hash.
    pub fn push(&mut self, leaf: Sha256) {
        self.size += 1;
        let mut hash = leaf;
        for level in 0.. {
            if self.edge.len() == level {
                self.edge.push(Tile {
                    level: level as u8,
                    n: 0,
                    hashes: Vec::new(),
                });
            }
            let tile = &mut self.edge[level];
            tile.hashes.push(hash);
            if (tile.hashes.len() as u64) < WIDTH {
                return;
            }
            let next = Tile {
                level: tile.level,
                n: tile.n + 1,
                hashes: Vec::new(),
            };
            let done = std::mem::replace(tile, next);
            let Some(above) = tree::perfect(&done.hashes) else {
                return;
            };
            self.full.push(done);
            hash = above;
        }
    }

    /// Lets go of the full tiles, for who only wants the root.
    pub fn forget_full(&mut self) {
        self.full.clear();
    }

    /// The root of the tree as it stands.
    pub fn root(&self) -> Sha256 {
        // The perfect subtrees that the tree is made of, the smallest (rightmost) first.
        let mut peaks = Vec::new();
        for tile in &self.edge {
            let mut end = tile.hashes.len();
            while end > 0 {
                let span = 1 << end.trailing_zeros();
                peaks.extend(tree::perfect(&tile.hashes[end - span..end]));
                end -= span;
            }
        }
        peaks
            .into_iter()
            .reduce(|right, left| tree::node_hash(left, right))
            .unwrap_or_else(tree::empty_root)
    }

    /// All tiles that are new or longer than they were.
    pub fn changed(self) -> Vec<Tile> {
        let mut all = self.full;
        all.extend(self.edge.into_iter().filter(|t| !t.hashes.is_empty()));
        all
    }
}

/// Tiles at hand, to compute proofs from.
#[derive(Debug, Clone, Default)]
pub struct TileSet(BTreeMap<(u8, u64), Vec<Sha256>>);

impl TileSet {
    pub fn put(&mut self, level: u8, n: u64, hashes: Vec<Sha256>) {
        self.0.insert((level, n), hashes);
    }

    pub fn hashes(&self, level: u8, n: u64) -> Option<&[Sha256]> {
        self.0.get(&(level, n)).map(Vec::as_slice)
    }

    /// The hash of a perfect subtree.
    pub fn node(&self, level: u32, index: u64) -> Option<Sha256> {
        let (tile, n, at, span) = place(level, index);
        tree::perfect(self.hashes(tile, n)?.get(at..at + span)?)
    }
}

/// In which tile the hashes below a node stand: tile level, number, first hash, how many.
fn place(level: u32, index: u64) -> (u8, u64, usize, usize) {
    let first = index << (level % 8);
    let (n, at) = (first / WIDTH, (first % WIDTH) as usize);
    ((level / 8) as u8, n, at, 1 << (level % 8))
}

/// The tiles that a computation asks for: run it once with this to know what to load.
#[derive(Debug, Default)]
pub struct Wanted(pub BTreeSet<(u8, u64)>);

impl Wanted {
    /// Notes the tile of a node, and gives something in its place.
    pub fn node(&mut self, level: u32, index: u64) -> Sha256 {
        let (tile, n, ..) = place(level, index);
        self.0.insert((tile, n));
        Sha256([0; 32])
    }
}

/// The bytes of a tile as they are served: the hashes one after the other.
pub fn to_bytes(hashes: &[Sha256]) -> Vec<u8> {
    hashes.iter().flat_map(|h| h.0).collect()
}

/// Back from bytes; none when they are no whole number of hashes.
pub fn from_bytes(bytes: &[u8]) -> Option<Vec<Sha256>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    rest.is_empty()
        .then(|| hashes.iter().map(|h| Sha256(*h)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tiles_are_named_as_the_specification_says() {
        let name = |level, n, width| TileName { level, n, width };
        for (path, tile) in [
            ("0/x001/x234/067", name(Level::Hashes(0), 1_234_067, 256)),
            ("1/000.p/17", name(Level::Hashes(1), 0, 17)),
            ("entries/x001/000.p/255", name(Level::Entries, 1000, 255)),
            ("63/999", name(Level::Hashes(63), 999, 256)),
        ] {
            assert_eq!(TileName::parse(path), Some(tile), "{path}");
            assert_eq!(tile.path(), path);
        }
        for wrong in [
            "",
            "0",
            "0/",
            "0/1",
            "0/01",
            "0/0000",
            "00/000",
            "64/000",
            "0/x000/001",
            "0/001/002",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/01",
            "0/000.p/",
            "0/000/",
            "x/000",
            "-1/000",
            "0/+01",
            "0/x001/x002/x003/x004/x005/x006/007",
            "entries/../000",
        ] {
            assert_eq!(TileName::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_example_of_the_specification_ends_where_it_says() {
        // 273 full level 0 tiles and one of 112; one full level 1 tile and one of 17; one level 2 tile of 1.
        assert_eq!(
            Growing::edge_of(70_000),
            [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
        );
        assert_eq!(Growing::edge_of(256), [(0, 1, 0), (1, 0, 1)]);
    }

    proptest! {
        #[test]
        fn any_name_survives(level in 0_u8..64, n in 0_u64..1_000_000_000_000, width in 1_u16..=256) {
            let tile = TileName { level: Level::Hashes(level), n, width };
            prop_assert_eq!(TileName::parse(&tile.path()), Some(tile));
        }

        #[test]
        fn no_path_breaks_the_reader(path in "\\PC*") {
            if let Some(tile) = TileName::parse(&path) {
                prop_assert_eq!(tile.path(), path);
            }
        }

        #[test]
        fn growing_in_two_goes_is_growing_in_one(first in 0_u64..1500, more in 0_u64..1500) {
            let leaf = |n: u64| tree::leaf_hash(&n.to_be_bytes());
            let mut once = Growing::default();
            (0..first + more).for_each(|n| once.push(leaf(n)));
            let mut begun = Growing::default();
            (0..first).for_each(|n| begun.push(leaf(n)));
            let mut tiles = TileSet::default();
            for tile in begun.changed() {
                tiles.put(tile.level, tile.n, tile.hashes);
            }
            let mut again = Growing::resume(first, &tiles).unwrap();
            (first..first + more).for_each(|n| again.push(leaf(n)));
            prop_assert_eq!(again.size(), first + more);
            prop_assert_eq!(again.root(), once.root());
            for tile in again.changed() {
                tiles.put(tile.level, tile.n, tile.hashes);
            }
            for tile in once.changed() {
                prop_assert_eq!(tiles.hashes(tile.level, tile.n), Some(tile.hashes.as_slice()));
            }
        }
    }
}
