//! Reading: a range as a stream of exactly its bytes. A connection that breaks or stands still is taken up
//! again where it stopped, a few times; an object that is shorter than it should be is an error at once.

use std::{io, ops::Range, time::Duration};

use aws_sdk_s3::primitives::ByteStream;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};

use super::{
    super::{ContentPath, Reading},
    Bucket,
    fault::{absent, failed, status},
};
use crate::error::{Error, Result};

/// How often in a row one reading is taken up again.
const AGAIN: u32 = 4;
/// Bytes after which a break counts as the first again: on the way to 100 GB there may be many.
const PROGRESS: u64 = 8 << 20;

impl Bucket {
    pub(in super::super) async fn read(
        &self,
        path: &ContentPath,
        range: Range<u64>,
    ) -> Result<Reading> {
        self.read_key(self.archived(path), range).await
    }

    pub(in super::super) async fn read_staged(
        &self,
        name: &str,
        range: Range<u64>,
    ) -> Result<Reading> {
        self.read_key(self.staged_at(name), range).await
    }

    pub(super) async fn read_key(&self, key: String, range: Range<u64>) -> Result<Reading> {
        let short = |size: u64| {
            let wanted = format!("has {size} bytes, {} were wanted", range.end);
            Error::internal(&key, wanted)
        };
        if range.is_empty() {
            // There is no way to ask for nothing.
            return match self.head(&key).await? {
                Some(head) if head.size >= range.end => Ok(stream::empty().boxed()),
                Some(head) => Err(short(head.size)),
                None => Err(Error::internal(&key, "is not there")),
            };
        }
        let opened = match self.ask(&key, Some(range.clone()), None).await? {
            Opened::Body(body) => body,
            Opened::Absent => return Err(Error::internal(&key, "is not there")),
            Opened::Beyond => return Err(short(range.start)),
        };
        if opened.length != range.end - range.start {
            return Err(short(range.start + opened.length));
        }
        let cursor = Cursor {
            bucket: self.clone(),
            key,
            etag: opened.etag,
            body: Some(opened.body),
            at: range.start,
            end: range.end,
            breaks: 0,
            broke_at: range.start,
        };
        Ok(stream::unfold(cursor, Cursor::next).boxed())
    }

    pub(in super::super) async fn get(
        &self,
        path: &ContentPath,
        limit: u64,
    ) -> Result<Option<Bytes>> {
        self.fetch(&self.archived(path), limit).await
    }

    /// A small object whole.
    pub(super) async fn fetch(&self, key: &str, limit: u64) -> Result<Option<Bytes>> {
        let opened = match self.ask(key, None, None).await? {
            Opened::Body(body) => body,
            Opened::Absent => return Ok(None),
            Opened::Beyond => return Err(Error::internal(key, "cannot be read")),
        };
        if opened.length > limit {
            return Err(Error::internal(key, "over the limit"));
        }
        let mut bytes = BytesMut::with_capacity(opened.length as usize);
        let cursor = Cursor {
            bucket: self.clone(),
            key: key.to_owned(),
            etag: opened.etag,
            body: Some(opened.body),
            at: 0,
            end: opened.length,
            breaks: 0,
            broke_at: 0,
        };
        let mut reading = stream::unfold(cursor, Cursor::next).boxed();
        while let Some(chunk) = reading.next().await {
            bytes.extend_from_slice(&chunk.map_err(|e| Error::io(key, &e))?);
        }
        Ok(Some(bytes.freeze()))
    }

    async fn ask(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        etag: Option<String>,
    ) -> Result<Opened> {
        let asked = self
            .client()
            .get_object()
            .bucket(self.name())
            .key(key)
            .set_range(range.map(|r| format!("bytes={}-{}", r.start, r.end - 1)))
            .set_if_match(etag)
            .send()
            .await;
        match asked {
            Ok(answer) => {
                let length = answer.content_length().unwrap_or_default().max(0) as u64;
                Ok(Opened::Body(Body {
                    length,
                    etag: answer.e_tag().map(str::to_owned),
                    body: answer.body,
                }))
            }
            Err(e) if absent(&e) => Ok(Opened::Absent),
            Err(e) if status(&e) == 416 => Ok(Opened::Beyond),
            Err(e) => Err(failed(&format!("reading {key}"), &e)),
        }
    }
}

enum Opened {
    Body(Body),
    Absent,
    Beyond,
}

struct Body {
    /// Bytes that are promised.
    length: u64,
    etag: Option<String>,
    body: ByteStream,
}

/// Where one reading stands.
struct Cursor {
    bucket: Bucket,
    key: String,
    /// So that no two objects are mixed when it was replaced meanwhile.
    etag: Option<String>,
    body: Option<ByteStream>,
    at: u64,
    end: u64,
    breaks: u32,
    broke_at: u64,
}

impl Cursor {
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        while self.at < self.end {
            match self.step().await {
                Ok(Some(bytes)) => {
                    self.at += bytes.len() as u64;
                    return Some((Ok(bytes), self));
                }
                Ok(None) => {}
                Err(e) => {
                    // An error is the last item.
                    self.at = self.end;
                    return Some((Err(e), self));
                }
            }
        }
        None
    }

    /// The next bytes; `None` after a break that may be mended.
    async fn step(&mut self) -> io::Result<Option<Bytes>> {
        let Some(body) = &mut self.body else {
            let rest = self.at..self.end;
            let opened = self.bucket.ask(&self.key, Some(rest), self.etag.clone());
            match opened.await {
                Ok(Opened::Body(opened)) if opened.length == self.end - self.at => {
                    self.body = Some(opened.body);
                }
                Ok(_) => return Err(self.changed()),
                Err(Error::Unavailable(e)) => {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, e));
                }
                Err(e) => return Err(io::Error::other(e)),
            }
            return Ok(None);
        };
        let left = self.end - self.at;
        let patience = self.bucket.patience().answer;
        match tokio::time::timeout(patience, body.next()).await {
            Ok(Some(Ok(bytes))) if bytes.len() as u64 > left => Err(self.changed()),
            Ok(Some(Ok(bytes))) => Ok((!bytes.is_empty()).then_some(bytes)),
            Ok(Some(Err(e))) => self.broke(&e.to_string()).await,
            Ok(None) => self.broke("ended early").await,
            Err(_) => self.broke("stands still").await,
        }
    }

    async fn broke(&mut self, why: &str) -> io::Result<Option<Bytes>> {
        if self.at >= self.broke_at + PROGRESS {
            self.breaks = 0;
        }
        self.body = None;
        self.broke_at = self.at;
        self.breaks += 1;
        if self.breaks > AGAIN {
            let told = format!("reading {} at {}: {why}", self.key, self.at);
            return Err(io::Error::new(io::ErrorKind::TimedOut, told));
        }
        tracing::warn!(key = %self.key, at = self.at, why, "a reading broke and is taken up again");
        tokio::time::sleep(Duration::from_millis(50) * self.breaks).await;
        Ok(None)
    }

    fn changed(&self) -> io::Error {
        let told = format!("{} changed while it was read", self.key);
        io::Error::new(io::ErrorKind::UnexpectedEof, told)
    }
}
