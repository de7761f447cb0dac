//! `/api/vocabularies`: the terms metadata is made of, in both languages.

use axum::{
    Json,
    extract::{Path, RawQuery},
};
use serde_json::{Value, json};

use crate::{
    api::{Answer, answer, search::parameters},
    error::{Error, Kind},
    metadata::vocabulary::{self, Entry, Vocabulary},
    web::caller::Caller,
};

/// Terms a page: by default, and at most.
const PAGE: usize = 25;
const MOST: usize = 1_000;

fn kind(caller: &Caller, name: &str) -> Answer<Vocabulary> {
    answer(
        caller,
        Vocabulary::from_slug(name).ok_or_else(|| Error::not_found(Kind::Vocabulary, name)),
    )
}

fn shown(caller: &Caller, kind: Vocabulary, entry: &Entry) -> Value {
    let own = format!(
        "{}/api/vocabularies/{}/{}",
        caller.ctx.env.config.base_url,
        kind.slug(),
        entry.id
    );
    json!({
        "id": entry.id,
        "type": kind.slug(),
        "title": {"en": entry.en, "vi": entry.vi},
        "links": {"self": own},
    })
}

/// The vocabularies there are.
#[utoipa::path(get, path = "/api/vocabularies", tag = "vocabularies", responses((status = 200, description = "Their names")))]
pub async fn kinds(caller: Caller) -> Json<Value> {
    let hits: Vec<Value> = Vocabulary::ALL
        .iter()
        .map(|v| {
            let own = format!(
                "{}/api/vocabularies/{}",
                caller.ctx.env.config.base_url,
                v.slug()
            );
            json!({"id": v.slug(), "links": {"self": own}})
        })
        .collect();
    Json(json!({"hits": {"total": hits.len(), "hits": hits}}))
}

/// Terms of a vocabulary; `q` or `suggest` finds them by words of either language, with or without accents.
#[utoipa::path(get, path = "/api/vocabularies/{type}", tag = "vocabularies",
    params(("type" = String, Path), ("q" = Option<String>, Query), ("suggest" = Option<String>, Query),
        ("page" = Option<u32>, Query), ("size" = Option<u32>, Query)),
    responses((status = 200, description = "Terms"), (status = 404)))]
pub async fn list(
    caller: Caller,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer<Json<Value>> {
    let kind = kind(&caller, &name)?;
    let parameters = parameters(query.as_deref());
    let value = |wanted: &str| {
        parameters
            .iter()
            .find(|(n, _)| n == wanted)
            .map(|(_, v)| v.as_str())
    };
    let number =
        |name: &str, default: usize| value(name).and_then(|v| v.parse().ok()).unwrap_or(default);
    let size = number("size", PAGE).clamp(1, MOST);
    let page = number("page", 1).max(1);
    let words = value("suggest").or(value("q")).unwrap_or_default();
    let found: Vec<&Entry> = if words.trim().is_empty() {
        vocabulary::list(kind).iter().collect()
    } else {
        vocabulary::search(kind, words, caller.ctx.locale, MOST)
    };
    let skip = page.saturating_sub(1).saturating_mul(size);
    let hits: Vec<Value> = found
        .iter()
        .skip(skip)
        .take(size)
        .map(|e| shown(&caller, kind, e))
        .collect();
    Ok(Json(
        json!({"hits": {"hits": hits, "total": found.len()}, "page": page}),
    ))
}

/// One term.
#[utoipa::path(get, path = "/api/vocabularies/{type}/{id}", tag = "vocabularies",
    params(("type" = String, Path), ("id" = String, Path)),
    responses((status = 200, description = "The term"), (status = 404)))]
pub async fn read(caller: Caller, Path(at): Path<(String, String)>) -> Answer<Json<Value>> {
    let (name, id) = at;
    let kind = kind(&caller, &name)?;
    let entry = vocabulary::get(kind, &id).ok_or_else(|| Error::not_found(Kind::Vocabulary, &id));
    Ok(Json(shown(&caller, kind, answer(&caller, entry)?)))
}
