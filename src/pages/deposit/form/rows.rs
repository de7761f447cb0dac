//! Rows of people, works and grants: each is written over the stored entry it was made from, so that what the
//! page does not show of somebody goes where that person goes.

use serde_json::{Map, Value, json};

use super::{
    Blank, List, Move, Related, SHOWN, show,
    write::{put, put_list, words},
};
use crate::{
    ids::Ror,
    metadata::vocabulary::{self, Vocabulary},
    pages::deposit::view::{CreatorRow, FundingRow},
    text::Locale,
};

/// Writes the rows of a list: each over the stored entry it was made from, then the button's step.
#[expect(
    clippy::too_many_arguments,
    reason = "one function for three lists, called in one place"
)]
pub(super) fn rows<T: Blank + PartialEq + Default>(
    out: &mut Map<String, Value>,
    key: &str,
    list: List,
    step: Option<Move>,
    before: &[T],
    typed: &[T],
    alike: fn(&T, &T) -> bool,
    change: fn(&Value, &T, &T) -> Value,
) {
    let stepped = match step {
        Some(Move::Remove(l, _) | Move::Up(l, _) | Move::Down(l, _)) => l == list,
        Some(Move::Add(_)) | None => false,
    };
    if before == typed && !stepped {
        return;
    }
    let had = out
        .get(key)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let nothing = T::default();
    let mut entries: Vec<Option<Value>> = typed
        .iter()
        .zip(origins(before, typed, alike))
        .map(|(row, origin)| match origin {
            Some(n) if before[n] == *row => Some(had[n].clone()),
            _ if row.is_blank() => None,
            Some(n) => Some(change(&had[n], &before[n], row)),
            None => Some(change(&json!({}), &nothing, row)),
        })
        .collect();
    match step.filter(|_| stepped) {
        Some(Move::Remove(_, n)) if n < entries.len() => entries[n] = None,
        Some(Move::Up(_, n)) if n > 0 && n < entries.len() => entries.swap(n, n - 1),
        Some(Move::Down(_, n)) if n + 1 < entries.len() => entries.swap(n, n + 1),
        _ => {}
    }
    let beyond = had.into_iter().skip(SHOWN);
    put_list(
        out,
        key,
        entries.into_iter().flatten().chain(beyond).collect(),
    );
}

/// Which stored entry each row was made from: the one it still equals, here or elsewhere; one of the same
/// name; the one at its place. Others may have moved rows meanwhile, so the place alone is not enough.
fn origins<T: PartialEq>(
    before: &[T],
    typed: &[T],
    alike: fn(&T, &T) -> bool,
) -> Vec<Option<usize>> {
    let mut found: Vec<Option<usize>> = vec![None; typed.len()];
    let mut used = vec![false; before.len()];
    let fits: [&dyn Fn(usize, usize) -> bool; 4] = [
        &|i, n| i == n && typed[i] == before[n],
        &|i, n| typed[i] == before[n],
        &|i, n| alike(&typed[i], &before[n]),
        &|i, n| i == n,
    ];
    for fit in fits {
        for (i, origin) in found.iter_mut().enumerate().filter(|(_, o)| o.is_none()) {
            *origin = (0..before.len()).find(|n| !used[*n] && fit(i, *n));
            if let Some(n) = *origin {
                used[n] = true;
            }
        }
    }
    found
}

pub(super) fn same_person(a: &CreatorRow, b: &CreatorRow) -> bool {
    !a.family_name.is_empty() && a.family_name == b.family_name && a.given_name == b.given_name
}

pub(super) fn same_work(a: &Related, b: &Related) -> bool {
    !a.identifier.is_empty() && a.identifier == b.identifier
}

pub(super) fn same_grant(a: &FundingRow, b: &FundingRow) -> bool {
    !a.funder.is_empty() && a.funder == b.funder && a.award_number == b.award_number
}

pub(super) fn creator(raw: &Value, before: &CreatorRow, typed: &CreatorRow) -> Value {
    let mut out = raw.as_object().cloned().unwrap_or_default();
    let mut who = raw["person_or_org"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let kind = if typed.organisation {
        "organizational"
    } else {
        "personal"
    };
    if typed.organisation != before.organisation || !who.contains_key("type") {
        who.insert("type".to_owned(), kind.into());
        who.remove("name");
        who.remove("family_name");
        put(&mut who, name_key(typed), words(&typed.family_name));
    } else if typed.family_name != before.family_name {
        put(&mut who, name_key(typed), words(&typed.family_name));
    }
    if typed.given_name != before.given_name {
        put(&mut who, "given_name", words(&typed.given_name));
    }
    if !typed.organisation
        && (typed.family_name != before.family_name || typed.given_name != before.given_name)
    {
        // Computed from the parts; the old one would contradict them.
        who.remove("name");
    }
    if typed.identifier != before.identifier {
        let scheme = if typed.organisation { "ror" } else { "orcid" };
        let mut ids = show::list(&raw["person_or_org"], "identifiers").to_vec();
        let entry = words(&typed.identifier).map(|id| json!({"identifier": id, "scheme": scheme}));
        match (show::identifier_at(&raw["person_or_org"]), entry) {
            (Some(n), Some(entry)) => ids[n] = entry,
            (Some(n), None) => {
                ids.remove(n);
            }
            (None, Some(entry)) => ids.push(entry),
            (None, None) => {}
        }
        put_list(&mut who, "identifiers", ids);
    }
    if typed.affiliation != before.affiliation {
        put_list(
            &mut out,
            "affiliations",
            affiliations(raw, &typed.affiliation),
        );
    }
    out.insert("person_or_org".to_owned(), who.into());
    Value::Object(out)
}

fn name_key(row: &CreatorRow) -> &'static str {
    if row.organisation {
        "name"
    } else {
        "family_name"
    }
}

/// Separated by `;`. One that was there keeps its id; a ROR id or the exact name of an organisation we know
/// becomes that organisation.
fn affiliations(raw: &Value, typed: &str) -> Vec<Value> {
    let had = show::list(raw, "affiliations");
    typed
        .split(';')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| {
            let known = had
                .iter()
                .find(|a| show::organisation_name(a).trim() == name);
            known
                .cloned()
                .unwrap_or_else(|| organisation(name, Vocabulary::Affiliations))
        })
        .collect()
}

fn organisation(typed: &str, vocabulary: Vocabulary) -> Value {
    let folded = typed.to_lowercase();
    let entry = vocabulary::list(vocabulary)
        .iter()
        .find(|e| e.en.to_lowercase() == folded || e.vi.to_lowercase() == folded);
    match (entry, typed.parse::<Ror>()) {
        (Some(entry), _) => json!({"id": entry.id, "name": entry.en}),
        (None, Ok(ror)) => json!({"id": ror.as_str()}),
        (None, Err(_)) => json!({"name": typed}),
    }
}

pub(super) fn related(raw: &Value, before: &Related, typed: &Related) -> Value {
    let mut out = raw.as_object().cloned().unwrap_or_default();
    if typed.identifier != before.identifier {
        put(&mut out, "identifier", words(&typed.identifier));
        // The scheme belonged to the old one; it is told from the new one.
        out.remove("scheme");
    }
    if typed.relation != before.relation {
        let term = words(&typed.relation).map(|id| json!({"id": id}));
        put(&mut out, "relation_type", term);
    }
    Value::Object(out)
}

pub(super) fn funding(raw: &Value, before: &FundingRow, typed: &FundingRow) -> Value {
    let mut out = raw.as_object().cloned().unwrap_or_default();
    if typed.funder != before.funder {
        let funder =
            words(&typed.funder).map(|_| organisation(typed.funder.trim(), Vocabulary::Funders));
        put(&mut out, "funder", funder);
    }
    let mut award = raw["award"].as_object().cloned().unwrap_or_default();
    if typed.award_number != before.award_number {
        put(&mut award, "number", words(&typed.award_number));
        // It named the award of the old number.
        award.remove("id");
    }
    if typed.award_title != before.award_title {
        let mut titles = raw["award"]["title"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let key = show::award_title_key(&raw["award"]).unwrap_or_else(|| {
            let locale = if typed.award_title.is_ascii() {
                Locale::En
            } else {
                Locale::Vi
            };
            locale.code().to_owned()
        });
        put(&mut titles, &key, words(&typed.award_title));
        put(
            &mut award,
            "title",
            (!titles.is_empty()).then(|| titles.into()),
        );
    }
    put(&mut out, "award", (!award.is_empty()).then(|| award.into()));
    Value::Object(out)
}
