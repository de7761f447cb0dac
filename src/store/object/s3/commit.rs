//! Changing the archive tree where nothing can be renamed: the order of writing stands in for it.
//!
//! A commit: the note; every entry but the last, in order, the files of a run of staged ones several at a
//! time; a listing that shows each with its size; the last entry, which is the sign; the heads. What fails before
//! the sign is removed again, and what a crash leaves has its note. A reader that sees no sign sees nothing.

use std::collections::HashMap;

use aws_sdk_s3::types::ChecksumAlgorithm;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    super::{Commit, ContentPath, Entry, EntrySource},
    Bucket,
    fault::failed,
    multipart::{MOST_PARTS, Part},
    put::checksum_of_all,
};
use crate::{
    error::{Error, Result},
    ids::Sha256,
};

/// Files that are copied at once.
const COPIES: usize = 32;
/// Parts of one large file that are copied at once.
const PART_COPIES: usize = 4;
/// The least that is copied as one part.
const COPY_PART: u64 = 512 << 20;
/// Keys removed in one request.
const AT_ONCE: usize = 1000;
/// What a copy's source keeps of a key.
const KEY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

impl Bucket {
    pub(in super::super) async fn commit(&self, commit: Commit) -> Result<()> {
        let folder = format!("{}/", self.archived(&commit.folder));
        if self.any_below(&folder).await? {
            let taken = format!("{} is there already", commit.folder);
            return Err(Error::internal("object store", taken));
        }
        if let Some(note) = &commit.note {
            self.write_note(note).await?;
        }
        if let Err(e) = self.write_entries(&folder, &commit.entries).await {
            // Nothing of it is to be there. What cannot be removed now has its note.
            if let Err(left) = self.remove(&commit.folder).await {
                tracing::warn!(folder = %commit.folder, error = %left, "half of a commit is left");
            }
            return Err(e);
        }
        self.replace(commit.heads).await
    }

    pub(in super::super) async fn replace(&self, files: Vec<(ContentPath, Bytes)>) -> Result<()> {
        for (path, bytes) in files {
            self.put(&self.archived(&path), bytes).await?;
        }
        Ok(())
    }

    /// What stands in the folder itself goes first: without it the rest is not an object any more. Asked again it goes
    /// on where it stopped.
    pub(in super::super) async fn remove(&self, path: &ContentPath) -> Result<()> {
        let folder = format!("{}/", self.archived(path));
        let names = self.list(path).await?.into_iter();
        let signs = names.filter(|l| matches!(l.kind, super::super::ListedKind::File(_)));
        let signs: Vec<String> = signs.map(|l| format!("{folder}{}", l.name)).collect();
        self.delete_all(&signs).await?;
        loop {
            // Listed anew each time, because what is removed moves the pages.
            let keys = self.below(folder.clone()).take(AT_ONCE);
            let keys: Vec<String> = keys.map_ok(|found| found.key).try_collect().await?;
            if keys.is_empty() {
                return Ok(());
            }
            self.delete_all(&keys).await?;
        }
    }

    async fn write_entries(&self, folder: &str, entries: &[Entry]) -> Result<()> {
        let Some((sign, before)) = entries.split_last() else {
            return Ok(());
        };
        let staged = |entry: &Entry| matches!(entry.source, EntrySource::Staged { .. });
        for run in before.chunk_by(|a, b| staged(a) && staged(b)) {
            // By number: a closure over references would not be general enough for a task.
            let writes = (0..run.len()).map(|i| self.writing(folder, &run[i]));
            stream::iter(writes)
                .buffer_unordered(COPIES)
                .try_collect::<()>()
                .await?;
        }
        self.check_entries(folder, before).await?;
        self.writing(folder, sign).await?;
        if staged(sign) {
            self.check_entries(folder, std::slice::from_ref(sign))
                .await?;
        }
        Ok(())
    }

    /// The work of one entry, borrowing nothing: many are under way at once.
    fn writing(
        &self,
        folder: &str,
        entry: &Entry,
    ) -> impl Future<Output = Result<()>> + Send + use<> {
        enum Work {
            Write(Bytes),
            Copy(String, u64, Sha256),
        }
        let (bucket, key) = (self.clone(), format!("{folder}{}", entry.path));
        let work = match &entry.source {
            EntrySource::Bytes(bytes) => Work::Write(bytes.clone()),
            EntrySource::Staged { name, size, sha256 } => {
                Work::Copy(self.staged_at(name), *size, *sha256)
            }
        };
        async move {
            match work {
                Work::Write(bytes) => bucket.put(&key, bytes).await,
                Work::Copy(from, size, sha256) if size <= bucket.0.sizes.copy => {
                    bucket.copy(&from, &key, size, sha256).await
                }
                Work::Copy(from, size, _) => bucket.copy_large(&from, &key, size).await,
            }
        }
    }

    /// An acknowledged copy that is not there, or is short, is found before anybody relies on it.
    async fn check_entries(&self, folder: &str, entries: &[Entry]) -> Result<()> {
        let mut missing: HashMap<&str, u64> = entries
            .iter()
            .map(|entry| {
                let size = match &entry.source {
                    EntrySource::Bytes(bytes) => bytes.len() as u64,
                    EntrySource::Staged { size, .. } => *size,
                };
                (entry.path.as_str(), size)
            })
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let mut found = std::pin::pin!(self.below(folder.to_owned()));
        while let Some(object) = found.try_next().await? {
            let path = object.key.strip_prefix(folder).unwrap_or_default();
            if let Some(size) = missing.remove(path)
                && size != object.size
            {
                let told = format!("has {} bytes, not {size}", object.size);
                return Err(Error::internal(&object.key, told));
            }
        }
        match missing.into_keys().next() {
            None => Ok(()),
            Some(path) => Err(Error::internal(
                &format!("{folder}{path}"),
                "was acknowledged and is not there",
            )),
        }
    }

    /// One request; the server hashes what it copies, where it can.
    pub(super) async fn copy(&self, from: &str, to: &str, size: u64, sha256: Sha256) -> Result<()> {
        let copied = self
            .client()
            .copy_object()
            .bucket(self.name())
            .key(to)
            .copy_source(self.source(from))
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .customize()
            .config_override(self.within(self.patience().copying(size)))
            .send()
            .await
            .map_err(|e| failed(&format!("copying {from} to {to}"), &e))?;
        let found = copied
            .copy_object_result()
            .and_then(|r| r.checksum_sha256());
        match found.and_then(checksum_of_all) {
            Some(found) if found != sha256 => {
                let told = format!("copied bytes have the digest {found}, not {sha256}");
                Err(Error::internal(to, told))
            }
            _ => Ok(()),
        }
    }

    /// More than one request may copy: in parts, of the very object that was looked at.
    async fn copy_large(&self, from: &str, to: &str, size: u64) -> Result<()> {
        let source = self.head(from).await?;
        let source = source.ok_or_else(|| Error::internal(from, "is not there"))?;
        if source.size != size {
            let told = format!("has {} bytes, not {size}", source.size);
            return Err(Error::internal(from, told));
        }
        let id = self.begin(to, false).await?;
        let copied = async {
            let parts = self.copy_parts(from, to, &id, size, source.etag).await?;
            self.complete(to, &id, &parts, size).await
        };
        let copied = copied.await;
        if copied.is_err()
            && let Err(left) = self.abort(to, &id).await
        {
            tracing::warn!(key = to, error = %left, "a copy is left for the sweep");
        }
        copied
    }

    /// Copies the first `size` bytes of an object into an upload that is under way, as its first parts.
    pub(super) async fn copy_parts(
        &self,
        from: &str,
        to: &str,
        id: &str,
        size: u64,
        etag: Option<String>,
    ) -> Result<Vec<Part>> {
        let part = COPY_PART
            .min(self.0.sizes.copy)
            .max(size.div_ceil(u64::from(MOST_PARTS)));
        let source = self.source(from);
        let copies = (0..size.div_ceil(part)).map(|i| {
            let (start, end) = (i * part, ((i + 1) * part).min(size));
            let number = i as u32 + 1;
            let asked = self
                .client()
                .upload_part_copy()
                .bucket(self.name())
                .key(to)
                .upload_id(id)
                .part_number(number as i32)
                .copy_source(&source)
                .copy_source_range(format!("bytes={start}-{}", end - 1))
                .set_copy_source_if_match(etag.clone())
                .customize()
                .config_override(self.within(self.patience().copying(end - start)));
            async move {
                let copied = asked.send().await;
                let copied =
                    copied.map_err(|e| failed(&format!("copying part {number} of {to}"), &e))?;
                let result = copied.copy_part_result();
                let etag = result.and_then(|r| r.e_tag()).unwrap_or_default();
                Ok::<_, Error>(Part {
                    number,
                    size: end - start,
                    etag: etag.to_owned(),
                    sha256: result.and_then(|r| r.checksum_sha256()).map(str::to_owned),
                })
            }
        });
        stream::iter(copies)
            .buffered(PART_COPIES)
            .try_collect()
            .await
    }

    fn source(&self, key: &str) -> String {
        format!("{}/{}", self.name(), utf8_percent_encode(key, KEY))
    }
}
