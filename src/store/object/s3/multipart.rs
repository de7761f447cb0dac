//! Multipart uploads: the four requests, and what to make of a lost answer. Who cuts the parts is `receive`
//! (as bytes arrive), `parts` (as a client cut them) and `commit` (copies of large objects).

use aws_sdk_s3::{
    primitives::{ByteStream, DateTime},
    types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use md5::Digest;

use super::{
    Bucket,
    fault::{absent, failed},
    put::digest,
};
use crate::error::{Error, Result};

/// The most parts an upload may have.
pub(super) const MOST_PARTS: u32 = 10_000;

/// A part as the server acknowledged it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub number: u32,
    pub size: u64,
    pub etag: String,
    /// In base64, as S3 writes it; where the upload is one with checksums.
    pub sha256: Option<String>,
}

impl Bucket {
    /// Begins one; gives its id. With `checked`, every part comes with its SHA-256.
    pub(super) async fn begin(&self, key: &str, checked: bool) -> Result<String> {
        let asked = self
            .client()
            .create_multipart_upload()
            .bucket(self.name())
            .key(key)
            .set_checksum_algorithm(checked.then_some(ChecksumAlgorithm::Sha256));
        let begun = asked.send().await;
        let begun = begun.map_err(|e| failed(&format!("beginning {key}"), &e))?;
        begun
            .upload_id
            .ok_or_else(|| Error::internal("object store", "an upload without an id"))
    }

    /// Sends a part with its SHA-256, if the upload is `checked`, else with its MD5. The server refuses other
    /// bytes.
    pub(super) async fn send_part(
        &self,
        key: &str,
        id: &str,
        number: u32,
        bytes: Bytes,
        checked: bool,
    ) -> Result<Part> {
        let size = bytes.len() as u64;
        let (sha256, md5) = if checked {
            (Some(STANDARD.encode(digest(&bytes).await?.0)), None)
        } else {
            let bytes = bytes.clone();
            let hashed = tokio::task::spawn_blocking(move || md5::Md5::digest(&bytes));
            let md5 = hashed.await.map_err(|e| Error::internal("hashing", e))?;
            (None, Some(STANDARD.encode(md5)))
        };
        let sent = self
            .client()
            .upload_part()
            .bucket(self.name())
            .key(key)
            .upload_id(id)
            .part_number(number as i32)
            .set_checksum_sha256(sha256.clone())
            .set_content_md5(md5)
            .body(ByteStream::from(bytes))
            .customize()
            .disable_payload_signing()
            .config_override(self.within(self.patience().sending(size)))
            .send()
            .await
            .map_err(|e| failed(&format!("part {number} of {key}"), &e))?;
        Ok(Part {
            number,
            size,
            etag: sent.e_tag.unwrap_or_default(),
            sha256,
        })
    }

    /// Puts the parts together; the object is there with `size` bytes on return.
    pub(super) async fn complete(
        &self,
        key: &str,
        id: &str,
        parts: &[Part],
        size: u64,
    ) -> Result<()> {
        let named = parts.iter().map(|part| {
            CompletedPart::builder()
                .part_number(part.number as i32)
                .e_tag(&part.etag)
                .set_checksum_sha256(part.sha256.clone())
                .build()
        });
        let named = CompletedMultipartUpload::builder()
            .set_parts(Some(named.collect()))
            .build();
        let sent = self
            .client()
            .complete_multipart_upload()
            .bucket(self.name())
            .key(key)
            .upload_id(id)
            .multipart_upload(named)
            .customize()
            .config_override(self.within(self.patience().copying(size)))
            .send()
            .await;
        // The answer may be lost when all is done, and then the next try finds no such upload. So what counts is
        // what is there; the name is of this attempt alone.
        let (error, unsure) = match &sent {
            Ok(_) => (None, true),
            Err(e) => {
                let error = failed(&format!("putting {key} together"), e);
                let unsure = absent(e) || matches!(error, Error::Unavailable(_));
                (Some(error), unsure)
            }
        };
        if let Some(error) = error {
            let there =
                unsure && matches!(self.head(key).await, Ok(Some(head)) if head.size == size);
            return if there { Ok(()) } else { Err(error) };
        }
        match self.head(key).await? {
            Some(head) if head.size == size => Ok(()),
            found => Err(Error::internal(
                key,
                format!("was acknowledged with {size} bytes, and is {found:?}"),
            )),
        }
    }

    /// Not an error when there is none.
    pub(super) async fn abort(&self, key: &str, id: &str) -> Result<()> {
        let asked = self
            .client()
            .abort_multipart_upload()
            .bucket(self.name())
            .key(key)
            .upload_id(id);
        match asked.send().await {
            Err(e) if !absent(&e) => Err(failed(&format!("giving {key} up"), &e)),
            _ => Ok(()),
        }
    }

    /// Is it still under way?
    pub(super) async fn is_open(&self, key: &str, id: &str) -> Result<bool> {
        let asked = self
            .client()
            .list_parts()
            .bucket(self.name())
            .key(key)
            .upload_id(id)
            .max_parts(1);
        match asked.send().await {
            Ok(_) => Ok(true),
            Err(e) if absent(&e) => Ok(false),
            Err(e) => Err(failed(&format!("parts of {key}"), &e)),
        }
    }

    /// The parts that have arrived, by number; `None` when there is no such upload. Some servers list a part that
    /// was sent again as often as it was sent, the last one last if that took more than a second: who knows which
    /// one counts names it by its ETag.
    pub(super) async fn parts(&self, key: &str, id: &str) -> Result<Option<Vec<Part>>> {
        self.parts_after(key, id, 0).await
    }

    /// The same for those with higher numbers.
    pub(super) async fn parts_after(
        &self,
        key: &str,
        id: &str,
        number: u32,
    ) -> Result<Option<Vec<Part>>> {
        let mut pages = self
            .client()
            .list_parts()
            .bucket(self.name())
            .key(key)
            .upload_id(id)
            .set_part_number_marker((number > 0).then(|| number.to_string()))
            .into_paginator()
            .send();
        let mut parts = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(e) if absent(&e) => return Ok(None),
                Err(e) => return Err(failed(&format!("parts of {key}"), &e)),
            };
            for part in page.parts() {
                let modified = part.last_modified().map_or(0, DateTime::secs);
                let part = Part {
                    number: part.part_number().unwrap_or_default().max(0) as u32,
                    size: part.size().unwrap_or_default().max(0) as u64,
                    etag: part.e_tag().unwrap_or_default().to_owned(),
                    sha256: part.checksum_sha256().map(str::to_owned),
                };
                parts.push((modified, part));
            }
        }
        parts.sort_by_key(|(modified, part): &(i64, Part)| (part.number, *modified));
        Ok(Some(parts.into_iter().map(|(_, part)| part).collect()))
    }
}

/// Of parts as `parts` lists them, the last of each number.
pub(super) fn newest(mut parts: Vec<Part>) -> Vec<Part> {
    parts.reverse();
    parts.dedup_by_key(|part| part.number);
    parts.reverse();
    parts
}
