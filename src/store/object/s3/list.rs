//! Listing: what is in a folder (a delimiter makes folders of a flat bucket), and everything below one.

use aws_sdk_s3::{primitives::DateTime, types::MultipartUpload};
use futures::{Stream, StreamExt, TryStreamExt, stream};

use super::{
    super::{ContentPath, Listed, ListedKind},
    Bucket,
    fault::{absent, failed},
};
use crate::error::{Error, Result};

/// Folders up to this many are looked into: those of an object, not those of the whole archive.
const FEW: usize = 64;
/// So many at once.
const LOOKS: usize = 16;

/// An object by its key.
#[derive(Debug)]
pub(super) struct Found {
    pub key: String,
    pub size: u64,
    /// Seconds since 1970.
    pub modified: i64,
}

/// A multipart upload that nobody finished.
#[derive(Debug)]
pub(super) struct Open {
    pub key: String,
    pub id: String,
    /// Seconds since 1970.
    pub begun: i64,
}

impl Bucket {
    pub(in super::super) async fn list(&self, folder: &ContentPath) -> Result<Vec<Listed>> {
        self.list_at(format!("{}/", self.archived(folder))).await
    }

    pub(in super::super) async fn list_top(&self) -> Result<Vec<Listed>> {
        self.list_at(format!("{}archive/", self.0.root)).await
    }

    async fn list_at(&self, prefix: String) -> Result<Vec<Listed>> {
        let mut pages = self
            .client()
            .list_objects_v2()
            .bucket(self.name())
            .prefix(&prefix)
            .delimiter("/")
            .into_paginator()
            .send();
        let mut listed = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| failed(&format!("listing {prefix}"), &e))?;
            for folder in page.common_prefixes() {
                let name = folder.prefix().and_then(|p| p.strip_prefix(&prefix));
                if let Some(name) = name.map(|n| n.trim_end_matches('/'))
                    && !name.is_empty()
                {
                    listed.push(Listed {
                        name: name.to_owned(),
                        kind: ListedKind::Folder,
                    });
                }
            }
            for file in page.contents() {
                let name = file.key().and_then(|k| k.strip_prefix(&prefix));
                // Some tools write an empty object for a folder; it is not a file of the archive.
                if let Some(name) = name.filter(|n| !n.is_empty()) {
                    let size = file.size().unwrap_or_default().max(0) as u64;
                    listed.push(Listed {
                        name: name.to_owned(),
                        kind: ListedKind::File(size),
                    });
                }
            }
        }
        let folders = listed.iter().filter(|l| l.kind == ListedKind::Folder);
        if folders.count() <= FEW {
            // A server with true folders underneath still lists one for a while after its last file went.
            let asked = listed.into_iter().map(|entry| {
                let below = format!("{prefix}{}/", entry.name);
                async move {
                    let folder = entry.kind == ListedKind::Folder;
                    let there = !folder || self.any_below(&below).await?;
                    Ok::<_, Error>(there.then_some(entry))
                }
            });
            let there = stream::iter(asked).buffered(LOOKS);
            let there: Vec<_> = there.try_collect().await?;
            let there = there.into_iter().flatten().collect();
            listed = there;
        }
        listed.sort();
        Ok(listed)
    }

    /// Every object whose key begins so.
    pub(super) fn below(
        &self,
        prefix: String,
    ) -> impl Stream<Item = Result<Found>> + Send + 'static {
        let bucket = self.clone();
        async_stream::try_stream! {
            let mut pages = bucket
                .client()
                .list_objects_v2()
                .bucket(bucket.name())
                .prefix(&prefix)
                .into_paginator()
                .send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|e| failed(&format!("listing {prefix}"), &e))?;
                for object in page.contents.unwrap_or_default() {
                    let modified = object.last_modified.as_ref().map_or(i64::MAX, DateTime::secs);
                    let size = object.size.unwrap_or_default().max(0) as u64;
                    if let Some(key) = object.key {
                        yield Found { key, size, modified };
                    }
                }
            }
        }
    }

    /// Is there anything below a folder?
    pub(super) async fn any_below(&self, prefix: &str) -> Result<bool> {
        let asked = self
            .client()
            .list_objects_v2()
            .bucket(self.name())
            .prefix(prefix)
            .max_keys(1)
            .send();
        let page = asked
            .await
            .map_err(|e| failed(&format!("listing {prefix}"), &e))?;
        Ok(!page.contents().is_empty())
    }

    /// Multipart uploads under way of keys that begin so.
    pub(super) async fn open_uploads(&self, prefix: &str) -> Result<Vec<Open>> {
        let (mut open, mut key_marker, mut id_marker) = (Vec::new(), None, None);
        loop {
            let asked = self
                .client()
                .list_multipart_uploads()
                .bucket(self.name())
                .prefix(prefix)
                .set_key_marker(key_marker.take())
                .set_upload_id_marker(id_marker.take())
                .send();
            let page = match asked.await {
                Ok(page) => page,
                // Some servers say so when there never was one.
                Err(e) if absent(&e) => return Ok(open),
                Err(e) => return Err(failed(&format!("listing uploads of {prefix}"), &e)),
            };
            for upload in page.uploads() {
                open.extend(of_prefix(upload, prefix));
            }
            if page.is_truncated() != Some(true) {
                return Ok(open);
            }
            key_marker = page.next_key_marker().map(str::to_owned);
            id_marker = page.next_upload_id_marker().map(str::to_owned);
            if key_marker.is_none() {
                return Err(Error::internal(
                    "listing uploads",
                    "a page that leads nowhere",
                ));
            }
        }
    }
}

fn of_prefix(upload: &MultipartUpload, prefix: &str) -> Option<Open> {
    let key = upload.key().filter(|key| key.starts_with(prefix))?;
    Some(Open {
        key: key.to_owned(),
        id: upload.upload_id()?.to_owned(),
        begun: upload.initiated().map_or(i64::MAX, DateTime::secs),
    })
}
