//! The object store in a bucket of any server that speaks S3.
//!
//! ```text
//! <prefix>/staging/<name>              finished uploads; multipart uploads of this key while they come in
//! <prefix>/archive/…                   the archive tree
//! <prefix>/unfinished/note-<name>      what a commit was about to do
//! <prefix>/unfinished/tail-<name>-<n>  the last bytes of an upload that rests, too few for a part
//! <prefix>/unfinished/part-<name>-<n>-<digest>  a part that a client cut smaller than a bucket takes it
//! ```
//!
//! Nothing can be renamed or linked here: a commit copies on the server's side, and the order in which things
//! are written stands in for the rename (`commit`). Conditional writes are not relied on, because not every
//! server keeps to them; who may write is settled by locks (`super::lock`). `docs/adr/0007-object-storage.md`.
//! Not here: what the archive's paths mean (`archive`).

mod commit;
mod examine;
mod fault;
mod list;
mod multipart;
mod parts;
mod pieces;
mod put;
mod read;
mod receive;
mod resume;
mod staging;

#[cfg(test)]
mod faults;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(super) use self::tests::bucket_for_tests;

use std::{fmt, sync::Arc, time::Duration};

use aws_config::{
    BehaviorVersion, environment::EnvironmentVariableRegionProvider,
    meta::region::RegionProviderChain, profile::ProfileFileRegionProvider, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_sdk_s3::{
    Client,
    config::{self, Region, RequestChecksumCalculation, ResponseChecksumValidation},
    presigning::PresigningConfig,
};

use super::{ContentPath, lock::Locks};
use crate::error::{Error, Result};

pub use self::{parts::PartReceiver, receive::Receiver};

/// A bucket and how to talk to it. Credentials and region come from where `aws` tools take them (`AWS_*`,
/// profiles, the machine's role).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub bucket: String,
    /// Where in the bucket, without slashes at the ends; empty for all of it.
    pub prefix: String,
    /// `http://…` of a server that is not AWS.
    pub endpoint: Option<String>,
    /// The bucket in the path and not in the host name.
    pub path_style: bool,
    /// May clients be sent to the bucket, with a presigned URL?
    pub redirect: bool,
    pub patience: Patience,
}

/// How long the bucket is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For one answer. Bodies get more, see `Patience::sending`.
    pub answer: Duration,
    /// How often a request is made before it failed.
    pub attempts: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(10),
            attempts: 4,
        }
    }
}

/// Bytes a second below which a connection is taken for broken.
const SLOWEST: u64 = 256 << 10;
/// The same for bytes that the server copies by itself.
const SLOWEST_COPY: u64 = 8 << 20;
const CONNECT: Duration = Duration::from_secs(4);

impl Patience {
    /// For one try at sending so many bytes.
    fn sending(self, bytes: u64) -> Duration {
        self.answer + Duration::from_secs(bytes / SLOWEST)
    }

    /// For one try at having so many bytes copied, or put together from parts.
    fn copying(self, bytes: u64) -> Duration {
        self.answer + Duration::from_secs(bytes / SLOWEST_COPY)
    }

    /// All tries of a request together take at most three times what one may.
    fn timeouts(self, attempt: Duration) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(CONNECT.min(self.answer))
            .operation_attempt_timeout(attempt)
            .operation_timeout(attempt * 3)
            .build()
    }
}

/// The sizes at which a request becomes several. Fixed but for tests.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// The least that a part is given while an upload goes on.
    part: u64,
    /// The least that a server takes as a part that is not the last.
    least_part: u64,
    /// The most that one request may copy.
    copy: u64,
}

const SIZES: Sizes = Sizes {
    part: 8 << 20,
    least_part: 5 << 20,
    copy: 5 << 30,
};

#[derive(Debug, Clone)]
pub struct Bucket(Arc<Inner>);

struct Inner {
    client: Client,
    settings: Settings,
    /// Empty, or the prefix with a slash behind.
    root: String,
    locks: Locks,
    sizes: Sizes,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the client: it knows credentials.
        f.debug_struct("Bucket")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Bucket {
    pub(super) async fn open(settings: Settings, locks: Locks) -> Self {
        let client = client(&settings).await;
        Self::with(client, settings, locks, SIZES)
    }

    fn with(client: Client, settings: Settings, locks: Locks, sizes: Sizes) -> Self {
        let root = match settings.prefix.as_str() {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        Self(Arc::new(Inner {
            client,
            settings,
            root,
            locks,
            sizes,
        }))
    }

    pub(super) async fn size(&self, path: &ContentPath) -> Result<Option<u64>> {
        let head = self.head(&self.archived(path)).await?;
        Ok(head.map(|head| head.size))
    }

    pub(super) fn locks(&self) -> &Locks {
        &self.0.locks
    }

    fn client(&self) -> &Client {
        &self.0.client
    }

    fn name(&self) -> &str {
        &self.0.settings.bucket
    }

    fn patience(&self) -> Patience {
        self.0.settings.patience
    }

    /// Another patience for one request.
    fn within(&self, attempt: Duration) -> config::Builder {
        config::Config::builder().timeout_config(self.patience().timeouts(attempt))
    }

    fn archived(&self, path: &ContentPath) -> String {
        format!("{}archive/{path}", self.0.root)
    }

    fn staged_at(&self, name: &str) -> String {
        format!("{}staging/{name}", self.0.root)
    }

    fn unfinished(&self, name: &str) -> String {
        format!("{}unfinished/{name}", self.0.root)
    }

    /// The name of an upload from the key of its bytes.
    fn name_of<'k>(&self, key: &'k str) -> Option<&'k str> {
        key.strip_prefix(&self.0.root)?.strip_prefix("staging/")
    }

    /// See [`super::Objects::read_url`].
    pub(super) async fn read_url(
        &self,
        path: &ContentPath,
        valid: Duration,
        content_type: &str,
        content_disposition: &str,
    ) -> Result<Option<String>> {
        if !self.0.settings.redirect {
            return Ok(None);
        }
        let asked = self
            .client()
            .get_object()
            .bucket(self.name())
            .key(self.archived(path))
            .response_content_type(content_type)
            .response_content_disposition(content_disposition)
            .response_cache_control("private, no-store")
            .presigned(presigning(valid)?)
            .await
            .map_err(|e| fault::failed("presigning", &e))?;
        Ok(Some(asked.uri().to_owned()))
    }
}

fn presigning(valid: Duration) -> Result<PresigningConfig> {
    PresigningConfig::expires_in(valid).map_err(|e| Error::internal("presigning", e))
}

/// A client that asks the network for nothing but the bucket when the environment has keys.
async fn client(settings: &Settings) -> Client {
    let patience = settings.patience;
    let said = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new());
    let keys = std::env::var_os("AWS_ACCESS_KEY_ID").is_some();
    // Asking the machine's metadata service for a region takes seconds where there is none, and a server of
    // one's own usually does not care which region it is called.
    let region = if settings.endpoint.is_some() || keys {
        said.or_else(Region::from_static("us-east-1"))
    } else {
        said.or_default_provider()
    };
    let retries = RetryConfig::standard()
        .with_max_attempts(patience.attempts)
        .with_initial_backoff(Duration::from_millis(200))
        .with_max_backoff(Duration::from_secs(3));
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .retry_config(retries)
        .timeout_config(patience.timeouts(patience.answer))
        // Reading watches over every chunk by itself, and sending has its deadline.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    let shared = loader.load().await;
    let config = config::Builder::from(&shared)
        .force_path_style(settings.path_style)
        // Every body that is sent has its SHA-256 or MD5 with it; what else the SDK would add, some servers refuse.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .build();
    Client::from_conf(config)
}
