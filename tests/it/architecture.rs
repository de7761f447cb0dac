//! Holds the source to the order of the house: who may import whom, what a door may not touch, how
//! long a file may be. Reads text, not types: a rule here must be visible in a `crate::` path.
//!
//! To add a module, put it where it belongs in [`ORDER`]; if that turns a test red, the import it
//! complains about is the thing to reconsider, not the order.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Left to right: a module may import what stands before it. A module with parts on two sides of the
/// house (`jobs`) is listed by part; the longest prefix counts.
const ORDER: &[&str] = &[
    "ids",
    "error",
    "text",
    "config",
    "store",
    "archive",
    "search_index",
    "metadata",
    "formats",
    "ctx",
    "jobs",
    "people",
    "access",
    "deposit",
    "files",
    "ledger",
    "community",
    "review",
    "publish",
    "catalog",
    "backup",
    "fixity",
    "rebuild",
    "condition",
    "quality",
    "stats",
    "jobs::worker",
    "jobs::sweep",
    "web",
    "pages",
    "api",
    "oai",
    "hub",
    // The URL map: where the doors are hung.
    "site",
    "cli",
    "main",
];

/// The doors stand side by side: none may import another, a table or the object store.
const DOORS: &[&str] = &["pages", "api", "oai", "hub"];

/// Lines a file may have before its head must say `long because …`.
const LONGEST: usize = 600;

#[test]
fn a_module_imports_only_from_its_left() {
    let mut wrong = Vec::new();
    for file in sources("src") {
        let home = module_of(&file.path);
        if home == ["lib"] {
            continue;
        }
        for path in crate_paths(&file.text, &home) {
            if let Err(why) = allowed(&home, &path) {
                wrong.push(format!(
                    "{}: crate::{}: {why}",
                    file.path.display(),
                    path.join("::")
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "against the order of the house:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_module_has_its_place_in_the_order() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let text = code_only(&fs::read_to_string(root).unwrap());
    let modules: Vec<&str> = text
        .lines()
        .filter_map(|l| {
            l.trim()
                .strip_prefix("pub mod ")
                .or(l.trim().strip_prefix("mod "))
        })
        .map(|l| l.trim_end_matches(';').trim())
        .collect();
    assert!(!modules.is_empty(), "src/lib.rs names no module");
    for module in modules {
        assert!(
            ORDER.contains(&module),
            "{module} is in src/lib.rs but not in the order of the house"
        );
    }
}

#[test]
fn http_stays_at_the_doors_and_sql_behind_them() {
    let web = rank(&["web".into()]).unwrap();
    let mut wrong = Vec::new();
    for file in sources("src") {
        let home = module_of(&file.path);
        let Some(place) = rank(&home) else { continue };
        let code = code_only(&file.text);
        if place < web && has_path(&code, "axum") {
            wrong.push(format!(
                "{}: axum, though it is no door",
                file.path.display()
            ));
        }
        if DOORS.contains(&home[0].as_str()) && has_path(&code, "sea_orm") {
            wrong.push(format!("{}: SQL in a door", file.path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_search_index_knows_no_database_and_no_http() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("search-index/Cargo.toml");
    let text = fs::read_to_string(manifest).unwrap();
    let dependencies = text.split("[dependencies]").nth(1).unwrap_or_default();
    for banned in ["axum", "hyper", "reqwest", "sea-orm", "sqlx", "kho"] {
        assert!(
            !dependencies.lines().any(|l| l.starts_with(banned)),
            "search-index depends on {banned}"
        );
    }
}

#[test]
fn a_file_says_what_it_is_for_and_stays_readable() {
    let mut wrong = Vec::new();
    for folder in ["src", "search-index/src", "migrations/src", "tests/it"] {
        for file in sources(folder) {
            let head: String = file
                .text
                .lines()
                .take_while(|l| l.starts_with("//!"))
                .collect();
            let lines = file.text.lines().count();
            if head.is_empty() {
                wrong.push(format!("{}: does not open with `//!`", file.path.display()));
            }
            if lines > LONGEST && !head.contains("long because") {
                wrong.push(format!(
                    "{}: {lines} lines, and its head does not say `long because …`",
                    file.path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// What the rules are made of.

/// May `home` import `path`? The error says why not.
fn allowed(home: &[String], path: &[String]) -> Result<(), String> {
    let (Some(here), Some(there)) = (rank(home), rank(path)) else {
        return Err("not in the order of the house".to_owned());
    };
    let door = DOORS.contains(&home[0].as_str());
    if door && path[0] != home[0] && DOORS.contains(&path[0].as_str()) {
        return Err("a door imports another door".to_owned());
    }
    // Tables stand in a capability's `store`, the handles of the outside world in `crate::store`.
    if door && path[0] != home[0] && path.iter().any(|s| s == "store" || s == "tables") {
        return Err("a door reaches for a table or the store; ask a capability".to_owned());
    }
    if there > here {
        return Err(format!("{} stands to the right of {}", path[0], home[0]));
    }
    Ok(())
}

/// Where the longest listed prefix of a path stands.
fn rank(path: &[String]) -> Option<usize> {
    (1..=path.len()).rev().find_map(|n| {
        ORDER
            .iter()
            .position(|entry| *entry == path[..n].join("::"))
    })
}

/// `src/jobs/worker.rs` is `jobs::worker`; `src/jobs/mod.rs` is `jobs`.
fn module_of(path: &Path) -> Vec<String> {
    let mut parts: Vec<String> = path
        .with_extension("")
        .components()
        .skip(1)
        .map(|c| c.as_os_str().to_string_lossy().into_owned())
        .collect();
    if parts.last().is_some_and(|p| p == "mod") {
        parts.pop();
    }
    parts
}

/// Every path into the crate a file names (`crate::…`, `super::…`, `search_index::…`), groups taken
/// apart, unit tests left out.
fn crate_paths(text: &str, home: &[String]) -> Vec<Vec<String>> {
    let code = code_only(text);
    let mut found = Vec::new();
    for (start, root) in ["crate", "super", "search_index"]
        .iter()
        .flat_map(|root| path_starts(&code, root).map(move |at| (at, *root)))
    {
        let before = match root {
            "crate" => Vec::new(),
            "super" => home[..home.len() - 1].to_vec(),
            _ => vec![root.to_owned()],
        };
        // The inner `super` of `super::super` is reached from the outer one.
        if root == "super" && code[..start].trim_end().ends_with("::") {
            continue;
        }
        follow(code[start + root.len()..].trim_start(), before, &mut found);
    }
    found.retain(|p| !p.is_empty() && p[0].starts_with(|c: char| c.is_ascii_lowercase()));
    found
}

/// Reads `::a::b::{c, d::{e}}` and adds each full path. Gives back what follows.
fn follow<'a>(rest: &'a str, mut path: Vec<String>, found: &mut Vec<Vec<String>>) -> &'a str {
    let Some(after) = rest.strip_prefix("::") else {
        found.push(path);
        return rest;
    };
    let after = after.trim_start();
    if let Some(mut inner) = after.strip_prefix('{') {
        loop {
            inner = inner.trim_start().trim_start_matches(',').trim_start();
            if inner.is_empty() {
                return inner;
            }
            if let Some(rest) = inner.strip_prefix('}') {
                return rest;
            }
            let glued = format!("::{inner}");
            let left = follow(&glued, path.clone(), found).len();
            inner = &inner[inner.len() - left..];
            // A rename (`as x`), or anything else up to the next name.
            inner = &inner[inner.find([',', '}']).unwrap_or(inner.len())..];
        }
    }
    let end = after
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(after.len());
    match &after[..end] {
        "" | "self" => found.push(path),
        "super" => {
            path.pop();
            return follow(after[end..].trim_start(), path, found);
        }
        name => {
            path.push(name.to_owned());
            return follow(after[end..].trim_start(), path, found);
        }
    }
    &after[end..]
}

/// Where a path that begins with `root` begins.
fn path_starts<'a>(code: &'a str, root: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(root)
        .map(|(at, _)| at)
        .filter(move |at| {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            !code[..*at].ends_with(word) && code[at + root.len()..].trim_start().starts_with("::")
        })
}

fn has_path(code: &str, root: &str) -> bool {
    path_starts(code, root).next().is_some()
}

/// The text without comments, literals and unit tests, so that braces and paths in it count.
fn code_only(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if rest.starts_with("/*") {
            rest = rest.split_once("*/").map_or("", |(_, after)| after);
        } else if let Some((hashes, body)) = raw_literal(rest, &out) {
            let end = format!("\"{hashes}");
            rest = body.split_once(&end).map_or("", |(_, after)| after);
        } else if c == '"' {
            rest = after_quote(&rest[1..]);
        } else if let Some(after) = after_char_literal(rest) {
            rest = after;
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    without_unit_tests(&out)
}

/// `r#"…"#`: its hashes and what follows the opening quote.
fn raw_literal<'a>(rest: &'a str, before: &str) -> Option<(&'a str, &'a str)> {
    if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let after = rest.strip_prefix("br").or(rest.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    Some((&after[..hashes], after[hashes..].strip_prefix('"')?))
}

fn after_quote(mut rest: &str) -> &str {
    while let Some(at) = rest.find(['"', '\\']) {
        if rest[at..].starts_with('"') {
            return &rest[at + 1..];
        }
        let escaped = rest[at + 1..].chars().next().map_or(0, char::len_utf8);
        rest = &rest[at + 1 + escaped..];
    }
    ""
}

/// `'x'` and `'\n'`, but not the lifetime `'a`.
fn after_char_literal(rest: &str) -> Option<&str> {
    let inner = rest.strip_prefix('\'')?;
    let mut chars = inner.char_indices();
    let (_, first) = chars.next()?;
    if first == '\\' {
        let close = 1 + inner.get(2..)?.find('\'')? + 1;
        return inner.get(close + 1..);
    }
    let (at, second) = chars.next()?;
    (second == '\'').then(|| &inner[at + 1..])
}

fn without_unit_tests(code: &str) -> String {
    let Some(at) = code.find("#[cfg(test)]") else {
        return code.to_owned();
    };
    let (before, marked) = code.split_at(at);
    let body = &marked["#[cfg(test)]".len()..];
    // The marked item ends at its closing brace, or at `;` if it has none.
    let mut depth = 0usize;
    for (i, c) in body.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    return format!("{before}{}", without_unit_tests(&body[i + 1..]));
                }
            }
            ';' if depth == 0 => {
                return format!("{before}{}", without_unit_tests(&body[i + 1..]));
            }
            _ => {}
        }
    }
    before.to_owned()
}

struct Source {
    /// From the root of the tree.
    path: PathBuf,
    text: String,
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut todo = vec![root.join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(Source {
                    text: fs::read_to_string(&path).unwrap(),
                    path: path.strip_prefix(root).unwrap().to_owned(),
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no source in {folder}");
    found
}

// The rules are tried on code that breaks them: a reader of text that misses a path would pass all.

fn paths(home: &str, text: &str) -> Vec<String> {
    let home: Vec<String> = home.split("::").map(str::to_owned).collect();
    let mut found: Vec<String> = crate_paths(text, &home)
        .iter()
        .map(|p| p.join("::"))
        .collect();
    found.sort();
    found
}

fn verdict(home: &str, path: &str) -> Result<(), String> {
    let split = |s: &str| s.split("::").map(str::to_owned).collect::<Vec<_>>();
    allowed(&split(home), &split(path))
}

#[test]
fn paths_are_found_in_groups_in_expressions_and_through_super() {
    let text = r##"
        use crate::{ctx::Ctx, store::{self, db::{Db, Tx as T}}, ids::RecordId};
        // crate::comment::x
        fn f<'a>(c: &'a char) { let q = '"'; crate::deposit::create(c); super::review::ask() }
        const S: &str = "crate::text::x \" crate::y::z"; const R: &str = r#"crate::raw::x"#;
        #[cfg(test)]
        mod tests { use crate::web::Nothing; }
        fn g() { crate :: files :: open(); search_index::open(); mycrate::x(); }
    "##;
    assert_eq!(
        paths("publish", text),
        [
            "ctx::Ctx",
            "deposit::create",
            "files::open",
            "ids::RecordId",
            "review::ask",
            "search_index::open",
            "store",
            "store::db::Db",
            "store::db::Tx",
        ]
    );
    assert_eq!(
        paths("publish::release", "use super::super::web::Page;"),
        ["web::Page"]
    );
}

#[test]
fn what_the_house_forbids_is_refused() {
    assert!(verdict("publish", "deposit::create").is_ok());
    assert!(verdict("jobs::worker", "catalog::index").is_ok());
    assert!(verdict("pages::search", "pages::layout").is_ok());
    for (home, path) in [
        ("deposit", "publish::release"),
        ("jobs", "jobs::worker::run"),
        ("pages", "api::records"),
        ("api", "pages::landing"),
        ("api::files", "store::object::Object"),
        ("oai", "catalog::store::version"),
        ("ids", "nowhere::x"),
    ] {
        assert!(verdict(home, path).is_err(), "{home} may import {path}");
    }
}
