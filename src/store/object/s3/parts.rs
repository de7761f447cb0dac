//! Parts as a client cut them, in any order and at once, through Kho or straight to the bucket.
//!
//! A multipart upload without checksums of its own, because a part that goes straight to the bucket has
//! none: each part through Kho has its MD5 with it, and at the end the whole is read once and hashed.

use std::{sync::Arc, time::Duration};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use http_body_util::StreamBody;
use hyper::body::Frame;
use sha2::Digest;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::AbortOnDropHandle;

use super::{
    super::{
        PartPlan, Received, ReceivedPart,
        hashers::{Hashers, Sums, hash},
        lane::{Batch, Lane},
    },
    Bucket,
    fault::{absent, failed},
    multipart::{Part, newest},
    pieces::PIECES,
    presigning,
    resume::bare,
};
use crate::error::{Error, Result};

/// Parts up to this are held until they are complete, so that they can be sent again.
const HELD: u64 = 16 << 20;
/// Larger ones pass through in pieces of this; a few of them are in memory.
const PIECE: usize = 512 << 10;
const ON_THE_WAY: usize = 6;

/// A part on its way in.
#[derive(Debug)]
pub struct PartReceiver {
    bucket: Bucket,
    name: String,
    key: String,
    /// Of the multipart upload, or [`PIECES`].
    id: String,
    number: u32,
    /// Of the part, as the plan has it.
    expected: u64,
    size: u64,
    buffer: BytesMut,
    stream: Option<Streaming>,
}

/// A part that passes through while it arrives.
#[derive(Debug)]
struct Streaming {
    sender: mpsc::Sender<Bytes>,
    /// Without its whole body the server counts nothing.
    sending: AbortOnDropHandle<Result<Part>>,
    hashing: Hashing,
}

/// Both digests of what passes.
#[derive(Debug)]
struct Hashing {
    room: Arc<Semaphore>,
    sha256: Lane<Sums>,
    md5: Lane<md5::Md5>,
}

impl Bucket {
    pub(in super::super) async fn begin_parts(&self, name: &str, plan: PartPlan) -> Result<String> {
        let key = self.staged_at(name);
        self.discard(name).await?;
        if plan.count() == 0 {
            // No upload consists of no parts.
            return Ok(String::new());
        }
        if self.in_pieces(plan) {
            return self.begin_pieces(name).await;
        }
        self.begin(&key, false).await
    }

    pub(in super::super) async fn receive_part(
        &self,
        name: &str,
        handle: &str,
        plan: PartPlan,
        number: u32,
    ) -> Result<PartReceiver> {
        let (range, key) = (plan.range(number), self.staged_at(name));
        // Better said before the bytes came than after.
        let open = match handle {
            PIECES => self.pieces_are_open(name).await?,
            id => self.is_open(&key, id).await?,
        };
        if !open {
            return Err(Error::internal(&key, "there is no such upload"));
        }
        Ok(PartReceiver {
            bucket: self.clone(),
            name: name.to_owned(),
            key,
            id: handle.to_owned(),
            number,
            expected: range.end - range.start,
            size: 0,
            buffer: BytesMut::new(),
            stream: None,
        })
    }

    pub(in super::super) async fn part_url(
        &self,
        name: &str,
        handle: &str,
        number: u32,
        valid: Duration,
    ) -> Result<Option<String>> {
        if !self.0.settings.redirect || handle == PIECES {
            return Ok(None);
        }
        let asked = self
            .client()
            .upload_part()
            .bucket(self.name())
            .key(self.staged_at(name))
            .upload_id(handle)
            .part_number(number as i32)
            .presigned(presigning(valid)?)
            .await
            .map_err(|e| failed("presigning", &e))?;
        Ok(Some(asked.uri().to_owned()))
    }

    pub(in super::super) async fn arrived(
        &self,
        name: &str,
        handle: &str,
    ) -> Result<Vec<(u32, u64, String)>> {
        if handle.is_empty() {
            return Ok(Vec::new());
        }
        if handle == PIECES {
            return self.pieces(name).await;
        }
        let parts = self.parts(&self.staged_at(name), handle).await?;
        Ok(newest(parts.unwrap_or_default())
            .into_iter()
            .map(|part| (part.number, part.size, bare(&part.etag).to_owned()))
            .collect())
    }

    pub(in super::super) async fn complete_parts(
        &self,
        name: &str,
        handle: &str,
        plan: PartPlan,
        parts: &[(u32, String)],
    ) -> Result<Received> {
        let key = self.staged_at(name);
        if handle.is_empty() {
            self.put(&key, Bytes::new()).await?;
            return self.digest_all(key, plan.size).await;
        }
        if handle == PIECES {
            return match self.join_pieces(name, plan, parts).await? {
                Some(received) => Ok(received),
                None => self.digest_all(key, plan.size).await,
            };
        }
        // No such upload: it was put together before, and only the answer is missing.
        if let Some(have) = self.parts(&key, handle).await? {
            let named = parts.iter().map(|(number, tag)| {
                let range = plan.range(*number);
                let from = have.partition_point(|part| part.number < *number);
                let mut same = have[from..]
                    .iter()
                    .take_while(|part| part.number == *number);
                let found = same
                    .find(|part| part.size == range.end - range.start && bare(&part.etag) == tag)?;
                Some(Part {
                    sha256: None,
                    ..found.clone()
                })
            });
            let named: Option<Vec<Part>> = named.collect();
            let Some(named) = named else {
                return Err(Error::bad_request("parts-missing"));
            };
            self.complete(&key, handle, &named, plan.size).await?;
        }
        self.digest_all(key, plan.size).await
    }

    /// Reads an upload once, for both digests. Another size is damage.
    async fn digest_all(&self, key: String, size: u64) -> Result<Received> {
        match self.head(&key).await? {
            Some(head) if head.size == size => {}
            Some(head) => {
                let told = format!("has {} bytes, not {size}", head.size);
                return Err(Error::internal(&key, told));
            }
            None => return Err(Error::internal(&key, "is not there")),
        }
        let mut reading = self.read_key(key, 0..size).await?;
        let hashing = Hashing::start();
        while let Some(chunk) = reading.next().await {
            let chunk = chunk.map_err(|e| Error::io("reading an upload", &e))?;
            hashing.push(chunk).await?;
        }
        let hashers = hashing.finish().await?;
        Ok(hashers.end(size))
    }
}

impl PartReceiver {
    pub(in super::super) fn size(&self) -> u64 {
        self.size
    }

    pub(in super::super) async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.size += bytes.len() as u64;
        self.buffer.extend_from_slice(&bytes);
        if self.expected > HELD && self.buffer.len() >= PIECE {
            self.pass_on().await?;
        }
        Ok(())
    }

    pub(in super::super) async fn finish(mut self) -> Result<ReceivedPart> {
        let (part, hashers) = if self.expected > HELD {
            self.pass_on().await?;
            let Some(stream) = self.stream.take() else {
                return Err(Error::internal("part", "nothing was sent"));
            };
            // The end of the body.
            drop(stream.sender);
            let patience = self.bucket.patience().copying(self.size);
            let sent = tokio::time::timeout(patience, stream.sending).await;
            let sent = sent.map_err(|_| silent())?;
            let sent = sent.map_err(|e| Error::internal("part", e))??;
            (sent, stream.hashing.finish().await?)
        } else {
            self.send_held().await?
        };
        let received = hashers.end(self.size);
        Ok(ReceivedPart {
            size: self.size,
            sha256: received.sha256,
            md5: received.md5,
            tag: bare(&part.etag).to_owned(),
        })
    }

    /// The whole part in one request that may be made again.
    async fn send_held(&mut self) -> Result<(Part, Hashers)> {
        let bytes = self.buffer.split().freeze();
        let hashed = bytes.clone();
        let work = tokio::task::spawn_blocking(move || {
            let mut hashers = Hashers::default();
            hash(&mut hashers.sha256, std::slice::from_ref(&hashed));
            hash(&mut hashers.md5, &[hashed]);
            hashers
        });
        let hashers = work.await.map_err(|e| Error::internal("part", e))?;
        let (bucket, size) = (&self.bucket, self.size);
        if self.id == PIECES {
            let sha256 = hashers.clone().end(size).sha256;
            let key = bucket.piece_at(&self.name, self.number, sha256);
            bucket.put_known(&key, bytes, sha256).await?;
            let part = Part {
                number: self.number,
                size,
                etag: sha256.to_string(),
                sha256: None,
            };
            return Ok((part, hashers));
        }
        let md5 = STANDARD.encode(hashers.md5.clone().finalize());
        let sent = bucket
            .client()
            .upload_part()
            .bucket(bucket.name())
            .key(&self.key)
            .upload_id(&self.id)
            .part_number(self.number as i32)
            .content_md5(md5)
            .body(ByteStream::from(bytes))
            .customize()
            .disable_payload_signing()
            .config_override(bucket.within(bucket.patience().sending(size)))
            .send()
            .await;
        Ok((acknowledged(&self.key, self.number, size, sent)?, hashers))
    }

    /// Gives what has gathered to the request that is under way.
    async fn pass_on(&mut self) -> Result<()> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(Streaming::start(
                &self.bucket,
                &self.key,
                &self.id,
                self.number,
                self.expected,
            )),
        };
        let bytes = self.buffer.split().freeze();
        if bytes.is_empty() {
            return Ok(());
        }
        stream.hashing.push(bytes.clone()).await?;
        let patience = self.bucket.patience().answer;
        match tokio::time::timeout(patience, stream.sender.send(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Err(_) => Err(silent()),
            // The request ended before its body: why is what it says.
            Ok(Err(_)) => match (&mut stream.sending).await {
                Ok(Err(e)) => Err(e),
                Ok(Ok(_)) => Err(Error::internal("part", "was acknowledged before its end")),
                Err(e) => Err(Error::internal("part", e)),
            },
        }
    }
}

impl Streaming {
    fn start(bucket: &Bucket, key: &str, id: &str, number: u32, size: u64) -> Self {
        let (sender, mut receiver) = mpsc::channel::<Bytes>(ON_THE_WAY);
        let frames = stream::poll_fn(move |cx| {
            receiver
                .poll_recv(cx)
                .map(|bytes| bytes.map(|bytes| Ok::<_, std::io::Error>(Frame::data(bytes))))
        });
        let body = ByteStream::new(SdkBody::from_body_1_x(StreamBody::new(frames)));
        // As long as the client takes: a bucket that stands still is noticed by whoever writes.
        let timeouts = aws_config::timeout::TimeoutConfig::builder()
            .connect_timeout(super::CONNECT)
            .disable_operation_attempt_timeout()
            .disable_operation_timeout()
            .build();
        let sent = bucket
            .client()
            .upload_part()
            .bucket(bucket.name())
            .key(key)
            .upload_id(id)
            .part_number(number as i32)
            .content_length(size as i64)
            .body(body)
            .customize()
            .disable_payload_signing()
            .config_override(aws_sdk_s3::config::Config::builder().timeout_config(timeouts))
            .send();
        let key = key.to_owned();
        let sending = tokio::spawn(async move { acknowledged(&key, number, size, sent.await) });
        Self {
            sender,
            sending: AbortOnDropHandle::new(sending),
            hashing: Hashing::start(),
        }
    }
}

impl Hashing {
    fn start() -> Self {
        Self {
            room: Arc::new(Semaphore::new(ON_THE_WAY)),
            sha256: Lane::new(Sums::default(), hash),
            md5: Lane::new(md5::Md5::default(), hash),
        }
    }

    async fn push(&self, bytes: Bytes) -> Result<()> {
        let permit = Arc::clone(&self.room).acquire_owned().await;
        let batch = Arc::new(Batch {
            bytes: vec![bytes],
            _permit: permit.map_err(|e| Error::internal("upload", e))?,
        });
        self.sha256.push(Arc::clone(&batch));
        self.md5.push(batch);
        Ok(())
    }

    async fn finish(self) -> Result<Hashers> {
        let (sha256, md5) = tokio::try_join!(self.sha256.finish(), self.md5.finish())?;
        Ok(Hashers { sha256, md5 })
    }
}

fn acknowledged(
    key: &str,
    number: u32,
    size: u64,
    sent: Result<
        aws_sdk_s3::operation::upload_part::UploadPartOutput,
        aws_sdk_s3::error::SdkError<
            aws_sdk_s3::operation::upload_part::UploadPartError,
            aws_sdk_s3::config::http::HttpResponse,
        >,
    >,
) -> Result<Part> {
    match sent {
        Ok(sent) => Ok(Part {
            number,
            size,
            etag: sent.e_tag.unwrap_or_default(),
            sha256: None,
        }),
        Err(e) if absent(&e) => Err(Error::internal(key, "there is no such upload")),
        Err(e) => Err(failed(&format!("part {number} of {key}"), &e)),
    }
}

fn silent() -> Error {
    Error::Unavailable("object store: the bucket stands still".to_owned())
}
