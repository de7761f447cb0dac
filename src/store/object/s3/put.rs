//! Small objects: written in one request that carries their SHA-256, asked about, removed.

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{ChecksumMode, ChecksumType, Delete, ObjectIdentifier},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use sha2::{Digest, Sha256 as Sha256Hasher};

use super::{
    Bucket,
    fault::{absent, failed},
};
use crate::{
    error::{Error, Result},
    ids::Sha256,
};

/// The most that one request may remove.
const AT_ONCE: usize = 1000;

/// What the server says of an object.
#[derive(Debug)]
pub(super) struct Head {
    pub size: u64,
    pub etag: Option<String>,
    /// Of the bytes; not there when it was put together from parts.
    pub sha256: Option<Sha256>,
}

impl Bucket {
    /// Writes an object, or replaces it; durable on return.
    pub(super) async fn put(&self, key: &str, bytes: Bytes) -> Result<()> {
        let sha256 = digest(&bytes).await?;
        self.put_known(key, bytes, sha256).await
    }

    /// The same for bytes whose digest is known. The server refuses other bytes.
    pub(super) async fn put_known(&self, key: &str, bytes: Bytes, sha256: Sha256) -> Result<()> {
        let size = bytes.len() as u64;
        let sent = self
            .client()
            .put_object()
            .bucket(self.name())
            .key(key)
            .checksum_sha256(STANDARD.encode(sha256.0))
            .body(ByteStream::from(bytes))
            .customize()
            // The digest is among the signed headers, so signing the body too would only hash it once more.
            .disable_payload_signing()
            .config_override(self.within(self.patience().sending(size)))
            .send()
            .await;
        let Err(e) = sent else { return Ok(()) };
        let error = failed(&format!("writing {key}"), &e);
        if matches!(error, Error::Unavailable(_)) && self.holds(key, size, sha256).await {
            // The answer got lost, the bytes did not.
            return Ok(());
        }
        Err(error)
    }

    /// Does the object have these very bytes? Asked when an answer got lost; no answer is no.
    async fn holds(&self, key: &str, size: u64, sha256: Sha256) -> bool {
        match self.head(key).await {
            Ok(Some(head)) if head.size == size => match head.sha256 {
                Some(found) => found == sha256,
                None => match self.fetch(key, size).await {
                    Ok(Some(bytes)) => digest(&bytes).await.is_ok_and(|found| found == sha256),
                    _ => false,
                },
            },
            _ => false,
        }
    }

    pub(super) async fn head(&self, key: &str) -> Result<Option<Head>> {
        let asked = self
            .client()
            .head_object()
            .bucket(self.name())
            .key(key)
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        match asked {
            Ok(head) => {
                let whole = head.checksum_type() != Some(&ChecksumType::Composite);
                Ok(Some(Head {
                    size: head.content_length().unwrap_or_default().max(0) as u64,
                    etag: head.e_tag().map(str::to_owned),
                    sha256: head
                        .checksum_sha256()
                        .filter(|_| whole)
                        .and_then(checksum_of_all),
                }))
            }
            Err(e) if absent(&e) => Ok(None),
            Err(e) => Err(failed(&format!("looking at {key}"), &e)),
        }
    }

    /// Not an error when there is none.
    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        let asked = self.client().delete_object().bucket(self.name()).key(key);
        match asked.send().await {
            Err(e) if !absent(&e) => Err(failed(&format!("removing {key}"), &e)),
            _ => Ok(()),
        }
    }

    pub(super) async fn delete_all(&self, keys: &[String]) -> Result<()> {
        for keys in keys.chunks(AT_ONCE) {
            if let [key] = keys {
                self.delete(key).await?;
                continue;
            }
            let ids = keys
                .iter()
                .map(|key| ObjectIdentifier::builder().key(key).build());
            let ids: Result<Vec<_>, _> = ids.collect();
            let delete =
                ids.and_then(|ids| Delete::builder().set_objects(Some(ids)).quiet(true).build());
            let delete = delete.map_err(|e| Error::internal("removing", e))?;
            let asked = self.client().delete_objects().bucket(self.name());
            let done = asked
                .delete(delete)
                .send()
                .await
                .map_err(|e| failed("removing", &e))?;
            let left = done.errors().iter();
            if let Some(error) = left
                .filter(|e| e.code() != Some("NoSuchKey"))
                .collect::<Vec<_>>()
                .first()
            {
                return Err(Error::Unavailable(format!(
                    "object store: removing: {error:?}"
                )));
            }
        }
        Ok(())
    }
}

/// A checksum as S3 writes it, when it is of all bytes: one over parts ends in their number.
pub(super) fn checksum_of_all(text: &str) -> Option<Sha256> {
    let bytes = STANDARD.decode(text).ok()?;
    Some(Sha256(bytes.try_into().ok()?))
}

/// Hashing megabytes is not for a thread that serves requests.
pub(super) async fn digest(bytes: &Bytes) -> Result<Sha256> {
    const SMALL: usize = 32 << 10;
    let of = |bytes: &[u8]| Sha256(Sha256Hasher::digest(bytes).into());
    if bytes.len() <= SMALL {
        return Ok(of(bytes));
    }
    let bytes = bytes.clone();
    let hashed = tokio::task::spawn_blocking(move || of(&bytes));
    hashed.await.map_err(|e| Error::internal("hashing", e))
}
