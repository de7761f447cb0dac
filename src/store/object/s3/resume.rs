//! Uploads that go on over several requests: whole parts are in a multipart upload, the rest, too little for
//! a part, waits in an object of its own, and the hashers' states are with the caller.
//!
//! The caller's row does not grow with the file: the parts themselves are asked of the server at the end, and
//! a digest over what it acknowledged tells whether they are still the same.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256 as Sha256Hasher};

use super::{
    super::{Progress, hashers::Hashers},
    Bucket,
    multipart::{Part, newest},
    put::digest,
    receive::{Digests, Receiver, SMALL_PARTS, Upload},
};
use crate::{
    error::{Error, Result},
    ids::Sha256,
};

/// What [`Progress::state`] holds, as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct State {
    /// Of the bytes in parts.
    hashers: String,
    /// Bytes in parts.
    sent: u64,
    upload: Option<Parts>,
    tail: Option<Tail>,
    /// Tails of earlier rests. They count until somebody goes on from here.
    #[serde(default)]
    leftover: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Parts {
    id: String,
    /// The numbers of the parts that count, first and last of each run.
    runs: Vec<(u32, u32)>,
    /// See [`chain`].
    chain: String,
}

/// The object with the bytes beyond the parts.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Tail {
    key: String,
    size: u64,
    sha256: Sha256,
}

impl Bucket {
    pub(in super::super) async fn resume(
        &self,
        name: &str,
        progress: Option<&Progress>,
    ) -> Result<Receiver> {
        let mut receiver = self.receive(name);
        // Not every server lists the SHA-256 of a part, and to put parts together that have one all must be
        // named; so these parts have their MD5 with them.
        receiver.checked = false;
        let Some(progress) = progress else {
            return Ok(receiver);
        };
        let unread = |e: &dyn std::fmt::Display| Error::internal("state of an upload", e);
        let state: State = serde_json::from_str(&progress.state).map_err(|e| unread(&e))?;
        let tail_size = state.tail.as_ref().map_or(0, |tail| tail.size);
        if state.sent + tail_size != progress.size {
            return Err(unread(&"its sizes do not add up"));
        }
        receiver.size = progress.size;
        receiver.sent = state.sent;
        receiver.digests = Digests::Resting(Hashers::read(&state.hashers)?);
        if let Some(parts) = state.upload {
            receiver.upload = Some(self.reopen(name, parts, state.sent).await?);
        }
        // The caller recorded this progress, so those before it count for nothing now.
        self.tidy(&state.leftover).await;
        if let Some(tail) = state.tail {
            let bytes = self.tail(name, &tail, state.sent).await?;
            receiver.buffer.extend_from_slice(&bytes);
            receiver.leftover.push(tail.key);
        }
        Ok(receiver)
    }

    /// The multipart upload of earlier requests. A `finish` may have put it together without anybody having
    /// taken note: then its bytes are copied into a new one.
    async fn reopen(&self, name: &str, parts: Parts, sent: u64) -> Result<Upload> {
        let key = self.staged_at(name);
        let last = parts.runs.last().map_or(0, |run| run.1);
        if let Some(stray) = self.parts_after(&key, &parts.id, last).await? {
            // What a broken request sent counts for nothing, but has its number: a second part of the same number
            // could not be told from it, nor from one that is still on its way.
            let last = stray.iter().map(|part| part.number).fold(last, u32::max);
            return Ok(Upload {
                id: parts.id,
                last,
                earlier: parts.runs,
                chain: parts.chain,
                parts: Vec::new(),
                ours: false,
            });
        }
        let finished = self.head(&key).await?.filter(|head| head.size >= sent);
        let finished = finished.ok_or_else(|| Error::internal(&key, "its upload is gone"))?;
        let id = self.begin(&key, false).await?;
        let mut upload = Upload {
            id,
            last: 0,
            earlier: Vec::new(),
            chain: String::new(),
            parts: Vec::new(),
            ours: true,
        };
        let copied = self.copy_parts(&key, &key, &upload.id, sent, finished.etag);
        match copied.await {
            Ok(parts) => {
                let unchecked = |part| Part {
                    sha256: None,
                    ..part
                };
                upload.last = parts.len() as u32;
                upload.parts = parts.into_iter().map(unchecked).collect();
                Ok(upload)
            }
            Err(e) => {
                self.abort(&key, &upload.id).await?;
                Err(e)
            }
        }
    }

    /// The bytes beyond the parts; from the finished upload when a `finish` removed them already.
    async fn tail(&self, name: &str, tail: &Tail, sent: u64) -> Result<Bytes> {
        let bytes = if let Some(bytes) = self.fetch(&tail.key, tail.size).await? {
            bytes
        } else {
            let key = self.staged_at(name);
            let reading = self.read_key(key, sent..sent + tail.size).await?;
            let chunks: Vec<Bytes> = reading
                .try_collect()
                .await
                .map_err(|e| Error::io(&tail.key, &e))?;
            chunks.concat().into()
        };
        if digest(&bytes).await? == tail.sha256 {
            Ok(bytes)
        } else {
            Err(Error::internal(&tail.key, "has other bytes"))
        }
    }

    /// The parts that earlier requests sent, if they still are what was acknowledged.
    pub(super) async fn earlier_parts(&self, key: &str, upload: &Upload) -> Result<Vec<Part>> {
        if upload.earlier.is_empty() {
            return Ok(Vec::new());
        }
        let parts = self.parts(key, &upload.id).await?;
        let mut parts = parts.ok_or_else(|| Error::internal(key, "its upload is gone"))?;
        let counts = |part: &Part| {
            let mut runs = upload.earlier.iter();
            runs.any(|(first, last)| (*first..=*last).contains(&part.number))
        };
        parts.retain(counts);
        let mut parts = newest(parts);
        for part in &mut parts {
            part.sha256 = None;
        }
        if chain("", &parts) == upload.chain {
            Ok(parts)
        } else {
            Err(Error::internal(key, "its parts are not what they were"))
        }
    }
}

impl Receiver {
    pub(in super::super) async fn pause(mut self) -> Result<Progress> {
        self.refuse_torn()?;
        let sizes = self.bucket.0.sizes;
        let rested = self.upload.as_ref().map_or(0, |upload| upload.last);
        // Short parts are few, so that their number lasts for the whole file.
        if self.buffer.len() as u64 >= sizes.least_part && rested < SMALL_PARTS {
            self.send_part().await?;
        }
        self.settle().await?;
        let hashers = self.digests().await?.text();
        let mut leftover = std::mem::take(&mut self.leftover);
        let tail = if self.buffer.is_empty() {
            None
        } else {
            let (key, bytes) = (
                self.bucket.tail_at(&self.name, self.size),
                self.buffer.split().freeze(),
            );
            let (size, sha256) = (bytes.len() as u64, digest(&bytes).await?);
            self.bucket.put_known(&key, bytes, sha256).await?;
            leftover.retain(|old| *old != key);
            Some(Tail { key, size, sha256 })
        };
        let upload = self.upload.take().map(|upload| Parts {
            chain: chain(&upload.chain, &upload.parts),
            runs: runs(&upload.earlier, &upload.parts),
            id: upload.id.clone(),
        });
        let state = State {
            hashers,
            sent: self.sent,
            upload,
            tail,
            leftover,
        };
        let state = serde_json::to_string(&state).map_err(|e| Error::internal("upload", e))?;
        Ok(Progress {
            size: self.size,
            state,
        })
    }
}

/// The numbers of these parts, in their order, after those before.
fn runs(before: &[(u32, u32)], parts: &[Part]) -> Vec<(u32, u32)> {
    let mut runs = before.to_vec();
    for part in parts {
        match runs.last_mut() {
            Some(run) if run.1 + 1 == part.number => run.1 = part.number,
            _ => runs.push((part.number, part.number)),
        }
    }
    runs
}

/// A digest over what the server acknowledged of parts, in their order; `before` is that of the parts before.
fn chain(before: &str, parts: &[Part]) -> String {
    parts.iter().fold(before.to_owned(), |before, part| {
        let line = format!(
            "{before} {} {} {}",
            part.number,
            part.size,
            bare(&part.etag)
        );
        STANDARD.encode(Sha256Hasher::digest(line))
    })
}

/// Some answers have an ETag in quotes and some have not.
pub(super) fn bare(etag: &str) -> &str {
    etag.trim_matches('"')
}
