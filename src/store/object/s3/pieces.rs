//! Parts that a client cut smaller than a bucket takes them: each is an object of its own until all are there,
//! and then they are sent on as one upload.
//!
//! A piece has its digest in its key, so one that is sent again stands beside the first, and the caller's tag says
//! which one counts. An empty object, `part-<name>-0-0`, says that the upload is under way. Pieces always pass
//! through Kho.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    super::{PartPlan, Received},
    Bucket,
};
use crate::{
    error::{Error, Result},
    ids::Sha256,
};

/// The handle of such an upload; no server gives this as an id.
pub(super) const PIECES: &str = "pieces";
/// What keys of pieces begin with, among the unfinished.
pub(super) const PIECE: &str = "part-";
/// Pieces read at once.
const READS: usize = 4;

impl Bucket {
    /// Would a server refuse these parts?
    pub(super) fn in_pieces(&self, plan: PartPlan) -> bool {
        plan.count() > 1 && plan.part_size < self.0.sizes.least_part
    }

    pub(super) async fn begin_pieces(&self, name: &str) -> Result<String> {
        self.put(&self.pieces_open(name), Bytes::new()).await?;
        Ok(PIECES.to_owned())
    }

    pub(super) async fn pieces_are_open(&self, name: &str) -> Result<bool> {
        Ok(self.head(&self.pieces_open(name)).await?.is_some())
    }

    pub(super) fn piece_at(&self, name: &str, number: u32, sha256: Sha256) -> String {
        self.unfinished(&format!("{PIECE}{name}-{number}-{sha256}"))
    }

    fn pieces_open(&self, name: &str) -> String {
        self.unfinished(&format!("{PIECE}{name}-0-0"))
    }

    /// The name of an upload from the key of a piece.
    pub(super) fn name_of_piece<'k>(&self, key: &'k str) -> Option<&'k str> {
        let rest = key.strip_prefix(&self.unfinished(PIECE))?;
        rest.rsplitn(3, '-').nth(2)
    }

    /// All keys of an upload in pieces.
    pub(super) async fn pieces_of(&self, name: &str) -> Result<Vec<String>> {
        let found = self.below(self.unfinished(&format!("{PIECE}{name}-")));
        let keys: Vec<String> = found.map_ok(|found| found.key).try_collect().await?;
        // Another name may begin with this one.
        let ours = |key: &String| self.name_of_piece(key) == Some(name);
        Ok(keys.into_iter().filter(ours).collect())
    }

    /// The last piece of each number: number, size in bytes, tag.
    pub(super) async fn pieces(&self, name: &str) -> Result<Vec<(u32, u64, String)>> {
        let prefix = self.unfinished(&format!("{PIECE}{name}-"));
        let found: Vec<_> = self.below(prefix.clone()).try_collect().await?;
        let mut pieces: Vec<_> = found
            .iter()
            .filter_map(|found| {
                let (number, tag) = found.key.strip_prefix(&prefix)?.split_once('-')?;
                let number = number.parse().ok().filter(|n| *n > 0)?;
                Some((number, found.modified, found.size, tag.to_owned()))
            })
            .collect();
        pieces.sort();
        pieces.reverse();
        pieces.dedup_by_key(|(number, ..)| *number);
        pieces.reverse();
        let pieces = pieces.into_iter().map(|(n, _, size, tag)| (n, size, tag));
        Ok(pieces.collect())
    }

    /// See [`super::super::Objects::complete_parts`]. `None` when there is no such upload any more.
    pub(super) async fn join_pieces(
        &self,
        name: &str,
        plan: PartPlan,
        parts: &[(u32, String)],
    ) -> Result<Option<Received>> {
        if !self.pieces_are_open(name).await? {
            return Ok(None);
        }
        let mut receiver = self.receive(name);
        receiver.expect(plan.size);
        // By number: a closure over references would not be general enough for a task.
        let fetched = (0..parts.len()).map(|i| self.piece(name, plan, &parts[i]));
        let mut fetched = std::pin::pin!(stream::iter(fetched).buffered(READS));
        while let Some(bytes) = fetched.next().await {
            receiver.write(bytes?).await?;
        }
        let received = receiver.finish().await?;
        // First what says that it is under way: without it the others are only in the way.
        self.delete(&self.pieces_open(name)).await?;
        self.tidy(&self.pieces_of(name).await?).await;
        Ok(Some(received))
    }

    async fn piece(
        &self,
        name: &str,
        plan: PartPlan,
        (number, tag): &(u32, String),
    ) -> Result<Bytes> {
        let range = plan.range(*number);
        let missing = || Error::bad_request("parts-missing");
        let sha256: Sha256 = tag.parse().map_err(|_| missing())?;
        let key = self.piece_at(name, *number, sha256);
        let size = range.end - range.start;
        let bytes = self.fetch(&key, size).await?.ok_or_else(missing)?;
        if bytes.len() as u64 == size {
            Ok(bytes)
        } else {
            Err(missing())
        }
    }
}
