//! Uploads that go on: over several requests in a row, or in parts that come in any order and at once.
//!
//! # Contract (beside that of `mod.rs`; `conformance` runs it on each variant)
//!
//! 1. The caller keeps a [`Progress`] and gives it back. What was written after the last
//!    [`Receiver::pause`] that returned counts for nothing: it is overwritten, as after a crash.
//! 2. One upload has one writer. A second one is refused (`upload-busy`) where the store can tell, and
//!    otherwise never spoils what was paused; the caller holds a lease on top of that. A writer that died
//!    holds nothing.
//! 3. An earlier `Progress` may be given back only if no later one was handed out: the caller keeps the last.
//! 4. A part counts when [`PartReceiver::finish`] returned. Beginning a part anew may take back what had
//!    arrived for it; two writers of one part never mix their bytes.
//! 5. [`Objects::complete_parts`] takes exactly the parts that the caller names, by their tags, and fails when
//!    one of them is not what it was. Interrupted and called again with the same parts it succeeds; so does
//!    a `finish` that was interrupted when the upload is resumed from the last `Progress`.
//! 6. Nothing shows under the name before `finish` or `complete_parts`.
//!
//! Not here: who may go on with which upload (`files::upload`).

use std::{ops::Range, time::Duration};

use bytes::Bytes;
use futures::FutureExt;
use serde::{Deserialize, Serialize};

use super::{Objects, Received, Receiver, check_name, folder, path::ContentPath, s3};
use crate::{
    error::{Error, Problem, Result},
    ids::{Md5, Sha256},
};

/// How far an upload that goes on over several requests has come. The caller keeps it in its row and gives
/// it back to go on; what the store wrote after the last `pause` counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Bytes that are durable.
    pub size: u64,
    /// The store's own words: saved states of the hashers, the id of a multipart upload.
    pub state: String,
}

/// How a file is cut into parts: all of one size, but for the last. Parts have numbers from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartPlan {
    /// Of the whole, in bytes.
    pub size: u64,
    /// In bytes, more than 0.
    pub part_size: u64,
}

impl PartPlan {
    /// How many parts there are; an empty file has none.
    pub fn count(&self) -> u32 {
        u32::try_from(self.size.div_ceil(self.part_size.max(1))).unwrap_or(u32::MAX)
    }

    /// Where a part lies in the file; empty when there is no such part.
    pub fn range(&self, number: u32) -> Range<u64> {
        let start = u64::from(number.wrapping_sub(1)).saturating_mul(self.part_size);
        if number == 0 || start >= self.size {
            return 0..0;
        }
        start..start.saturating_add(self.part_size).min(self.size)
    }
}

/// A part on its way in.
#[derive(Debug)]
pub struct PartReceiver {
    range: Range<u64>,
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Folder(Box<folder::PartReceiver>),
    S3(s3::PartReceiver),
}

/// A part that arrived, durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedPart {
    /// Bytes.
    pub size: u64,
    pub sha256: Sha256,
    pub md5: Md5,
    /// What [`Objects::complete_parts`] wants to hear.
    pub tag: String,
}

impl Objects {
    /// Goes on with an upload where `progress` says; from nothing without one.
    pub async fn resume(&self, name: &str, progress: Option<&Progress>) -> Result<Receiver> {
        check_name(name)?;
        match self {
            Self::Folder(f) => Ok(Receiver::Folder(f.resume(name, progress).await?)),
            Self::S3(b) => Ok(Receiver::S3(b.resume(name, progress).boxed().await?)),
        }
    }

    /// Begins an upload in parts, that arrive in any order and at once. Gives a handle that the caller keeps.
    pub async fn begin_parts(&self, name: &str, plan: PartPlan) -> Result<String> {
        check_name(name)?;
        match self {
            Self::Folder(f) => f.begin_parts(name, plan).await,
            Self::S3(b) => b.begin_parts(name, plan).boxed().await,
        }
    }

    /// Takes the bytes of one part.
    pub async fn receive_part(
        &self,
        name: &str,
        handle: &str,
        plan: PartPlan,
        number: u32,
    ) -> Result<PartReceiver> {
        check_name(name)?;
        let range = plan.range(number);
        if range.is_empty() {
            return Err(no_such_part(number, plan));
        }
        let inner = match self {
            Self::Folder(f) => {
                let _ = handle;
                Inner::Folder(Box::new(f.receive_part(name, plan, number).await?))
            }
            Self::S3(b) => Inner::S3(b.receive_part(name, handle, plan, number).boxed().await?),
        };
        Ok(PartReceiver { range, inner })
    }

    /// An address that the client may PUT a part to, straight to the store; `None` where there is no such thing.
    pub async fn part_url(
        &self,
        name: &str,
        handle: &str,
        number: u32,
        valid: Duration,
    ) -> Result<Option<String>> {
        check_name(name)?;
        match self {
            Self::Folder(_) => {
                let _ = (handle, number, valid);
                Ok(None)
            }
            Self::S3(b) => b.part_url(name, handle, number, valid).boxed().await,
        }
    }

    /// What has arrived (number, size in bytes, tag), by number, as the store knows it.
    pub async fn arrived(
        &self,
        name: &str,
        handle: &str,
        plan: PartPlan,
    ) -> Result<Vec<(u32, u64, String)>> {
        check_name(name)?;
        match self {
            Self::Folder(f) => {
                let _ = handle;
                f.arrived(name, plan).await
            }
            Self::S3(b) => b.arrived(name, handle).boxed().await,
        }
    }

    /// Puts all parts together under `name`, reading the whole once for its digests; durable on return.
    /// `parts` are all of the plan, in their order, each with its tag.
    pub async fn complete_parts(
        &self,
        name: &str,
        handle: &str,
        plan: PartPlan,
        parts: &[(u32, String)],
    ) -> Result<Received> {
        check_name(name)?;
        let wanted = 1..=plan.count();
        if !wanted.eq(parts.iter().map(|(number, _)| *number)) {
            return Err(missing(parts.len(), plan));
        }
        match self {
            Self::Folder(f) => {
                let _ = handle;
                f.complete_parts(name, plan, parts).await
            }
            Self::S3(b) => b.complete_parts(name, handle, plan, parts).boxed().await,
        }
    }

    /// Where a reader may fetch a file of the archive straight from the store for a while; `None` on a folder.
    pub async fn read_url(
        &self,
        path: &ContentPath,
        valid: Duration,
        content_type: &str,
        content_disposition: &str,
    ) -> Result<Option<String>> {
        match self {
            Self::Folder(_) => {
                let _ = (path, valid, content_type, content_disposition);
                Ok(None)
            }
            Self::S3(b) => {
                b.read_url(path, valid, content_type, content_disposition)
                    .boxed()
                    .await
            }
        }
    }
}

impl Receiver {
    /// Makes durable what came so far and says how to go on. For receivers of [`Objects::resume`].
    pub async fn pause(self) -> Result<Progress> {
        match self {
            Self::Folder(r) => r.pause().await,
            Self::S3(r) => r.pause().boxed().await,
        }
    }
}

impl PartReceiver {
    /// Takes the next bytes; refuses those that would not fit into the part (`part-length`).
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let after = self.size() + bytes.len() as u64;
        if after > self.expected() {
            return Err(self.wrong_length(after));
        }
        match &mut self.inner {
            Inner::Folder(r) => r.write(bytes).await,
            Inner::S3(r) => r.write(bytes).boxed().await,
        }
    }

    /// How many bytes came so far.
    pub fn size(&self) -> u64 {
        match &self.inner {
            Inner::Folder(r) => r.size(),
            Inner::S3(r) => r.size(),
        }
    }

    /// How many bytes the part has.
    pub fn expected(&self) -> u64 {
        self.range.end - self.range.start
    }

    /// Makes the part durable. Fewer bytes than the part has are refused (`part-length`).
    pub async fn finish(self) -> Result<ReceivedPart> {
        if self.size() != self.expected() {
            return Err(self.wrong_length(self.size()));
        }
        match self.inner {
            Inner::Folder(r) => r.finish().await,
            Inner::S3(r) => r.finish().boxed().await,
        }
    }

    fn wrong_length(&self, received: u64) -> Error {
        let problem = Problem::new("part-length", "")
            .with("expected", self.expected())
            .with("received", received);
        Error::BadRequest(problem)
    }
}

/// Not the parts of the plan, or not as they were.
pub(super) fn missing(received: usize, plan: PartPlan) -> Error {
    let problem = Problem::new("parts-missing", "")
        .with("received", received)
        .with("parts", plan.count());
    Error::BadRequest(problem)
}

fn no_such_part(number: u32, plan: PartPlan) -> Error {
    let problem = Problem::new("part-number", "")
        .with("number", number)
        .with("parts", plan.count());
    Error::BadRequest(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_covers_the_file_without_gap_or_overlap() {
        for (size, part_size) in [(0, 5), (1, 5), (5, 5), (6, 5), (1_000_003, 4096), (7, 1)] {
            let plan = PartPlan { size, part_size };
            let mut at = 0;
            for number in 1..=plan.count() {
                let range = plan.range(number);
                assert_eq!(range.start, at);
                assert!(!range.is_empty() && range.end - range.start <= part_size);
                at = range.end;
            }
            assert_eq!(at, size);
            assert!(plan.range(plan.count() + 1).is_empty());
            assert!(plan.range(0).is_empty());
            assert!(plan.range(u32::MAX).is_empty());
        }
    }
}
