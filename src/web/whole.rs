//! Sends a body that is made while it is sent, but whose length and tag are known before: conditions, one range,
//! and the headers that let a client go on where it was cut off. A single file is `web::download`.

use std::ops::Range;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::Stream;

use crate::web::{
    conditional::{Asked, names_etag, range},
    download::disposition,
};

/// What is known of the body.
#[derive(Debug, Clone)]
pub struct Whole<'a> {
    /// Bytes.
    pub size: u64,
    /// Strong, quoted.
    pub etag: &'a str,
    /// May a shared cache keep it?
    pub public: bool,
    pub content_type: &'static str,
    /// What it is saved as.
    pub file_name: &'a str,
}

/// The answer to a GET or HEAD; `read` makes the bytes of a range that lies within the body.
pub fn send<S>(
    method: &Method,
    headers: &HeaderMap,
    whole: &Whole<'_>,
    read: impl FnOnce(Range<u64>) -> S,
) -> Response
where
    S: Stream<Item = std::io::Result<Bytes>> + Send + 'static,
{
    let mut out = HeaderMap::new();
    let mut put = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            out.insert(name, value);
        }
    };
    put(header::ETAG, whole.etag.to_owned());
    put(header::ACCEPT_RANGES, "bytes".to_owned());
    put(
        header::CACHE_CONTROL,
        if whole.public {
            "public, max-age=0, must-revalidate"
        } else {
            "private, no-store"
        }
        .to_owned(),
    );
    if names_etag(headers, &header::IF_NONE_MATCH, whole.etag) {
        return (StatusCode::NOT_MODIFIED, out).into_response();
    }
    let (status, part) = match range(headers, whole.size, whole.etag) {
        Asked::Nothing => {
            put(header::CONTENT_RANGE, format!("bytes */{}", whole.size));
            return (StatusCode::RANGE_NOT_SATISFIABLE, out).into_response();
        }
        Asked::Part(part) => {
            put(
                header::CONTENT_RANGE,
                format!("bytes {}-{}/{}", part.start, part.end - 1, whole.size),
            );
            (StatusCode::PARTIAL_CONTENT, part)
        }
        Asked::Whole => (StatusCode::OK, 0..whole.size),
    };
    put(header::CONTENT_TYPE, whole.content_type.to_owned());
    put(
        header::CONTENT_DISPOSITION,
        disposition(false, whole.file_name),
    );
    put(header::CONTENT_LENGTH, (part.end - part.start).to_string());
    let body = if *method == Method::HEAD {
        Body::empty()
    } else {
        Body::from_stream(read(part))
    };
    (status, out, body).into_response()
}
