//! Descriptions in a text box. They are stored as HTML; most people write paragraphs. Paragraphs become
//! HTML, HTML that says no more than paragraphs is shown as paragraphs, any other as it is stored.

/// Elements by which a text is known to be HTML already.
const ELEMENTS: [&str; 22] = [
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "div",
    "em",
    "h2",
    "h3",
    "h4",
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
    "td",
    "ul",
];

/// One kind of line end, as browsers show and send them.
pub(super) fn lines(text: &str) -> String {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.to_owned()
    }
}

/// What a single-line control shows of a text: browsers leave its line ends out.
pub(super) fn line(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect()
}

/// Did the person write HTML? `p < 0.05` and `<unk>` are not.
pub(super) fn is_html(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let rest = text[at + 1..].trim_start_matches('/');
        let name: String = rest
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        let after = rest[name.len()..].chars().next();
        ELEMENTS.contains(&name.as_str())
            && matches!(after, Some('>' | '/' | ' ' | '\n'))
            && rest.contains('>')
    })
}

/// Paragraphs (separated by empty lines) as HTML; HTML stays.
pub(super) fn to_html(text: &str) -> String {
    let text = text.trim();
    if is_html(text) {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut open = false;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() {
            out.push_str(if open { "</p>" } else { "" });
            open = false;
            continue;
        }
        out.push_str(if open { "<br>" } else { "<p>" });
        out.push_str(&escape(line));
        open = true;
    }
    out.push_str(if open { "</p>" } else { "" });
    out
}

/// HTML as a person would have typed it, if `to_html` would make it again; else the HTML.
pub(super) fn to_text(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return lines(html);
    }
    let plain = html
        .replace("<br/>", "<br>")
        .replace("<br />", "<br>")
        .replace("</p>\n<p>", "</p><p>");
    let text = plain
        .strip_prefix("<p>")
        .and_then(|rest| rest.strip_suffix("</p>"))
        .map(|inside| unescape(&inside.replace("</p><p>", "\n\n").replace("<br>", "\n")));
    match text {
        Some(text) if to_html(&text) == plain => text,
        _ => lines(html),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_become_html_and_come_back() {
        let typed = "Đo mặn < 4 g/L & pH\ntại Bến Tre.\n\nĐoạn hai.";
        let html = to_html(typed);
        assert_eq!(
            html,
            "<p>Đo mặn &lt; 4 g/L &amp; pH<br>tại Bến Tre.</p><p>Đoạn hai.</p>"
        );
        assert_eq!(to_text(&html), typed);
    }

    #[test]
    fn html_is_left_alone() {
        let rich = "<p>Một <b>hai</b></p><ul><li>ba</li></ul>";
        assert_eq!(to_text(rich), rich);
        assert_eq!(to_html(rich), rich);
        // Tags that were written as text must not become tags.
        let quoted = "<p>&lt;b&gt;không đậm&lt;/b&gt;</p>";
        assert_eq!(to_text(quoted), quoted);
    }

    #[test]
    fn a_sign_of_comparison_is_no_element() {
        for text in ["p < 0.05 và q > 3", "a <unk> b", "x<br", "1<2>0"] {
            assert!(!is_html(text), "{text}");
        }
        assert!(is_html("một<br>hai") && is_html("<P class=x>a</P>"));
    }
}
