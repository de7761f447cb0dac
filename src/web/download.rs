//! Sends a file: conditions, ranges, digests, and a content type that no browser runs on our origin.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    ctx::Ctx,
    error::Result,
    files::OpenFile,
    web::conditional::{Asked, names_etag, range},
};

/// Shown by a browser itself, or saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    Inline,
    Attachment,
}

/// What a browser may show inline: nothing that carries script. Everything else is saved as bytes.
const SHOWN: &[&str] = &[
    "text/plain",
    "text/csv",
    "text/tab-separated-values",
    "text/markdown",
    "application/json",
    "application/geo+json",
    "application/pdf",
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
    "image/bmp",
    "image/tiff",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "audio/flac",
    "video/mp4",
    "video/webm",
    "video/ogg",
];

/// Types that are safe to name because they are saved and not shown.
const SAVED: &[&str] = &[
    "application/zip",
    "application/gzip",
    "application/x-tar",
    "application/x-7z-compressed",
    "application/vnd.apache.parquet",
    "application/x-netcdf",
    "application/x-hdf5",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.ms-excel",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/octet-stream",
];

/// Attribute characters of RFC 8187 that need no escape.
const EXTENDED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The answer to a GET or HEAD of a file.
pub async fn send(
    ctx: &Ctx,
    method: &Method,
    headers: &HeaderMap,
    file: &OpenFile,
    wanted: Disposition,
) -> Result<Response> {
    let etag = format!("\"{}\"", file.sha256);
    let mut out = HeaderMap::new();
    let mut put = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            out.insert(name, value);
        }
    };
    put(header::ETAG, etag.clone());
    put(header::ACCEPT_RANGES, "bytes".to_owned());
    // Published bytes never change under their name, but may be withdrawn: a cache asks again.
    put(
        header::CACHE_CONTROL,
        if file.public {
            "public, max-age=0, must-revalidate"
        } else {
            "private, no-store"
        }
        .to_owned(),
    );
    let revalidates = matches!(*method, Method::GET | Method::HEAD)
        && names_etag(headers, &header::IF_NONE_MATCH, &etag);
    if revalidates {
        return Ok((StatusCode::NOT_MODIFIED, out).into_response());
    }
    let shown = shown(&file.mimetype);
    let inline = wanted == Disposition::Inline && shown;
    if *method == Method::GET
        && let Some(url) = file
            .elsewhere(
                ctx,
                &content_type(&file.mimetype),
                &disposition(inline, file.key.file_name()),
            )
            .await?
    {
        // The client asks there again, with its Range. The address is a key for a while: nobody may keep it.
        let headers = [
            (header::LOCATION, url),
            (header::CACHE_CONTROL, "private, no-store".to_owned()),
            (header::REFERRER_POLICY, "no-referrer".to_owned()),
        ];
        return Ok((StatusCode::FOUND, headers).into_response());
    }
    put(header::CONTENT_TYPE, content_type(&file.mimetype));
    put(
        header::CONTENT_DISPOSITION,
        disposition(inline, file.key.file_name()),
    );
    put(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; sandbox".to_owned(),
    );
    // Of the whole file, whatever part is sent (RFC 9530 section 3); `Digest` is its elder form.
    let sha256 = STANDARD.encode(file.sha256.0);
    put(
        HeaderName::from_static("repr-digest"),
        format!("sha-256=:{sha256}:"),
    );
    put(
        HeaderName::from_static("digest"),
        format!("SHA-256={sha256}"),
    );
    let part = match range(headers, file.size, &etag) {
        Asked::Nothing => {
            put(header::CONTENT_RANGE, format!("bytes */{}", file.size));
            out.remove(header::CONTENT_DISPOSITION);
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, out).into_response());
        }
        Asked::Part(part) => {
            put(
                header::CONTENT_RANGE,
                format!("bytes {}-{}/{}", part.start, part.end - 1, file.size),
            );
            Some(part)
        }
        Asked::Whole => {
            put(
                HeaderName::from_static("content-md5"),
                STANDARD.encode(file.md5.0),
            );
            None
        }
    };
    let status = if part.is_some() {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    let part = part.unwrap_or(0..file.size);
    put(header::CONTENT_LENGTH, (part.end - part.start).to_string());
    let body = if *method == Method::HEAD || part.is_empty() {
        Body::empty()
    } else {
        Body::from_stream(file.read(ctx, part).await?)
    };
    Ok((status, out, body).into_response())
}

fn shown(mimetype: &str) -> bool {
    SHOWN.contains(&mimetype)
}

/// The type as stored where it is harmless, with a charset where it is text; else bytes.
fn content_type(mimetype: &str) -> String {
    if mimetype.starts_with("text/") && shown(mimetype) {
        format!("{mimetype}; charset=utf-8")
    } else if shown(mimetype) || SAVED.contains(&mimetype) {
        mimetype.to_owned()
    } else {
        "application/octet-stream".to_owned()
    }
}

/// RFC 6266: a plain name for old clients, the true one in UTF-8.
pub(super) fn disposition(inline: bool, name: &str) -> String {
    let kind = if inline { "inline" } else { "attachment" };
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_graphic() && !"\"\\%;".contains(c) || c == ' ' {
                c
            } else {
                '_'
            }
        })
        .collect();
    format!(
        "{kind}; filename=\"{plain}\"; filename*=UTF-8''{}",
        utf8_percent_encode(name, EXTENDED)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_runs_is_shown() {
        for bad in [
            "text/html",
            "image/svg+xml",
            "application/xhtml+xml",
            "text/xml",
            "application/javascript",
            "text/css",
        ] {
            assert_eq!(content_type(bad), "application/octet-stream");
            assert!(!shown(bad));
        }
        assert_eq!(content_type("text/csv"), "text/csv; charset=utf-8");
    }

    #[test]
    fn names_survive_in_both_forms() {
        assert_eq!(
            disposition(false, "đọc tôi.txt"),
            "attachment; filename=\"__c t_i.txt\"; filename*=UTF-8''%C4%91%E1%BB%8Dc%20t%C3%B4i.txt"
        );
        assert!(!disposition(false, "a\"b;c%\\.txt").contains("a\""));
    }
}
