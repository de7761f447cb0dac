//! Uploads at rest and notes: is it there, away with it, away with what nobody wants.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};

use super::{super::Note, Bucket, pieces::PIECE};
use crate::error::Result;

/// What keys of notes begin with, among the unfinished.
const NOTE: &str = "note-";
/// What keys of tails begin with, before the name of the upload and what makes them differ.
const TAIL: &str = "tail-";
/// A note is a line.
const MAX_NOTE: u64 = 64 << 10;
/// Keys gathered before they are removed in one request.
const AT_ONCE: usize = 1000;
/// Notes read at once.
const READS: usize = 8;

impl Bucket {
    pub(in super::super) async fn staged(&self, name: &str) -> Result<Option<u64>> {
        let head = self.head(&self.staged_at(name)).await?;
        Ok(head.map(|head| head.size))
    }

    pub(in super::super) async fn discard(&self, name: &str) -> Result<()> {
        let key = self.staged_at(name);
        if self.head(&key).await?.is_some() {
            // Finished: what was unfinished of it went then.
            return self.delete(&key).await;
        }
        for open in self.open_uploads(&key).await? {
            // Another name may begin with this one.
            if open.key == key {
                self.abort(&key, &open.id).await?;
            }
        }
        let tails = self.below(self.unfinished(&format!("{TAIL}{name}-")));
        let tails: Vec<String> = tails.map_ok(|tail| tail.key).try_collect().await?;
        let of_name = |key: &String| self.name_of_tail(key) == Some(name);
        let tails: Vec<String> = tails.into_iter().filter(of_name).collect();
        self.delete_all(&tails).await?;
        self.delete_all(&self.pieces_of(name).await?).await
    }

    pub(in super::super) async fn sweep(
        &self,
        older_than: SystemTime,
        keep: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<u64> {
        let before = older_than.duration_since(UNIX_EPOCH).unwrap_or_default();
        let before = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
        let mut removed = 0;
        for prefix in [
            self.staged_at(""),
            self.unfinished(TAIL),
            self.unfinished(PIECE),
        ] {
            let mut found = std::pin::pin!(self.below(prefix).try_ready_chunks(AT_ONCE));
            loop {
                let found = match found.next().await {
                    None => break,
                    Some(Ok(found)) => found,
                    Some(Err(e)) => return Err(e.1),
                };
                let unclaimed = found.into_iter().filter(|object| {
                    let name = self.name_of(&object.key);
                    let name = name.or_else(|| self.name_of_tail(&object.key));
                    let name = name.or_else(|| self.name_of_piece(&object.key));
                    object.modified < before && !name.is_some_and(keep)
                });
                let keys: Vec<String> = unclaimed.map(|object| object.key).collect();
                self.delete_all(&keys).await?;
                removed += keys.len() as u64;
            }
        }
        // Also those that were to put an object of the archive together.
        for open in self.open_uploads(&self.0.root).await? {
            let kept = self.name_of(&open.key).is_some_and(keep);
            if open.begun < before && !kept {
                self.abort(&open.key, &open.id).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    pub(in super::super) async fn notes(&self) -> Result<Vec<Note>> {
        let prefix = self.unfinished(NOTE);
        let found: Vec<_> = self.below(prefix.clone()).try_collect().await?;
        let names = found
            .into_iter()
            .filter_map(|object| object.key.strip_prefix(&prefix).map(str::to_owned));
        let notes = stream::iter(names.collect::<Vec<_>>())
            .map(|name| async move { self.note(&name).await })
            .buffered(READS)
            .try_collect::<Vec<_>>();
        let mut notes: Vec<Note> = notes.await?.into_iter().flatten().collect();
        notes.sort();
        Ok(notes)
    }

    pub(in super::super) async fn note(&self, name: &str) -> Result<Option<Note>> {
        let bytes = self.fetch(&self.note_at(name), MAX_NOTE).await?;
        Ok(bytes.map(|bytes| Note {
            name: name.to_owned(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }))
    }

    pub(in super::super) async fn forget(&self, name: &str) -> Result<()> {
        self.delete(&self.note_at(name)).await
    }

    pub(super) async fn write_note(&self, note: &Note) -> Result<()> {
        let text = Bytes::copy_from_slice(note.text.as_bytes());
        self.put(&self.note_at(&note.name), text).await
    }

    fn note_at(&self, name: &str) -> String {
        self.unfinished(&format!("{NOTE}{name}"))
    }

    /// Where the bytes are that an upload has beyond its parts, after `size` bytes.
    pub(super) fn tail_at(&self, name: &str, size: u64) -> String {
        self.unfinished(&format!("{TAIL}{name}-{size}"))
    }

    fn name_of_tail<'k>(&self, key: &'k str) -> Option<&'k str> {
        let rest = key.strip_prefix(&self.unfinished(TAIL))?;
        Some(rest.rsplit_once('-')?.0)
    }

    /// Removes what counts for nothing any more; what stays is found by the sweep.
    pub(super) async fn tidy(&self, keys: &[String]) {
        if let Err(error) = self.delete_all(keys).await {
            tracing::warn!(%error, "left for the sweep");
        }
    }
}
