//! The ledger: an append-only Merkle log of every publication, correction, withdrawal and restoration, so that
//! anybody can prove that what was published did not change in silence.
//!
//! Hashes and proofs are those of RFC 9162; tiles, signed notes, checkpoints and cosignatures are C2SP's
//! (`tlog-tiles`, `signed-note`, `tlog-checkpoint`, `tlog-cosignature`). Why it is so: `docs/adr/0011-ledger.md`.
//!
//! How an event gets in: `append` writes a row in the transaction that makes it true, under the lock of the change
//! feed, so that rows have no gaps and stand in the order of commits. `integrate`, once a second at most and one
//! process at a time, puts new rows into the tree, signs, writes entries and checkpoint beside the archive, and only
//! then shows the checkpoint.
//!
//! Invariants:
//! * a row of the log is never changed or removed once its transaction is committed;
//! * no checkpoint is shown that is not in the archive's copy, and none is signed that does not contain the one in
//!   the copy: a database that was lost or set back cannot make the log tell another story.
//!
//! Not here: what events mean (`publish`), how answers look (`api`).

mod append;
mod backfill;
mod check;
pub mod checkpoint;
pub mod entry;
mod integrate;
mod key;
mod mirror;
pub mod note;
mod read;
pub mod receipt;
pub mod tiles;
pub mod tree;
pub mod witness;

pub use self::{
    append::{Fact, append, append_again, ensure},
    backfill::backfill,
    check::{Finding, check},
    integrate::{accept, begin, integrate, keep},
    key::{generate, origin, read_key, signer},
    read::{
        Cosigned, Place, checkpoint, consistency, first_place, receipt, root_of, tile, verifier,
        witnesses,
    },
    witness::add_cosignature,
};
