//! A receipt: the entries of one version with their proofs and the signed checkpoint they lead to. Enough to be
//! checked by anybody, years later, without this server. Pure.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{
    checkpoint::Checkpoint,
    entry::{self, Entry, Event, Salt},
    note::{Note, Verdict, VerifierKey},
    tree,
};
use crate::ids::Sha256;

/// The shape of receipts.
pub const FORMAT: &str = "kho-receipt/1";

/// Most bytes of a receipt that is read.
pub const MOST_BYTES: u64 = 16 << 20;

/// A receipt as JSON. Hashes of proofs and salts are base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub format: String,
    pub record: String,
    pub origin: String,
    /// The log's key. A careful reader has it from elsewhere and compares.
    pub vkey: String,
    /// The signed note, with the witnesses' cosignatures.
    pub checkpoint: String,
    pub entries: Vec<Proven>,
    /// Entries that are written and that no checkpoint covers yet: ask again in a moment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<u64>,
    /// The description as it is now, to the byte of what was hashed; not of a withdrawn version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
}

/// An entry and its inclusion proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    pub index: u64,
    /// Canonical JSON, to the byte.
    pub entry: String,
    /// Opens a sealed leaf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    pub proof: Vec<String>,
}

/// What a receipt was found to prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub checkpoint: Checkpoint,
    pub entries: Vec<(u64, Entry)>,
    /// Names of the given witnesses that cosigned, and when (seconds since 1970).
    pub witnesses: Vec<(String, u64)>,
}

/// A hash or salt in base64.
pub fn encode(bytes: &[u8; 32]) -> String {
    STANDARD.encode(bytes)
}

pub fn decode(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

impl Receipt {
    /// Checks everything a receipt says against a log's key and the witnesses one trusts. All that is wrong, in
    /// sentences, or what it proves.
    pub fn verify(
        &self,
        key: &VerifierKey,
        witnesses: &[VerifierKey],
    ) -> Result<Verified, Vec<String>> {
        let one = |text: &str| vec![text.to_owned()];
        if self.format != FORMAT {
            return Err(one("this is no receipt of a shape that is known"));
        }
        let note = Note::parse(self.checkpoint.as_bytes()).map_err(|e| one(e.0))?;
        let checkpoint: Checkpoint = note
            .text
            .parse()
            .map_err(|e: super::note::BadNote| one(e.0))?;
        let mut wrong = Vec::new();
        match note.verify(key) {
            Verdict::Signed(_) => {}
            Verdict::Absent => {
                wrong.push("the checkpoint is not signed by the given key".to_owned());
            }
            Verdict::Wrong => wrong.push("the signature of the checkpoint is wrong".to_owned()),
        }
        if key.name() != checkpoint.origin || self.origin != checkpoint.origin {
            wrong.push(format!(
                "the checkpoint is of the log {}",
                checkpoint.origin
            ));
        }
        let mut entries: Vec<(u64, Entry)> = Vec::new();
        for proven in &self.entries {
            match proven.verify(&checkpoint) {
                Ok(entry) => entries.push((proven.index, entry)),
                Err(why) => wrong.push(format!("entry {}: {why}", proven.index)),
            }
        }
        wrong.extend(self.story(&entries));
        let mut cosigned = Vec::new();
        for witness in witnesses {
            match note.verify(witness) {
                Verdict::Signed(at) => cosigned.push((witness.name().to_owned(), at)),
                Verdict::Absent => wrong.push(format!("{} did not cosign", witness.name())),
                Verdict::Wrong => {
                    wrong.push(format!("the cosignature of {} is wrong", witness.name()));
                }
            }
        }
        if wrong.is_empty() {
            Ok(Verified {
                checkpoint,
                entries,
                witnesses: cosigned,
            })
        } else {
            Err(wrong)
        }
    }

    /// Do the entries tell one story of one version?
    fn story(&self, entries: &[(u64, Entry)]) -> Vec<String> {
        let mut wrong = Vec::new();
        let Some((_, first)) = entries.first() else {
            wrong.push("no entry of this version is proven".to_owned());
            return wrong;
        };
        if first.event != Event::Publish {
            wrong.push("the story does not begin with a publication".to_owned());
        }
        for pair in entries.windows(2) {
            let ((before, old), (after, new)) = (&pair[0], &pair[1]);
            if before >= after {
                wrong.push(format!("entry {after} stands after entry {before}"));
            }
            if old.files_sha256 != new.files_sha256 {
                wrong.push(format!(
                    "the files changed between entries {before} and {after}"
                ));
            }
        }
        for (index, entry) in entries {
            if entry.record != self.record || entry.version != first.version {
                wrong.push(format!("entry {index} is of another version"));
            }
        }
        let said = entries.iter().rev().map(|(_, entry)| entry.metadata_sha256);
        if let (Some(metadata), Some(said)) = (&self.metadata, said.into_iter().next())
            && entry::digest(metadata) != said
        {
            wrong.push("the description is not the one that was entered".to_owned());
        }
        wrong
    }
}

impl Proven {
    fn verify(&self, checkpoint: &Checkpoint) -> Result<Entry, &'static str> {
        let entry = Entry::parse(&self.entry).ok_or("cannot be read")?;
        let salt: Option<Salt> = match &self.salt {
            None => None,
            Some(text) => Some(decode(text).ok_or("its salt cannot be read")?),
        };
        let hashes: Option<Vec<Sha256>> =
            self.proof.iter().map(|h| decode(h).map(Sha256)).collect();
        let hashes = hashes.ok_or("its proof cannot be read")?;
        let hash = tree::leaf_hash(&entry::leaf(&self.entry, salt.as_ref()));
        if tree::verify_inclusion(hash, self.index, checkpoint.size, &hashes, checkpoint.root) {
            Ok(entry)
        } else {
            Err("is not in the tree of the checkpoint")
        }
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;
    use crate::ledger::{
        note::{Purpose, Signer, put_together},
        tiles::{Growing, TileSet},
    };

    fn signer(seed: u8, purpose: Purpose, name: &str) -> Signer {
        Signer::new(name, purpose, SigningKey::from_bytes(&[seed; 32])).unwrap()
    }

    fn receipt() -> (Receipt, Signer, Signer) {
        let log = signer(1, Purpose::Log, "kho.example/ledger");
        let witness = signer(2, Purpose::Cosignature, "witness.example");
        let published = entry::tests::sample();
        let withdrawn = Entry {
            event: Event::Withdraw,
            ..published.clone()
        };
        let salt = [9; 32];
        let texts = [&published, &withdrawn].map(|e| e.canonical().unwrap());
        let leaves = [
            entry::leaf(&texts[0], None),
            b"another".to_vec(),
            entry::leaf(&texts[1], Some(&salt)),
        ];
        let mut growing = Growing::default();
        for leaf in &leaves {
            growing.push(tree::leaf_hash(leaf));
        }
        let checkpoint = Checkpoint {
            origin: log.verifier().name().to_owned(),
            size: 3,
            root: growing.root(),
        };
        let mut tiles = TileSet::default();
        for tile in growing.changed() {
            tiles.put(tile.level, tile.n, tile.hashes);
        }
        let text = checkpoint.to_string();
        let lines = [log.sign(&text, 0), witness.sign(&text, 77)];
        let proof = |index| {
            let proof = tree::inclusion(index, 3, |l, i| tiles.node(l, i)).unwrap();
            proof.iter().map(|h| encode(&h.0)).collect()
        };
        let receipt = Receipt {
            format: FORMAT.to_owned(),
            record: published.record.clone(),
            origin: checkpoint.origin.clone(),
            vkey: log.verifier().to_string(),
            checkpoint: put_together(&text, lines.iter().map(String::as_str)),
            entries: vec![
                Proven {
                    index: 0,
                    entry: texts[0].clone(),
                    salt: None,
                    proof: proof(0),
                },
                Proven {
                    index: 2,
                    entry: texts[1].clone(),
                    salt: Some(encode(&salt)),
                    proof: proof(2),
                },
            ],
            pending: Vec::new(),
            metadata: Some("{}".to_owned()),
        };
        (receipt, log, witness)
    }

    #[test]
    fn a_true_receipt_proves_its_entries() {
        let (receipt, log, witness) = receipt();
        let found = receipt
            .verify(log.verifier(), &[witness.verifier().clone()])
            .unwrap();
        assert_eq!(found.entries.len(), 2);
        assert_eq!(found.witnesses, [("witness.example".to_owned(), 77)]);
    }

    #[test]
    fn a_receipt_that_was_changed_anywhere_is_refused() {
        let (good, log, _) = receipt();
        let refused = |what: &str, change: &dyn Fn(&mut Receipt)| {
            let mut bad = good.clone();
            change(&mut bad);
            assert!(bad.verify(log.verifier(), &[]).is_err(), "{what}");
        };
        refused("another record", &|r| r.record = "ccccc-ccc33".to_owned());
        refused("another format", &|r| r.format = "kho-receipt/2".to_owned());
        refused("another log", &|r| r.origin = "other.example".to_owned());
        refused("another description", &|r| {
            r.metadata = Some("{ }".to_owned());
        });
        refused("another place", &|r| r.entries[0].index = 1);
        refused("without its beginning", &|r| {
            r.entries.remove(0);
        });
        refused("nothing", &|r| r.entries.clear());
        refused("in another order", &|r| r.entries.swap(0, 1));
        refused("another salt", &|r| {
            r.entries[1].salt = Some(encode(&[8; 32]));
        });
        refused("without its salt", &|r| r.entries[1].salt = None);
        refused("a shorter proof", &|r| {
            r.entries[0].proof.pop();
        });
        refused("another root", &|r| {
            r.checkpoint = r.checkpoint.replace("\n3\n", "\n4\n");
        });
        refused("another time", &|r| {
            r.entries[0].entry = r.entries[0].entry.replace("08:00", "09:00");
        });
        let stranger = signer(5, Purpose::Log, "kho.example/ledger");
        assert!(good.verify(stranger.verifier(), &[]).is_err());
        let absent = signer(6, Purpose::Cosignature, "absent.example");
        let wanted = [absent.verifier().clone()];
        assert!(good.verify(log.verifier(), &wanted).is_err());
    }
}
