//! The static files: embedded, compressed once, served for a year under a name that holds their hash.
//!
//! `url("js/page.js")` is the only way to name one, so a changed file is a changed address and no
//! reader sees an old one. The style sheet is different: it is small, and goes into every page
//! (`stylesheet`), allowed by its own hash in the Content-Security-Policy.
//! Not here: anything a user uploaded.

use std::{collections::HashMap, io::Write, sync::LazyLock};

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use rust_embed::RustEmbed;
use sha2::Digest;

use crate::ids::Sha256;

#[derive(RustEmbed)]
#[folder = "templates/static"]
#[include = "*.css"]
#[include = "*.js"]
#[include = "*.svg"]
#[include = "*.woff2"]
struct Files;

/// Where the files are mounted: `/assets/<name>.<hash>.<extension>`.
pub const PREFIX: &str = "/assets/";

const FOREVER: &str = "public, max-age=31536000, immutable";

struct Asset {
    content_type: &'static str,
    /// Quoted, as in an `ETag` header.
    tag: String,
    plain: Bytes,
    /// `None` where compressing does not pay (fonts are compressed already).
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
}

struct Assets {
    /// `js/page.js` to `/assets/js/page.3f2a….js`.
    urls: HashMap<String, String>,
    /// `js/page.3f2a….js` to what is served.
    served: HashMap<String, Asset>,
    stylesheet: String,
    stylesheet_source: String,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(load);

/// The address of a static file, such as `asset("js/page.js")`. `None` when there is no such file.
pub fn url(name: &str) -> Option<&'static str> {
    ASSETS.urls.get(name).map(String::as_str)
}

/// The whole style sheet, without comments, with the fonts' addresses put in.
pub fn stylesheet() -> &'static str {
    &ASSETS.stylesheet
}

/// The CSP source that allows exactly `stylesheet()`: `'sha256-…'` (CSP 3 section 8.4).
pub fn stylesheet_source() -> &'static str {
    &ASSETS.stylesheet_source
}

/// The Content-Security-Policy of every page: nothing from elsewhere, no inline script, one inline
/// style sheet. Shown under `/assets/` nothing runs, so this is for pages alone.
pub fn content_security_policy() -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src {}; font-src 'self'; img-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        stylesheet_source()
    )
}

/// Serves `/assets/{*path}`.
pub async fn serve(Path(path): Path<String>, headers: HeaderMap) -> Response {
    answer(&path, &headers)
}

fn answer(path: &str, headers: &HeaderMap) -> Response {
    let Some(asset) = ASSETS.served.get(path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut answer = Response::new(Body::empty());
    let out = answer.headers_mut();
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(FOREVER));
    out.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(asset.content_type),
    );
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&asset.tag) {
        out.insert(header::ETAG, tag);
    }
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.contains(&asset.tag));
    if known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        return answer;
    }
    let (encoding, bytes) = choose(asset, headers);
    if let Some(encoding) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    *answer.body_mut() = Body::from(bytes.clone());
    answer
}

/// The smallest form that the client says it can read.
fn choose<'a>(asset: &'a Asset, headers: &HeaderMap) -> (Option<&'static str>, &'a Bytes) {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let takes = |coding: &str| {
        accepted.split(',').any(|part| {
            let mut pieces = part.split(';').map(str::trim);
            pieces.next() == Some(coding)
                && pieces.all(|p| !matches!(p, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
    };
    match (&asset.brotli, &asset.gzip) {
        (Some(bytes), _) if takes("br") => (Some("br"), bytes),
        (_, Some(bytes)) if takes("gzip") => (Some("gzip"), bytes),
        _ => (None, &asset.plain),
    }
}

fn load() -> Assets {
    let mut urls = HashMap::new();
    let mut served = HashMap::new();
    for name in Files::iter().filter(|n| !n.ends_with(".css")) {
        let Some(file) = Files::get(&name) else {
            continue;
        };
        let digest = sha2::Sha256::digest(&file.data);
        let hash = Sha256(digest.into()).to_hex()[..16].to_owned();
        let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
        let hashed = format!("{stem}.{hash}.{extension}");
        let content_type = match extension {
            "js" => "text/javascript; charset=utf-8",
            "svg" => "image/svg+xml",
            _ => "font/woff2",
        };
        let text = extension != "woff2";
        let plain = Bytes::from(file.data.into_owned());
        let asset = Asset {
            content_type,
            tag: format!("\"{hash}\""),
            brotli: text.then(|| brotli(&plain)).flatten(),
            gzip: text.then(|| gzip(&plain)).flatten(),
            plain,
        };
        urls.insert(name.into_owned(), format!("{PREFIX}{hashed}"));
        served.insert(hashed, asset);
    }
    let source = Files::get("css/app.css")
        .map(|f| String::from_utf8_lossy(&f.data).into_owned())
        .unwrap_or_default();
    let mut stylesheet = squeeze(&source);
    for (name, url) in &urls {
        stylesheet = stylesheet.replace(&format!("url(../{name})"), &format!("url({url})"));
    }
    let digest = BASE64_STANDARD.encode(sha2::Sha256::digest(&stylesheet));
    Assets {
        urls,
        served,
        stylesheet,
        stylesheet_source: format!("'sha256-{digest}'"),
    }
}

fn brotli(plain: &[u8]) -> Option<Bytes> {
    let mut out = Vec::new();
    let mut writer = brotli::CompressorWriter::new(&mut out, 4096, 11, 20);
    writer.write_all(plain).ok()?;
    drop(writer);
    (out.len() < plain.len()).then(|| out.into())
}

fn gzip(plain: &[u8]) -> Option<Bytes> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(plain).ok()?;
    let out = writer.finish().ok()?;
    (out.len() < plain.len()).then(|| out.into())
}

/// Takes comments, line ends and indentation out of a style sheet. It knows no more CSS than that,
/// which is safe as long as no string in ours holds `/*`.
fn squeeze(source: &str) -> String {
    let mut bare = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("/*") {
        bare.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, tail)| tail);
    }
    bare.push_str(rest);
    let mut out = String::with_capacity(bare.len());
    for line in bare.lines().map(str::trim).filter(|l| !l.is_empty()) {
        // A selector list or a value may go on in the next line; a space keeps its words apart.
        if !out.is_empty() && !out.ends_with(['{', '}', ';', ',']) {
            out.push(' ');
        }
        out.push_str(line);
    }
    out.replace(" {", "{").replace(": ", ":").replace(";}", "}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(encoding: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding));
        headers
    }

    #[test]
    fn comments_and_line_ends_go_and_words_stay_apart() {
        let css =
            "/* why */\na {\n  color: red;\n  margin: 0 /* x */ auto;\n}\nb,\ni {\n  top: 0;\n}\n";
        assert_eq!(squeeze(css), "a{color:red;margin:0  auto}b,i{top:0}");
    }

    #[test]
    fn every_address_in_the_style_sheet_is_served() {
        let mut found = 0;
        for part in stylesheet().split("url(").skip(1) {
            let (address, _) = part.split_once(')').unwrap();
            let name = address.strip_prefix(PREFIX).expect(address);
            assert!(ASSETS.served.contains_key(name), "{address}");
            found += 1;
        }
        assert_eq!(found, 4, "two fonts in two subsets");
    }

    #[test]
    fn a_file_comes_in_the_form_the_client_reads_and_stays_for_a_year() {
        let name = url("js/page.js").unwrap().strip_prefix(PREFIX).unwrap();
        for (accept, coding) in [
            ("gzip, br", Some("br")),
            ("gzip;q=1, br;q=0", Some("gzip")),
            ("identity", None),
        ] {
            let got = answer(name, &asking(accept));
            assert_eq!(got.status(), StatusCode::OK);
            assert_eq!(got.headers()[header::CACHE_CONTROL], FOREVER);
            let sent = got.headers().get(header::CONTENT_ENCODING);
            assert_eq!(sent.map(|v| v.to_str().unwrap()), coding, "{accept}");
        }
        let mut again = asking("br");
        again.insert(
            header::IF_NONE_MATCH,
            HeaderValue::from_str(&ASSETS.served[name].tag).unwrap(),
        );
        let got = answer(name, &again);
        assert_eq!(got.status(), StatusCode::NOT_MODIFIED);
        let gone = answer("js/page.js", &HeaderMap::new());
        assert_eq!(gone.status(), StatusCode::NOT_FOUND, "only the hashed name");
    }
}
