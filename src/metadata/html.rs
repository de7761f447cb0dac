//! Descriptions are HTML written by strangers: what may stay, and what they say as plain text.
//!
//! Sanitised when read, so that what is stored is already safe; a page may still treat it as foreign.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

/// Structure and emphasis, nothing that loads, runs or looks different from the page around it.
const TAGS: [&str; 32] = [
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "code",
    "dd",
    "div",
    "dl",
    "dt",
    "em",
    "h2",
    "h3",
    "h4",
    "hr",
    "i",
    "li",
    "ol",
    "p",
    "pre",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];

static CLEANER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut builder = ammonia::Builder::empty();
    builder
        .tags(HashSet::from(TAGS))
        // The content of these goes too: it is never prose.
        .clean_content_tags(HashSet::from(["script", "style", "template", "noscript"]))
        .generic_attributes(HashSet::from(["lang", "dir"]))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href", "title"])),
            ("abbr", HashSet::from(["title"])),
            ("td", HashSet::from(["colspan", "rowspan"])),
            ("th", HashSet::from(["colspan", "rowspan", "scope"])),
            ("ol", HashSet::from(["start"])),
        ]))
        .url_schemes(HashSet::from(["http", "https", "mailto", "doi"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("nofollow noopener noreferrer"));
    builder
});

/// The HTML with everything dangerous or decorative taken out. Safe to run twice.
pub fn sanitize(html: &str) -> String {
    if html.contains(['<', '>', '&']) {
        CLEANER.clean(html).to_string().trim().to_owned()
    } else {
        html.trim().to_owned()
    }
}

/// What the HTML says without its tags: blocks become lines, spaces are single, entities are characters.
pub fn plain_text(html: &str) -> String {
    if !html.contains(['<', '>', '&']) {
        return lines(html);
    }
    // Ends of blocks would otherwise glue words of two paragraphs together.
    let mut spaced = String::with_capacity(html.len() + 64);
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        spaced.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('>') else {
            rest = &rest[open..];
            break;
        };
        let tag = &rest[open..=open + close];
        let name: String = tag
            .trim_start_matches(['<', '/'])
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        match name.as_str() {
            "p" | "div" | "br" | "li" | "tr" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6"
            | "blockquote" | "pre" | "ul" | "ol" | "dl" | "dt" | "dd" | "table" | "hr" => {
                spaced.push('\n');
            }
            "td" | "th" => spaced.push(' '),
            _ => {}
        }
        spaced.push_str(tag);
        rest = &rest[open + close + 1..];
    }
    spaced.push_str(rest);
    let bare = ammonia::Builder::empty()
        .clean_content_tags(HashSet::from(["script", "style", "template", "noscript"]))
        .clean(&spaced)
        .to_string();
    lines(&unescape(&bare))
}

/// ammonia writes text with these entities and no others.
fn unescape(s: &str) -> String {
    s.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
}

fn lines(s: &str) -> String {
    s.lines()
        .map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|l| !l.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_or_loads_is_taken_out() {
        let dirty = "<p onclick=\"x()\">Xin <b>chào</b><script>alert(1)</script>\
            <img src=x onerror=y> <a href=\"javascript:z\">a</a> <a href=\"https://e.vn\">b</a></p>\
            <iframe src=\"//evil\"></iframe><p style=\"position:fixed\">hai</p>";
        let clean = sanitize(dirty);
        for gone in [
            "onclick",
            "script",
            "img",
            "javascript",
            "iframe",
            "style",
            "alert",
        ] {
            assert!(!clean.contains(gone), "{gone} in {clean}");
        }
        assert!(clean.contains("<b>chào</b>") && clean.contains("href=\"https://e.vn\""));
        assert_eq!(sanitize(&clean), clean);
        assert_eq!(sanitize("nhiệt độ, °C"), "nhiệt độ, °C");
        assert_eq!(sanitize("a < b"), "a &lt; b");
    }

    #[test]
    fn text_keeps_its_words_apart() {
        assert_eq!(
            plain_text("<p>Một</p><p>hai &amp; <i>ba</i></p><ul><li>bốn</li></ul>"),
            "Một\nhai & ba\nbốn"
        );
        assert_eq!(plain_text("x &lt; y"), "x < y");
        assert_eq!(plain_text("&amp;lt;"), "&lt;");
        assert_eq!(plain_text("a <script>b()</script>c"), "a c");
    }
}
