//! Hash trees as in Certificate Transparency (RFC 6962 section 2.1), and the chain of their roots.

use chrono::NaiveDate;
use sha2::{Digest as _, Sha256};

use crate::domain::Sha256Digest;

/// What precedes the first day's chain value.
pub const CHAIN_START: Sha256Digest = Sha256Digest([0; 32]);

/// Digest of plain bytes.
pub fn digest(bytes: &[u8]) -> Sha256Digest {
    Sha256Digest(Sha256::digest(bytes).into())
}

/// Digest of bytes that lie in several places, one after the other.
pub(super) fn digest_of(parts: &[&[u8]]) -> Sha256Digest {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    Sha256Digest(hash.finalize().into())
}

/// The leaf of a record: a zero byte, then its bytes as they are stored.
pub fn leaf(bytes: &[u8]) -> Sha256Digest {
    Sha256Digest(Sha256::new().chain_update([0]).chain_update(bytes).finalize().into())
}

/// An inner node: a one byte, then both children.
fn node(left: &Sha256Digest, right: &Sha256Digest) -> Sha256Digest {
    let hash = Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0);
    Sha256Digest(hash.finalize().into())
}

/// The chain value of a day: a two byte, the value of the day before, the day as `2026-11-27`, the
/// number of leaves (eight bytes, big end first) and the root.
///
/// Bound in with the root, the number of leaves makes a proof speak of one tree only.
pub fn chain_value(
    previous: &Sha256Digest,
    day: NaiveDate,
    leaves: u64,
    root: &Sha256Digest,
) -> Sha256Digest {
    let hash = Sha256::new()
        .chain_update([2])
        .chain_update(previous.0)
        .chain_update(day.to_string())
        .chain_update(leaves.to_be_bytes())
        .chain_update(root.0);
    Sha256Digest(hash.finalize().into())
}

/// The tree over a day's leaves.
#[derive(Debug, Clone)]
pub struct Tree {
    /// Leaves first, each further level half as long, the root last.
    levels: Vec<Vec<Sha256Digest>>,
}

impl Tree {
    /// Builds the tree; an odd node at the end of a level is carried up as it is, which is what the
    /// splits of RFC 6962 come to.
    pub fn new(leaves: Vec<Sha256Digest>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below.chunks(2).map(|pair| match pair {
                [left, right] => node(left, right),
                alone => alone[0],
            });
            levels.push(above.collect());
        }
        Self { levels }
    }

    /// The root; of no leaves the digest of nothing.
    pub fn root(&self) -> Sha256Digest {
        let top = self.levels.last().and_then(|level| level.first());
        top.copied().unwrap_or_else(|| digest(b""))
    }

    /// How many leaves it has.
    pub fn leaves(&self) -> u64 {
        self.levels.first().map_or(0, Vec::len) as u64
    }

    /// The nodes beside the way from a leaf up to the root; `None` where there is no such leaf.
    pub fn proof(&self, index: u64) -> Option<Vec<Sha256Digest>> {
        let mut at = usize::try_from(index).ok().filter(|_| index < self.leaves())?;
        let mut path = Vec::new();
        for level in &self.levels {
            path.extend(level.get(at ^ 1).filter(|_| level.len() > 1));
            at /= 2;
        }
        Some(path)
    }
}

/// The root that a proof leads to; `None` where it has not the length that place and size demand.
pub fn root_by_proof(
    leaf: Sha256Digest,
    index: u64,
    leaves: u64,
    proof: &[Sha256Digest],
) -> Option<Sha256Digest> {
    if index >= leaves {
        return None;
    }
    let (mut at, mut last, mut reached) = (index, leaves - 1, leaf);
    let mut path = proof.iter();
    while last > 0 {
        if at % 2 == 1 {
            reached = node(path.next()?, &reached);
        } else if at < last {
            reached = node(&reached, path.next()?);
        }
        at /= 2;
        last /= 2;
    }
    path.next().is_none().then_some(reached)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// MTH of RFC 6962, word for word.
    fn by_the_book(leaves: &[Sha256Digest]) -> Sha256Digest {
        match leaves {
            [] => digest(b""),
            [one] => *one,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node(&by_the_book(&leaves[..split]), &by_the_book(&leaves[split..]))
            }
        }
    }

    fn leaves(count: u32) -> Vec<Sha256Digest> {
        (0..count).map(|number| leaf(&number.to_be_bytes())).collect()
    }

    #[test]
    fn published_roots_are_reached() {
        // The test vectors of the Certificate Transparency code: eight inputs, their roots.
        let inputs: [&[u8]; 8] = [
            b"",
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[
                0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
                0x6e, 0x6f,
            ],
        ];
        let check = |count: usize, root: &str| {
            let tree = Tree::new(inputs[..count].iter().map(|input| leaf(input)).collect());
            assert_eq!(tree.root().to_string(), root, "{count}");
        };
        check(0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        check(1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        check(8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
    }

    #[test]
    fn every_part_of_a_day_changes_its_chain_value() {
        let day: NaiveDate = "2026-11-27".parse().unwrap();
        let root = digest(b"root");
        let value = chain_value(&CHAIN_START, day, 7, &root);
        for other in [
            chain_value(&root, day, 7, &root),
            chain_value(&CHAIN_START, day.succ_opt().unwrap(), 7, &root),
            chain_value(&CHAIN_START, day, 8, &root),
            chain_value(&CHAIN_START, day, 7, &digest(b"else")),
        ] {
            assert_ne!(other, value);
        }
    }

    proptest! {
        #[test]
        fn every_leaf_is_proven_and_nothing_else(count in 1_u32..70, index in 0_u32..70, bit: u8) {
            let all = leaves(count);
            let tree = Tree::new(all.clone());
            prop_assert_eq!(tree.root(), by_the_book(&all));
            let (size, at) = (u64::from(count), u64::from(index));
            let Some(path) = tree.proof(at) else {
                prop_assert!(index >= count);
                return Ok(());
            };
            let proven = all[index as usize];
            prop_assert_eq!(root_by_proof(proven, at, size, &path), Some(tree.root()));
            let mut other = proven;
            other.0[usize::from(bit) % 32] ^= 1 << (bit % 8);
            prop_assert_ne!(root_by_proof(other, at, size, &path), Some(tree.root()));
            for wrong in (0..size).filter(|wrong| *wrong != at) {
                prop_assert_ne!(root_by_proof(proven, wrong, size, &path), Some(tree.root()));
            }
            let longer = [path.clone(), vec![proven]].concat();
            prop_assert_eq!(root_by_proof(proven, at, size, &longer), None);
            if let Some((_, shorter)) = path.split_last() {
                prop_assert_eq!(root_by_proof(proven, at, size, shorter), None);
            }
        }
    }
}
