//! Templates into pages: two environments, one a language, built once; and `Chrome`, what every page
//! shows around its content.
//!
//! Undefined is an error everywhere, and everything is escaped unless it went through `safe_html`,
//! which is for descriptions that were sanitised when they were stored. Not here: what a page says
//! (`pages`), and how it is sent (headers, caching).

use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

use minijinja::{
    AutoEscape, Environment, ErrorKind, State, UndefinedBehavior, context,
    syntax::SyntaxConfig,
    value::{Kwargs, Serde, Value},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rust_embed::RustEmbed;
use serde::Serialize;

use super::assets;
use crate::{
    error::{Error, Result},
    text::{self, Locale},
};

/// What surrounds the content of every page.
#[derive(Debug, Clone, Serialize)]
pub struct Chrome {
    pub locale: Locale,
    /// The path without the language prefix, percent-encoded as it came: `/records/k3f9a-2bq71`.
    pub path: String,
    /// The query without `?`, as it came; empty when there is none.
    pub query: String,
    pub signed_in: Option<Person>,
    /// The token every form sends back as `csrf_token`. Empty where no form can be sent (a page that
    /// is the same for everybody, and so may be kept by a cache).
    pub csrf: String,
    pub theme: Theme,
    pub demo: bool,
    pub repository_name: String,
    /// Without a slash at the end: `https://data.example.vn`.
    pub base_url: String,
    pub notice: Option<Notice>,
    pub version: &'static str,
}

#[derive(Debug, Clone, Serialize)]
pub struct Person {
    pub name: String,
    /// `depositor`, `curator` or `admin`.
    pub role: String,
}

/// Light, dark, or as the reader's system is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Theme; 3] = [Theme::Auto, Theme::Light, Theme::Dark];

    pub fn code(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
    pub fn from_code(code: &str) -> Option<Theme> {
        Theme::ALL.into_iter().find(|t| t.code() == code)
    }
}

/// One sentence about what has just happened, shown once on the next page.
#[derive(Debug, Clone, Serialize)]
pub struct Notice {
    pub kind: NoticeKind,
    /// Already in the reader's language.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeKind {
    Done,
    Warning,
    Problem,
}

/// The content of a page: a typed context that knows its template, and examples of itself for the
/// test that renders every page in both languages.
pub trait View: Serialize + Sized {
    /// Under `templates/`: `pages/home.html`.
    const TEMPLATE: &'static str;

    /// At least one; together they reach every branch of the template.
    fn samples() -> Vec<Self>;

    fn html(&self, chrome: &Chrome) -> Result<String> {
        page(chrome, Self::TEMPLATE, self)
    }
}

/// Renders a template with `chrome` and, as `page`, its context.
pub fn page(chrome: &Chrome, template: &str, context: &impl Serialize) -> Result<String> {
    let environment = match chrome.locale {
        Locale::Vi => &ENVIRONMENTS[0],
        Locale::En => &ENVIRONMENTS[1],
    };
    environment
        .get_template(template)
        .and_then(|t| t.render(context! { chrome => Serde(chrome), page => Serde(context) }))
        .map_err(|e| Error::internal(template, Causes(&e)))
}

/// The text of every template, by name; for tests that read them.
pub fn sources() -> BTreeMap<String, String> {
    Templates::iter()
        .filter_map(|name| {
            let file = Templates::get(&name)?;
            Some((
                name.into_owned(),
                String::from_utf8_lossy(&file.data).into_owned(),
            ))
        })
        .collect()
}

#[derive(RustEmbed)]
#[folder = "templates"]
#[include = "*.html"]
struct Templates;

static ENVIRONMENTS: LazyLock<[Environment<'static>; 2]> =
    LazyLock::new(|| [build(Locale::Vi), build(Locale::En)]);

/// The engine's errors say the place in their debug form and the cause in their source.
struct Causes<'a>(&'a minijinja::Error);

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.0)?;
        let mut source = std::error::Error::source(self.0);
        while let Some(cause) = source {
            write!(f, "; {cause:#}")?;
            source = cause.source();
        }
        Ok(())
    }
}

/// A language has its own environment, so that macros, which see no context, speak it too.
fn build(locale: Locale) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    env.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .unwrap_or_default(),
    );
    env.set_loader(|name| {
        Ok(Templates::get(name).map(|f| String::from_utf8_lossy(&f.data).into_owned()))
    });

    env.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() && matches!(state.auto_escape(), AutoEscape::Html) => {
            out.write_str(&escape(text))?;
            Ok(())
        }
        _ => minijinja::escape_formatter(out, state, value),
    });

    env.add_function("t", move |key: &str, args: Kwargs| say(locale, key, &args));
    env.add_function("t_or", move |key: &str, otherwise: &str, args: Kwargs| {
        let key = key.replace('.', "-");
        let key = if text::has(locale, &key) {
            &key
        } else {
            otherwise
        };
        say(locale, key, &args)
    });
    env.add_function("href", move |path: &str| href(locale, path));
    env.add_function("url_for_locale", |state: &State<'_, '_>, code: &str| {
        let path = lookup(state, "path")?;
        let query = lookup(state, "query")?;
        let mark = if query.is_empty() { "" } else { "?" };
        let prefix = match Locale::from_code(code) {
            Some(locale) => format!("/{}", locale.code()),
            None => String::new(),
        };
        Ok::<_, minijinja::Error>(format!("{prefix}{path}{mark}{query}"))
    });
    env.add_function("asset", |name: &str| {
        assets::url(name)
            .ok_or_else(|| minijinja::Error::new(ErrorKind::InvalidOperation, name.to_owned()))
    });
    env.add_function("stylesheet", || {
        Value::from_safe_string(assets::stylesheet().to_owned())
    });

    env.add_filter("number", move |n: u64| text::number(locale, n));
    env.add_filter("bytes", move |n: u64| text::bytes(locale, n));
    env.add_filter("date", move |day: &str| text::edtf(locale, day));
    env.add_filter("edtf", move |value: &str| text::edtf(locale, value));
    env.add_filter("safe_html", |html: String| Value::from_safe_string(html));
    env.add_filter("json_block", |json: &str| {
        Value::from_safe_string(json_block(json))
    });
    env.add_filter("problems_at", problems_at);
    env.add_filter("query_value", |text: &str| {
        utf8_percent_encode(text, QUERY_VALUE).to_string()
    });
    env
}

/// Escapes what could end a text or a quoted attribute, and no more: the engine's own also escapes
/// every slash, which makes addresses unreadable and pages larger.
fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// What may stand unescaped in the value of a query.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// A page of ours in a language: `/records/x` as `/vi/records/x`. Other addresses stay.
pub fn href(locale: Locale, path: &str) -> String {
    if path.starts_with('/') && !path.starts_with("//") {
        let path = if path == "/" { "" } else { path };
        format!("/{}{path}", locale.code())
    } else {
        path.to_owned()
    }
}

/// In development a sentence that is missing is an error, so that the test of all pages finds the
/// keys that are put together; in service it shows its key (`text::say`).
fn say(locale: Locale, key: &str, args: &Kwargs) -> Result<String, minijinja::Error> {
    if cfg!(debug_assertions) && !text::has(locale, key) {
        let text = format!("no sentence {key} in {}", locale.code());
        return Err(minijinja::Error::new(ErrorKind::InvalidOperation, text));
    }
    let mut values = Vec::new();
    for name in args.args() {
        values.push((name, args.get::<Value>(name)?.to_string()));
    }
    let pairs: Vec<(&str, &str)> = values.iter().map(|(n, v)| (*n, v.as_str())).collect();
    Ok(text::say(locale, key, &pairs))
}

fn lookup(state: &State<'_, '_>, field: &str) -> Result<String, minijinja::Error> {
    let chrome = state.lookup("chrome").unwrap_or_default();
    Ok(chrome.get_attr(field)?.to_string())
}

/// JSON that can stand inside `<script>`: nothing in it can end the element (HTML section 4.12.1.3).
fn json_block(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

/// Of `[{field, message}]`, the messages of one field.
fn problems_at(problems: Value, field: &str) -> Result<Vec<Value>, minijinja::Error> {
    let mut found = Vec::new();
    for problem in problems.try_iter()? {
        if problem.get_attr("field")?.as_str() == Some(field) {
            found.push(problem.get_attr("message")?);
        }
    }
    Ok(found)
}

impl Chrome {
    /// An example for tests: a visitor who is not signed in.
    pub fn sample(locale: Locale) -> Self {
        Self {
            locale,
            path: "/records/k3f9a-2bq71".to_owned(),
            query: String::new(),
            signed_in: None,
            csrf: "sample-token".to_owned(),
            theme: Theme::Auto,
            demo: false,
            repository_name: match locale {
                Locale::Vi => "Kho dữ liệu nghiên cứu",
                Locale::En => "Kho research data",
            }
            .to_owned(),
            base_url: "https://kho.example.org".to_owned(),
            notice: None,
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_cannot_end_the_element_it_stands_in() {
        assert!(!json_block("{\"a\":\"</script><!--&\"}").contains(['<', '>', '&']));
    }

    #[test]
    fn text_can_end_neither_a_text_nor_an_attribute() {
        assert_eq!(
            escape("<a href=\"x/y\">'&"),
            "&lt;a href=&quot;x/y&quot;&gt;&#39;&amp;"
        );
        assert!(matches!(escape("đo mặn"), Cow::Borrowed(_)));
    }

    #[test]
    fn links_keep_the_language_and_leave_other_sites_alone() {
        assert_eq!(href(Locale::En, "/search?q=a"), "/en/search?q=a");
        assert_eq!(href(Locale::Vi, "/"), "/vi");
        assert_eq!(
            href(Locale::Vi, "https://doi.org/10.1/x"),
            "https://doi.org/10.1/x"
        );
        assert_eq!(href(Locale::Vi, "//evil.example"), "//evil.example");
    }
}
