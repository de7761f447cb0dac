//! Lists of the files of a version for the programs that fetch and check many: `SHA256SUMS` of coreutils, Metalink 4
//! (RFC 5854) and aria2's input file. Made a file at a time, so that a list of any length can be sent as it is made.
//!
//! Not here: which files there are, and who may know of them (`catalog::bundle`).

use percent_encoding::utf8_percent_encode;

use super::{record::KEY, xml::escape};

/// A list's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Sums,
    Metalink,
    Aria2,
}

/// What all files of a list have in common.
#[derive(Debug, Clone)]
pub struct Listed {
    pub form: Form,
    /// Without a slash at the end.
    pub base_url: String,
    /// `k3f9a-2bq71`
    pub record: String,
    /// ISO 8601.
    pub published: String,
    /// Why there are no files here, a sentence a line; empty when there are.
    pub withheld: Vec<String>,
}

/// One file.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    pub key: &'a str,
    /// Bytes.
    pub size: u64,
    /// Lower-case hex.
    pub sha256: &'a str,
}

impl Form {
    pub fn mimetype(self) -> &'static str {
        match self {
            Form::Sums | Form::Aria2 => "text/plain; charset=utf-8",
            Form::Metalink => "application/metalink4+xml",
        }
    }

    /// The last part of its address, and what it is saved as.
    pub fn file_name(self) -> &'static str {
        match self {
            Form::Sums => "SHA256SUMS",
            Form::Metalink => "files.meta4",
            Form::Aria2 => "files.aria2",
        }
    }
}

impl Listed {
    /// What comes before the files.
    pub fn head(&self) -> String {
        let page = format!("{}/records/{}", self.base_url, self.record);
        match self.form {
            Form::Sums | Form::Aria2 => self.comments("# ", ""),
            Form::Metalink => format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                 <metalink xmlns=\"urn:ietf:params:xml:ns:metalink\">\n\
                 {}  <generator>Kho</generator>\n  <origin dynamic=\"true\">{}</origin>\n  <published>{}</published>\n{}",
                self.comments("<!-- ", " -->"),
                escape(&format!("{page}/files.meta4")),
                escape(&self.published),
                self.description(&page),
            ),
        }
    }

    /// A metalink names at least one file (RFC 5854 section 4.1.1): where none may be had, the description.
    fn description(&self, page: &str) -> String {
        if self.withheld.is_empty() {
            return String::new();
        }
        format!(
            "  <file name=\"{}/metadata/datacite.json\">\n    <url>{}</url>\n  </file>\n",
            self.record,
            escape(&format!("{page}/export/datacite-json"))
        )
    }

    fn comments(&self, before: &str, after: &str) -> String {
        let mut out = String::new();
        for line in &self.withheld {
            // Two dashes would end a comment of XML; no sentence of ours needs them.
            let line = line.replace("--", "–");
            out.extend([before, line.as_str(), after, "\n"]);
        }
        out
    }

    /// One file's lines.
    pub fn file(&self, file: &File<'_>) -> String {
        let url = || {
            let key = utf8_percent_encode(file.key, KEY);
            format!("{}/records/{}/files/{key}", self.base_url, self.record)
        };
        match self.form {
            Form::Sums => sums_line(file.sha256, file.key),
            Form::Metalink => format!(
                "  <file name=\"{}/{}\">\n    <size>{}</size>\n    <hash type=\"sha-256\">{}</hash>\n    <url>{}</url>\n  </file>\n",
                self.record,
                escape(file.key),
                file.size,
                file.sha256,
                escape(&url())
            ),
            Form::Aria2 => format!(
                "{}\n  out={}/{}\n  checksum=sha-256={}\n",
                url(),
                self.record,
                file.key,
                file.sha256
            ),
        }
    }

    /// What comes after the files.
    pub fn tail(&self) -> &'static str {
        match self.form {
            Form::Metalink => "</metalink>\n",
            Form::Sums | Form::Aria2 => "",
        }
    }
}

/// A line as `sha256sum` writes it: a name with a line end or a backslash is escaped, and a backslash before the
/// whole line says so.
pub fn sums_line(sha256: &str, name: &str) -> String {
    if !name.contains(['\\', '\n', '\r']) {
        return format!("{sha256}  {name}\n");
    }
    let name = name
        .replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\r', "\\r");
    format!("\\{sha256}  {name}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(form: Form) -> Listed {
        Listed {
            form,
            base_url: "https://kho.example.org".to_owned(),
            record: "k3f9a-2bq71".to_owned(),
            published: "2026-11-23T00:00:00Z".to_owned(),
            withheld: Vec::new(),
        }
    }

    const FILE: File<'_> = File {
        key: "đo mặn/<a>&b.csv",
        size: 7,
        sha256: "ab",
    };

    #[test]
    fn names_are_escaped_for_each_reader() {
        assert_eq!(sums_line("ab", "a b"), "ab  a b\n");
        assert_eq!(sums_line("ab", "a\\\nb"), "\\ab  a\\\\\\nb\n");
        let url = "https://kho.example.org/records/k3f9a-2bq71/files/%C4%91o%20m%E1%BA%B7n/%3Ca%3E%26b.csv";
        let metalink = list(Form::Metalink).file(&FILE);
        assert!(
            metalink.contains("name=\"k3f9a-2bq71/đo mặn/&lt;a&gt;&amp;b.csv\""),
            "{metalink}"
        );
        assert!(
            metalink.contains(&format!("<url>{url}</url>")),
            "{metalink}"
        );
        let aria2 = list(Form::Aria2).file(&FILE);
        assert!(
            aria2.starts_with(&format!("{url}\n  out=k3f9a-2bq71/đo mặn/<a>&b.csv\n")),
            "{aria2}"
        );
    }

    #[test]
    fn what_is_withheld_is_said_in_a_comment() {
        for form in [Form::Sums, Form::Metalink, Form::Aria2] {
            let mut list = list(form);
            list.withheld = vec!["Restricted -- ask.".to_owned()];
            let text = format!("{}{}", list.head(), list.tail());
            assert!(text.contains("Restricted – ask."), "{text}");
            assert_eq!(form == Form::Metalink, text.contains("<file name="));
        }
    }
}
