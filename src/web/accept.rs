//! What a client would like to be given (RFC 9110 section 12.5.1), as a pure function of its headers.

use axum::http::{HeaderMap, header};

/// The media types of `Accept`, without parameters, the most wanted first; those not wanted are left out.
pub fn media_types(headers: &HeaderMap) -> Vec<String> {
    let mut types: Vec<(String, f32)> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .take(32)
        .map(|part| {
            let mut pieces = part.split(';').map(str::trim);
            let kind = pieces.next().unwrap_or_default().to_ascii_lowercase();
            let weight = pieces
                .find_map(|p| p.strip_prefix("q="))
                .map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
            (kind, weight)
        })
        .filter(|(kind, weight)| *weight > 0.0 && kind.contains('/'))
        .collect();
    // Stable, so that equals stay as the client wrote them.
    types.sort_by(|a, b| b.1.total_cmp(&a.1));
    types.into_iter().map(|(kind, _)| kind).collect()
}

/// Does the client read pages? Browsers say so; programs rarely do.
pub fn reads_html(headers: &HeaderMap) -> bool {
    media_types(headers)
        .iter()
        .any(|t| t == "text/html" || t == "application/xhtml+xml")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_most_wanted_comes_first() {
        let mut headers = HeaderMap::new();
        assert!(media_types(&headers).is_empty());
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static(
                "text/html;level=1;q=0.4, application/LD+json; profile=\"x\", a/b;q=0, */*;q=0.8",
            ),
        );
        assert_eq!(
            media_types(&headers),
            ["application/ld+json", "*/*", "text/html"]
        );
        assert!(reads_html(&headers));
    }
}
