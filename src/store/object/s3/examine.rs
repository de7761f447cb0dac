//! What an operator wants to know before anybody deposits: can the bucket do all that is asked of it?

use bytes::Bytes;

use super::{Bucket, fault::failed};
use crate::error::{Error, Result};

impl Bucket {
    /// Tries every kind of request once, under a key of its own, and tells what was found. The first that
    /// fails is the error.
    pub(in super::super) async fn examine(&self) -> Result<Vec<String>> {
        let settings = &self.0.settings;
        let asked = self.client().head_bucket().bucket(self.name()).send();
        asked
            .await
            .map_err(|e| failed(&format!("bucket {}", self.name()), &e))?;
        let mut told = vec![format!(
            "bucket {} answers (prefix {:?})",
            settings.bucket, settings.prefix
        )];
        let key = self.unfinished(&format!("examination-{}", std::process::id()));
        let copy = format!("{key}-copy");
        let tried = self.try_all(&key, &copy).await;
        let removed = self.delete_all(&[key, copy]).await;
        tried?;
        removed?;
        told.push("objects can be written, read, listed, copied and removed".to_owned());
        told.push("multipart uploads work, with a SHA-256 for each part".to_owned());
        told.push(format!(
            "downloads {}",
            if settings.redirect {
                "are sent to the bucket with presigned addresses"
            } else {
                "stream through Kho"
            }
        ));
        Ok(told)
    }

    async fn try_all(&self, key: &str, copy: &str) -> Result<()> {
        let bytes = Bytes::from_static(b"kho doctor\n");
        let differs = |what: &str| Error::internal("object store", format!("{what} differs"));
        self.put(key, bytes.clone()).await?;
        if self.fetch(key, 64).await?.as_ref() != Some(&bytes) {
            return Err(differs("what was read"));
        }
        if !self.any_below(key).await? {
            return Err(Error::internal(
                "object store",
                "does not list what was written",
            ));
        }
        let size = bytes.len() as u64;
        let sha256 = super::put::digest(&bytes).await?;
        self.copy(key, copy, size, sha256).await?;
        if self.fetch(copy, 64).await?.as_ref() != Some(&bytes) {
            return Err(differs("what was copied"));
        }
        let id = self.begin(copy, true).await?;
        let sent = async {
            let part = self.send_part(copy, &id, 1, bytes, true).await?;
            self.complete(copy, &id, &[part], size).await
        };
        let sent = sent.await;
        if sent.is_err() {
            self.abort(copy, &id).await?;
        }
        sent
    }
}
