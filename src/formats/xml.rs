//! Writing XML: escaped, indented, and never with a character that XML 1.0 cannot hold.

use std::borrow::Cow;

/// Attributes with an empty value are left out, as are elements whose text is empty.
pub(super) type Attributes<'a> = &'a [(&'a str, &'a str)];

#[derive(Debug)]
pub(super) struct Xml {
    out: String,
    open: Vec<&'static str>,
}

impl Xml {
    pub(super) fn new() -> Self {
        Self {
            out: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(),
            open: Vec::new(),
        }
    }
    /// Begins an element that holds others.
    pub(super) fn open(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.tag(name, attributes);
        self.out.push_str(">\n");
        self.open.push(name);
    }
    /// Ends what was begun last.
    pub(super) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.indent();
            self.out.push_str("</");
            self.out.push_str(name);
            self.out.push_str(">\n");
        }
    }
    /// An element of text.
    pub(super) fn text(&mut self, name: &'static str, attributes: Attributes<'_>, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.tag(name, attributes);
        self.out.push('>');
        self.out.push_str(&escape(text.trim()));
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push_str(">\n");
    }
    /// A group around elements, only when there are any.
    pub(super) fn group<T>(
        &mut self,
        name: &'static str,
        entries: &[T],
        mut each: impl FnMut(&mut Self, &T),
    ) {
        if entries.is_empty() {
            return;
        }
        self.open(name, &[]);
        for entry in entries {
            each(self, entry);
        }
        self.close();
    }
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }

    fn indent(&mut self) {
        for _ in 0..self.open.len() {
            self.out.push_str("  ");
        }
    }
    fn tag(&mut self, name: &str, attributes: Attributes<'_>) {
        self.indent();
        self.out.push('<');
        self.out.push_str(name);
        for (key, value) in attributes.iter().filter(|(_, v)| !v.is_empty()) {
            self.out.push(' ');
            self.out.push_str(key);
            self.out.push_str("=\"");
            self.out.push_str(&escape(value));
            self.out.push('"');
        }
    }
}

/// Text or a quoted value, without what XML 1.0 (section 2.2) forbids.
pub(super) fn escape(s: &str) -> Cow<'_, str> {
    let plain =
        |c: char| c >= ' ' && !matches!(c, '<' | '>' | '&' | '"' | '\'' | '\u{fffe}' | '\u{ffff}');
    if s.chars().all(plain) {
        return Cow::Borrowed(s);
    }
    let mut out = String::with_capacity(s.len() + 16);
    for c in s.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' | '\n' => out.push(c),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_left_out() {
        assert_eq!(
            escape("a\u{0}b\u{b}<c>&\"\u{ffff}đ\n"),
            "ab&lt;c&gt;&amp;&quot;đ\n"
        );
        assert_eq!(escape("Đặng"), "Đặng");
        let mut xml = Xml::new();
        xml.open("a", &[("x", "1\"2"), ("y", "")]);
        xml.text("b", &[], "  ");
        xml.text("b", &[], " t ");
        assert!(
            xml.finish()
                .ends_with("<a x=\"1&quot;2\">\n  <b>t</b>\n</a>\n")
        );
    }
}
