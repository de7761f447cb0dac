//! What the bucket said, as the one error: full, not answering (try again), or ours to mend.

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
};

use crate::error::Error;

/// How servers say that there is no room. AWS never does; a server of one's own has disks and quotas.
const FULL: &[&str] = &[
    "QuotaExceeded",
    "InsufficientStorage",
    "InsufficientCapacity",
    "XMinioStorageFull",
    "XMinioAdminBucketQuotaExceeded",
];
/// Codes that mean "again, later", whatever status they come with.
const LATER: &[&str] = &[
    "SlowDown",
    "RequestTimeout",
    "RequestTimeoutException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "ServiceUnavailable",
    "InternalError",
    "OperationAborted",
];

/// The error of a request that was tried as often as it is to be.
pub(super) fn failed<E>(what: &str, e: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let code = e.code().unwrap_or_default();
    let status = status(e);
    if status == 507 || FULL.contains(&code) {
        tracing::warn!(what, code, "the bucket is full");
        return Error::Full;
    }
    let silent = matches!(
        e,
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_)
    );
    let told = format!("object store: {what}: {}", DisplayErrorContext(e));
    if silent || status >= 500 || status == 429 || LATER.contains(&code) {
        Error::Unavailable(told)
    } else {
        Error::Internal(told)
    }
}

/// There is no such object. (A bucket that is not there is another matter.)
pub(super) fn absent<E>(e: &SdkError<E, HttpResponse>) -> bool
where
    E: ProvideErrorMetadata,
{
    status(e) == 404 && e.code() != Some("NoSuchBucket")
}

pub(super) fn status<E>(e: &SdkError<E, HttpResponse>) -> u16 {
    e.raw_response().map_or(0, |r| r.status().as_u16())
}
