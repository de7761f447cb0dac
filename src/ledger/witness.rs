//! Both halves of being witnessed: the log takes cosignatures of the witnesses it is configured with, and a witness
//! follows a log, refusing what does not continue what it saw before.
//!
//! A witness comes by itself (`kho ledger witness`): it fetches the checkpoint and the proof from the tree it knows,
//! and posts its cosignature. So it needs no server of its own, and the log no address of it.

use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};
use serde::{Deserialize, Serialize};

use super::{
    checkpoint::Checkpoint,
    key,
    note::{Note, Signer, Verdict, VerifierKey},
    read, tree,
};
use crate::{
    ctx::Env,
    error::{Error, Problem, Result},
    ids::Sha256,
    store::{db, table::ledger::cosignature},
};

/// How far a witness's clock may be ahead, in seconds.
const AHEAD: i64 = 300;

/// Takes the cosignatures of configured witnesses on one of our checkpoints. Signatures of others are ignored; one
/// that says it is a witness's and is not refuses the whole. Gives how many were taken.
pub async fn add_cosignature(env: &Env, sent: &[u8]) -> Result<usize> {
    let refuse = |why: &str| Error::BadRequest(Problem::new("cosignature", "").with("why", why));
    let note = Note::parse(sent).map_err(|e| refuse(e.0))?;
    let checkpoint: Checkpoint = note
        .text
        .parse()
        .map_err(|e: super::note::BadNote| refuse(e.0))?;
    if read::text_at(env, checkpoint.size).await?.as_ref() != Some(&note.text) {
        return Err(refuse("not a checkpoint of this log"));
    }
    let mut good = Vec::new();
    for witness in key::witnesses(env)? {
        match note.verify(&witness) {
            Verdict::Absent => {}
            Verdict::Wrong => return Err(refuse("a signature is wrong")),
            Verdict::Signed(at) => {
                let at = i64::try_from(at).unwrap_or(i64::MAX);
                if at > env.now().timestamp() + AHEAD {
                    return Err(refuse("the cosignature is from the future"));
                }
                good.extend(note.line_of(&witness).map(|line| (witness, at, line)));
            }
        }
    }
    if good.is_empty() {
        return Err(refuse("no signature of a known witness"));
    }
    let taken = good.len();
    let tx = env.db.begin().await?;
    db::order_changes(&tx).await?;
    for (witness, at, line) in good {
        let name = witness.to_string();
        let size = checkpoint.size as i64;
        let known = cosignature::Entity::find_by_id((size, name.clone()))
            .one(&tx)
            .await?;
        // Somebody else may send an old one again.
        if known.is_some_and(|k| k.stamp >= at) {
            continue;
        }
        let row = cosignature::ActiveModel {
            size: Set(size),
            witness: Set(name),
            stamp: Set(at),
            line: Set(line),
        };
        let same = [cosignature::Column::Size, cosignature::Column::Witness];
        let change = [cosignature::Column::Stamp, cosignature::Column::Line];
        cosignature::Entity::insert(row)
            .on_conflict(OnConflict::columns(same).update_columns(change).to_owned())
            .exec_without_returning(&tx)
            .await?;
    }
    tx.commit().await?;
    Ok(taken)
}

/// What a witness remembers of a log; kept in its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The log's key, taken at the first sight and never changed.
    pub vkey: String,
    pub size: u64,
    pub root: Sha256,
}

/// Why a witness does not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the log's answer cannot be read: {0}")]
    Unreadable(String),
    #[error("the checkpoint is not signed by the log's key")]
    Unsigned,
    #[error("the log went back: {before} entries were seen, now it shows {now}")]
    WentBack { before: u64, now: u64 },
    #[error(
        "THE LOG WAS CHANGED: what it shows does not continue what was seen before. Keep this checkpoint as evidence:\n{0}"
    )]
    Changed(String),
}

/// A checkpoint that was read and is signed by the log.
#[derive(Debug, Clone)]
pub struct Shown {
    note: Note,
    whole: String,
    pub checkpoint: Checkpoint,
}

impl Shown {
    pub fn read(body: &[u8], log: &VerifierKey) -> Result<Self, Refusal> {
        let note = Note::parse(body).map_err(|e| Refusal::Unreadable(e.to_string()))?;
        let checkpoint: Checkpoint = note
            .text
            .parse()
            .map_err(|e: super::note::BadNote| Refusal::Unreadable(e.to_string()))?;
        if !matches!(note.verify(log), Verdict::Signed(_)) || checkpoint.origin != log.name() {
            return Err(Refusal::Unsigned);
        }
        Ok(Self {
            whole: String::from_utf8_lossy(body).into_owned(),
            note,
            checkpoint,
        })
    }

    /// Does it continue what was seen? `proof` is from there to here. What to remember, if so.
    pub fn follows(
        &self,
        seen: Option<&Seen>,
        log: &VerifierKey,
        proof: &[Sha256],
    ) -> Result<Seen, Refusal> {
        let now = &self.checkpoint;
        if let Some(seen) = seen {
            if now.size < seen.size {
                return Err(Refusal::WentBack {
                    before: seen.size,
                    now: now.size,
                });
            }
            if !tree::verify_consistency(seen.size, now.size, proof, seen.root, now.root) {
                return Err(Refusal::Changed(self.whole.clone()));
            }
        } else if now.size == 0 && now.root != tree::empty_root() {
            return Err(Refusal::Changed(self.whole.clone()));
        }
        Ok(Seen {
            vkey: log.to_string(),
            size: now.size,
            root: now.root,
        })
    }

    /// The note to send back, with the witness's line and no other.
    pub fn cosigned(&self, witness: &Signer, seconds: u64) -> String {
        let text = &self.note.text;
        read::with_line(text, &witness.sign(text, seconds))
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;
    use crate::ledger::{
        note::Purpose,
        tiles::{Growing, TileSet},
    };

    fn log() -> Signer {
        let key = SigningKey::from_bytes(&[1; 32]);
        Signer::new("kho.example/ledger", Purpose::Log, key).unwrap()
    }

    /// The checkpoint of a log with these leaves, its tiles, and a proof from the first `from`.
    fn shown(leaves: &[&str], from: u64) -> (Vec<u8>, Vec<Sha256>) {
        let mut growing = Growing::default();
        for leaf in leaves {
            growing.push(tree::leaf_hash(leaf.as_bytes()));
        }
        let (size, root) = (growing.size(), growing.root());
        let mut tiles = TileSet::default();
        for tile in growing.changed() {
            tiles.put(tile.level, tile.n, tile.hashes);
        }
        let origin = log().verifier().name().to_owned();
        let text = Checkpoint { origin, size, root }.to_string();
        let note = read::with_line(&text, &log().sign(&text, 0));
        let proof = tree::consistency(from, size, |l, i| tiles.node(l, i)).unwrap_or_default();
        (note.into_bytes(), proof)
    }

    #[test]
    fn a_witness_follows_a_log_that_grows_and_no_other() {
        let key = log().verifier().clone();
        let (body, _) = shown(&["a", "b"], 0);
        let first = Shown::read(&body, &key).unwrap();
        let seen = first.follows(None, &key, &[]).unwrap();
        assert_eq!(seen.size, 2);

        let (body, proof) = shown(&["a", "b", "c"], 2);
        let grown = Shown::read(&body, &key).unwrap();
        let next = grown.follows(Some(&seen), &key, &proof).unwrap();
        assert_eq!(next.size, 3);
        let same = grown.follows(Some(&next), &key, &[]).unwrap();
        assert_eq!(same, next);

        let (body, proof) = shown(&["a", "B", "c", "d"], 3);
        let changed = Shown::read(&body, &key).unwrap();
        let refused = changed.follows(Some(&next), &key, &proof).unwrap_err();
        assert!(matches!(refused, Refusal::Changed(_)));
        let (body, _) = shown(&["a", "B", "c"], 3);
        let same_size = Shown::read(&body, &key).unwrap();
        assert!(same_size.follows(Some(&next), &key, &[]).is_err());
        let back = first.follows(Some(&next), &key, &[]).unwrap_err();
        assert!(matches!(back, Refusal::WentBack { before: 3, now: 2 }));

        let other = SigningKey::from_bytes(&[2; 32]);
        let other = Signer::new("kho.example/ledger", Purpose::Log, other).unwrap();
        assert!(Shown::read(&body, other.verifier()).is_err());
        let tampered = String::from_utf8(body).unwrap().replace("\n3\n", "\n5\n");
        assert!(Shown::read(tampered.as_bytes(), &key).is_err());
    }
}
