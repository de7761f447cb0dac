//! From the controls to metadata: a copy of what is stored with that changed which the person changed.

use serde_json::{Map, Value, json};

use super::{
    List, Move, Values,
    prose::to_html,
    rows::{creator, funding, related, rows, same_grant, same_person, same_work},
    show::{self, DESCRIPTION, Place, TITLE, main_locale, show, stored, translation},
};
use crate::{pages::deposit::view::Bilingual, text::Locale};

/// What is stored, changed by what was typed and by a button beside a row.
pub fn write(raw: &Value, typed: &Values, step: Option<Move>) -> Value {
    let before = show(raw);
    let mut out = raw.as_object().cloned().unwrap_or_default();
    texts(&mut out, raw, &before, typed);
    let term = |id: &str| (!id.trim().is_empty()).then(|| json!({"id": id.trim()}));
    if typed.resource_type != before.resource_type {
        put(&mut out, "resource_type", term(&typed.resource_type));
    }
    for (key, old, new) in [
        (
            "publication_date",
            &before.publication_date,
            &typed.publication_date,
        ),
        ("publisher", &before.publisher, &typed.publisher),
        ("version", &before.version, &typed.version),
    ] {
        if old != new {
            put(&mut out, key, words(new));
        }
    }
    if typed.licence != before.licence {
        licence(&mut out, raw, term(&typed.licence));
    }
    if typed.keywords != before.keywords {
        keywords(&mut out, raw, &typed.keywords);
    }
    rows(
        &mut out,
        "creators",
        List::Creators,
        step,
        &before.creators,
        &typed.creators,
        same_person,
        creator,
    );
    rows(
        &mut out,
        "related_identifiers",
        List::Related,
        step,
        &before.related,
        &typed.related,
        same_work,
        related,
    );
    rows(
        &mut out,
        "funding",
        List::Funding,
        step,
        &before.funding,
        &typed.funding,
        same_grant,
        funding,
    );
    Value::Object(out)
}

/// Sets a field, or takes it out.
pub(super) fn put(map: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    match value {
        Some(value) => {
            map.insert(key.to_owned(), value);
        }
        None => {
            map.remove(key);
        }
    }
}

pub(super) fn words(text: &str) -> Option<Value> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.into())
}

/// Sets a list, or takes it out when nothing is in it.
pub(super) fn put_list(map: &mut Map<String, Value>, key: &str, entries: Vec<Value>) {
    put(map, key, (!entries.is_empty()).then(|| entries.into()));
}

fn pick(text: &Bilingual, locale: Locale) -> &str {
    match locale {
        Locale::Vi => &text.vi,
        Locale::En => &text.en,
    }
}

/// Titles, descriptions and languages hang together: `title` and `description` are in the first language.
fn texts(out: &mut Map<String, Value>, raw: &Value, before: &Values, typed: &Values) {
    let same = before.title == typed.title
        && before.description == typed.description
        && sorted(&before.languages) == sorted(&typed.languages);
    if same {
        return;
    }
    let was = main_locale(raw);
    let main = was.map(|was| main_after(was, typed));
    for (place, old, new) in [
        (TITLE, &before.title, &typed.title),
        (DESCRIPTION, &before.description, &typed.description),
    ] {
        // Taken before anything moves: an unchanged text keeps its stored form wherever it goes.
        let after = Locale::ALL.map(|l| {
            if pick(old, l) == pick(new, l) {
                stored(raw, place, l, was).map(ToOwned::to_owned)
            } else {
                encode(place, pick(new, l))
            }
        });
        let changed = |l: Locale| main != was || pick(old, l) != pick(new, l);
        for (locale, text) in Locale::ALL.into_iter().zip(after) {
            if !changed(locale) {
                continue;
            }
            if main == Some(locale) {
                put(out, place.main, text.map(Value::from));
                translate(out, place, locale, None);
            } else {
                translate(out, place, locale, text);
            }
        }
    }
    languages(out, raw, typed, main);
}

/// The main language: the one that has a title; with both, the first language of the data, or what it was.
fn main_after(was: Locale, typed: &Values) -> Locale {
    let given = |text: &Bilingual, l: Locale| !pick(text, l).trim().is_empty();
    for text in [&typed.title, &typed.description] {
        match (given(text, Locale::Vi), given(text, Locale::En)) {
            (true, false) => return Locale::Vi,
            (false, true) => return Locale::En,
            (true, true) => {
                let chosen = |l: &Locale| typed.languages.iter().any(|c| c == l.iso639_3());
                return match (chosen(&Locale::Vi), chosen(&Locale::En)) {
                    (true, false) => Locale::Vi,
                    (false, true) => Locale::En,
                    _ => was,
                };
            }
            (false, false) => {}
        }
    }
    was
}

fn encode(place: Place, text: &str) -> Option<String> {
    let text = text.trim();
    let text = if place.html {
        to_html(text)
    } else {
        text.to_owned()
    };
    (!text.is_empty()).then_some(text)
}

/// Sets or removes the translation into a language; the rest of its entry stays.
fn translate(out: &mut Map<String, Value>, place: Place, locale: Locale, text: Option<String>) {
    let now = Value::Object(out.clone());
    let mut entries = show::list(&now, place.list).to_vec();
    match (translation(&now, place, locale), text) {
        (Some(n), Some(text)) => entries[n][place.key] = text.into(),
        (Some(n), None) => {
            entries.remove(n);
        }
        (None, Some(text)) => entries.push(json!({
            place.key: text,
            "type": {"id": place.kind},
            "lang": {"id": locale.iso639_3()},
        })),
        (None, None) => return,
    }
    put_list(out, place.list, entries);
}

fn sorted(codes: &[String]) -> Vec<&str> {
    let mut all: Vec<&str> = codes.iter().map(String::as_str).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Kept ones stay in their order, new ones follow. The language of the title comes first where the title
/// itself does not tell; one that the page has no title for stays first.
fn languages(out: &mut Map<String, Value>, raw: &Value, typed: &Values, main: Option<Locale>) {
    let had = show::list(raw, "languages");
    let mut entries: Vec<Value> = had
        .iter()
        .enumerate()
        .filter(|(n, l)| {
            typed.languages.contains(&show::language(l)) || (*n == 0 && main.is_none())
        })
        .map(|(_, l)| l.clone())
        .collect();
    for code in &typed.languages {
        if !code.trim().is_empty() && entries.iter().all(|l| show::language(l) != *code) {
            entries.push(json!({"id": code.trim()}));
        }
    }
    if entries != had {
        put_list(out, "languages", entries.clone());
    }
    let Some(main) = main else { return };
    let titled = out.contains_key(TITLE.main) || out.contains_key(DESCRIPTION.main);
    if titled && main_locale(&Value::Object(out.clone())) != Some(main) {
        let code = main.iso639_3();
        let first = match entries.iter().position(|l| show::language(l) == code) {
            Some(n) => entries.remove(n),
            None => json!({"id": code}),
        };
        entries.insert(0, first);
        put_list(out, "languages", entries);
    }
}

fn licence(out: &mut Map<String, Value>, raw: &Value, term: Option<Value>) {
    let mut rights = show::list(raw, "rights").to_vec();
    match (show::licence_at(raw), term) {
        (Some(n), Some(term)) => rights[n] = term,
        (Some(n), None) => {
            rights.remove(n);
        }
        (None, Some(term)) => rights.insert(0, term),
        (None, None) => {}
    }
    put_list(out, "rights", rights);
}

/// Terms of a classification stay; the keywords after them are what the box says.
fn keywords(out: &mut Map<String, Value>, raw: &Value, typed: &str) {
    let had = show::list(raw, "subjects");
    let mut subjects: Vec<Value> = had
        .iter()
        .filter(|s| !show::is_keyword(s))
        .cloned()
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    for word in typed.lines().map(str::trim).filter(|w| !w.is_empty()) {
        if seen.insert(word) {
            let known = had
                .iter()
                .find(|s| show::is_keyword(s) && show::text(&s["subject"]) == word);
            subjects.push(known.cloned().unwrap_or_else(|| json!({"subject": word})));
        }
    }
    put_list(out, "subjects", subjects);
}
