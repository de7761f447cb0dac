//! Identifiers as people paste them: quoted, as a link, with a scheme in front. One plain form on
//! both sides, so that equality is enough. Checks nothing: a wrong DOI simply finds nothing.

use unicode_normalization::UnicodeNormalization;

/// Longer values are no identifiers; the bound keeps the term dictionary sane.
const LONGEST: usize = 300;

const HOSTS: [&str; 8] = [
    "doi.org/",
    "dx.doi.org/",
    "www.doi.org/",
    "orcid.org/",
    "ror.org/",
    "hdl.handle.net/",
    "arxiv.org/abs/",
    "n2t.net/",
];
const SCHEMES: [&str; 8] = [
    "doi:",
    "orcid:",
    "hdl:",
    "urn:doi:",
    "info:doi/",
    "arxiv:",
    "ror:",
    "oai:doi:",
];

/// The form identifiers are indexed and looked up in: lower case, no link, no scheme, no quotes.
/// Empty when nothing usable is left.
pub fn plain(raw: &str) -> String {
    let mut id: String = raw
        .trim_matches(|c: char| c.is_whitespace() || "\"'<>()[]{}“”‘’,;.".contains(c))
        .nfkc()
        .flat_map(char::to_lowercase)
        .collect();
    if id.chars().count() > LONGEST {
        return String::new();
    }
    if id.contains("%2f") {
        id = id.replace("%2f", "/");
    }
    let mut rest = id.as_str();
    for web in ["https://", "http://"] {
        if let Some(link) = rest.strip_prefix(web) {
            rest = link;
            for host in HOSTS {
                rest = rest.strip_prefix(host).unwrap_or(rest);
            }
        }
    }
    for prefix in HOSTS.iter().chain(&SCHEMES) {
        rest = rest.strip_prefix(prefix).unwrap_or(rest).trim_start();
    }
    rest.trim_end_matches('/').to_owned()
}

/// True for a plain form that could be an identifier rather than a word: it mixes digits with
/// something, or has the slash of a DOI.
pub fn is_likely(plain: &str) -> bool {
    plain.len() >= 3 && plain.bytes().any(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn every_way_to_paste_a_doi_is_one_doi() {
        for typed in [
            "10.5072/K3F9A-2bq71",
            "\"10.5072/k3f9a-2bq71\"",
            "https://doi.org/10.5072/k3f9a-2bq71",
            "http://dx.doi.org/10.5072/k3f9a-2bq71",
            "doi:10.5072/k3f9a-2bq71",
            "doi.org/10.5072/k3f9a-2bq71.",
            "<https://doi.org/10.5072%2Fk3f9a-2bq71>",
        ] {
            assert_eq!(plain(typed), "10.5072/k3f9a-2bq71", "{typed}");
        }
        assert_eq!(
            plain("https://orcid.org/0000-0002-1825-0097"),
            "0000-0002-1825-0097"
        );
        assert_eq!(plain(&"9".repeat(10_000)), "");
    }
}
