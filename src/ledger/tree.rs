//! The Merkle tree of RFC 9162 section 2.1 (the same as RFC 6962's): hashes, proofs, their verification. Pure.
//!
//! Proofs are computed from the hashes of perfect subtrees, which a caller gives by (level, index): level 0
//! are the leaves, and a node of level l spans `2^l` of them. About `2 log n` of them are asked for.

use sha2::{Digest, Sha256 as Hasher};

use crate::ids::Sha256;

/// The hash of a leaf: `SHA-256(0x00 || leaf)`.
pub fn leaf_hash(leaf: &[u8]) -> Sha256 {
    let mut hasher = Hasher::new();
    hasher.update([0]);
    hasher.update(leaf);
    Sha256(hasher.finalize().into())
}

/// The hash of two subtrees side by side: `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: Sha256, right: Sha256) -> Sha256 {
    let mut hasher = Hasher::new();
    hasher.update([1]);
    hasher.update(left.0);
    hasher.update(right.0);
    Sha256(hasher.finalize().into())
}

/// The root of a tree without leaves: `SHA-256("")`.
pub fn empty_root() -> Sha256 {
    Sha256(Hasher::digest([]).into())
}

/// The root of a perfect subtree over its leaves (or nodes of one level); their number is a power of two.
pub(super) fn perfect(hashes: &[Sha256]) -> Option<Sha256> {
    let mut row = hashes.to_vec();
    if !row.len().is_power_of_two() {
        return None;
    }
    while row.len() > 1 {
        row = row
            .chunks_exact(2)
            .map(|pair| node_hash(pair[0], pair[1]))
            .collect();
    }
    row.first().copied()
}

/// The largest power of two smaller than `n`, for `n` of at least 2 (the standard's `k`).
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// `MTH(D[from..to])` where `from` is where the tree's own splitting comes by.
fn range(from: u64, to: u64, node: &mut impl FnMut(u32, u64) -> Option<Sha256>) -> Option<Sha256> {
    let n = to - from;
    if n.is_power_of_two() {
        let level = n.trailing_zeros();
        return node(level, from >> level);
    }
    let k = split(n);
    Some(node_hash(
        range(from, from + k, node)?,
        range(from + k, to, node)?,
    ))
}

/// The root of the tree of `size` leaves.
pub fn root(size: u64, mut node: impl FnMut(u32, u64) -> Option<Sha256>) -> Option<Sha256> {
    if size == 0 {
        return Some(empty_root());
    }
    range(0, size, &mut node)
}

/// The inclusion proof of leaf `index` in the tree of `size` leaves (section 2.1.3.1). None when the leaf is not in
/// it, or a node was not given.
pub fn inclusion(
    index: u64,
    size: u64,
    mut node: impl FnMut(u32, u64) -> Option<Sha256>,
) -> Option<Vec<Sha256>> {
    if index >= size {
        return None;
    }
    let (mut from, mut to) = (0, size);
    let mut path = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            path.push(range(middle, to, &mut node)?);
            to = middle;
        } else {
            path.push(range(from, middle, &mut node)?);
            from = middle;
        }
    }
    path.reverse();
    Some(path)
}

/// The consistency proof between the trees of `first` and `second` leaves (section 2.1.4.1). Empty when either has
/// nothing to prove (`first` is 0 or equals `second`).
pub fn consistency(
    first: u64,
    second: u64,
    mut node: impl FnMut(u32, u64) -> Option<Sha256>,
) -> Option<Vec<Sha256>> {
    if first > second {
        return None;
    }
    if first == 0 || first == second {
        return Some(Vec::new());
    }
    let (mut from, mut to) = (0, second);
    let mut path = Vec::new();
    // Was a left part left behind? Then the old tree's root is not among what the verifier knows.
    let mut whole = true;
    while first < to {
        let middle = from + split(to - from);
        if first <= middle {
            path.push(range(middle, to, &mut node)?);
            to = middle;
        } else {
            path.push(range(from, middle, &mut node)?);
            from = middle;
            whole = false;
        }
    }
    if !whole {
        path.push(range(from, to, &mut node)?);
    }
    path.reverse();
    Some(path)
}

/// Is the leaf with this hash at `index` of the tree of `size` leaves with this root? (Section 2.1.3.2.)
pub fn verify_inclusion(
    leaf: Sha256,
    index: u64,
    size: u64,
    proof: &[Sha256],
    root: Sha256,
) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut hash) = (index, size - 1, leaf);
    for beside in proof {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(*beside, hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(hash, *beside);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && hash == root
}

/// Does the tree of `second` leaves begin with all of the tree of `first`? (Section 2.1.4.2; an empty tree is the
/// beginning of every other.)
pub fn verify_consistency(
    first: u64,
    second: u64,
    proof: &[Sha256],
    first_root: Sha256,
    second_root: Sha256,
) -> bool {
    if first > second {
        return false;
    }
    if first == second {
        return proof.is_empty() && first_root == second_root;
    }
    if first == 0 {
        return proof.is_empty() && first_root == empty_root();
    }
    let mut path = proof.iter().copied();
    let begins = if first.is_power_of_two() {
        Some(first_root)
    } else {
        path.next()
    };
    let Some(begins) = begins else { return false };
    let (mut place, mut last) = (first - 1, second - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut old, mut new) = (begins, begins);
    for beside in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            old = node_hash(beside, old);
            new = node_hash(beside, new);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(new, beside);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && old == first_root && new == second_root
}

#[cfg(test)]
mod tests {
    use ct_merkle::{RootHash, mem_backed_tree::MemoryBackedTree};
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::tiles::{Growing, TileSet};

    fn leaf(n: u64) -> Vec<u8> {
        format!("leaf {n}").into_bytes()
    }

    /// Our tree of so many leaves, in tiles.
    fn grown(size: u64) -> (TileSet, Sha256) {
        let mut growing = Growing::default();
        for n in 0..size {
            growing.push(leaf_hash(&leaf(n)));
        }
        let root = growing.root();
        let mut tiles = TileSet::default();
        for tile in growing.changed() {
            tiles.put(tile.level, tile.n, tile.hashes);
        }
        (tiles, root)
    }

    fn theirs(size: u64) -> MemoryBackedTree<Hasher, Vec<u8>> {
        let mut tree = MemoryBackedTree::new();
        for n in 0..size {
            tree.push(leaf(n));
        }
        tree
    }

    fn bytes(proof: &[Sha256]) -> Vec<u8> {
        proof.iter().flat_map(|h| h.0).collect()
    }

    #[test]
    fn every_small_tree_agrees_with_another_implementation() {
        for size in 1..=70_u64 {
            let (tiles, top) = grown(size);
            let tree = theirs(size);
            assert_eq!(top.0[..], tree.root().as_bytes()[..], "root of {size}");
            assert_eq!(root(size, |l, i| tiles.node(l, i)), Some(top));
            for index in 0..size {
                let proof = inclusion(index, size, |l, i| tiles.node(l, i)).unwrap();
                assert_eq!(
                    bytes(&proof),
                    tree.prove_inclusion(index as usize).as_bytes(),
                    "{index} of {size}"
                );
                let hash = leaf_hash(&leaf(index));
                assert!(verify_inclusion(hash, index, size, &proof, top));
                assert!(!verify_inclusion(hash, index + 1, size, &proof, top));
            }
            for first in 1..size {
                let proof = consistency(first, size, |l, i| tiles.node(l, i)).unwrap();
                let other = tree.prove_consistency((size - first) as usize);
                assert_eq!(bytes(&proof), other.as_bytes(), "{first} to {size}");
                let before = root(first, |l, i| tiles.node(l, i)).unwrap();
                assert!(verify_consistency(first, size, &proof, before, top));
                assert!(!verify_consistency(first, size, &proof, top, before));
            }
        }
    }

    #[test]
    fn trees_of_several_tiles_agree_too() {
        for size in [255_u64, 256, 257, 511, 512, 700, 65_535, 65_536, 65_793] {
            let (tiles, top) = grown(size);
            let tree = theirs(size);
            assert_eq!(top.0[..], tree.root().as_bytes()[..], "root of {size}");
            for index in [0, 1, size / 3, size / 2, size - 2, size - 1] {
                let proof = inclusion(index, size, |l, i| tiles.node(l, i)).unwrap();
                let ours = ct_merkle::InclusionProof::<Hasher>::from_bytes(bytes(&proof));
                let root = RootHash::<Hasher>::new(top.0.into(), size);
                root.verify_inclusion(&leaf(index), index, &ours).unwrap();
            }
            for first in [1, 200, 255, size / 2, size - 1] {
                let proof = consistency(first, size, |l, i| tiles.node(l, i)).unwrap();
                let other = tree.prove_consistency((size - first) as usize);
                assert_eq!(bytes(&proof), other.as_bytes(), "{first} to {size}");
            }
        }
    }

    #[test]
    fn the_empty_tree_has_the_root_of_the_standard() {
        let known = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(empty_root().to_hex(), known);
        let (_, top) = grown(3);
        assert!(verify_consistency(0, 3, &[], empty_root(), top));
        assert!(!verify_consistency(0, 3, &[], top, top));
        assert!(!verify_consistency(2, 3, &[], top, top));
        assert!(!verify_inclusion(top, 0, 0, &[], top));
        assert_eq!(inclusion(3, 3, |_, _| Some(top)), None);
        assert_eq!(consistency(4, 3, |_, _| Some(top)), None);
    }

    proptest! {
        #[test]
        fn a_changed_proof_is_refused(size in 2_u64..600, at in 0_u64..600, first in 1_u64..600, flip in 0_usize..4000) {
            let (tiles, top) = grown(size);
            let index = at % size;
            let hash = leaf_hash(&leaf(index));
            let mut proof = inclusion(index, size, |l, i| tiles.node(l, i)).unwrap();
            prop_assert!(verify_inclusion(hash, index, size, &proof, top));
            let victim = flip % proof.len();
            proof[victim].0[flip % 32] ^= 1;
            prop_assert!(!verify_inclusion(hash, index, size, &proof, top));
            proof[victim].0[flip % 32] ^= 1;
            proof.push(top);
            prop_assert!(!verify_inclusion(hash, index, size, &proof, top));
            proof.pop();
            proof.pop();
            prop_assert!(!verify_inclusion(hash, index, size, &proof, top));

            let first = first % size;
            if first > 0 {
                let before = root(first, |l, i| tiles.node(l, i)).unwrap();
                let mut proof = consistency(first, size, |l, i| tiles.node(l, i)).unwrap();
                prop_assert!(verify_consistency(first, size, &proof, before, top));
                let victim = flip % proof.len();
                proof[victim].0[flip % 32] ^= 1;
                prop_assert!(!verify_consistency(first, size, &proof, before, top));
            }
        }
    }
}
