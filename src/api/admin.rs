//! `/api/admin/storage`: how things stand, for administrators. Ours.

use axum::Json;
use serde_json::{Map, Value as Shown, json};

use crate::{
    api::{Answer, answer},
    condition::{self, Section, Value},
    ctx::moment,
    text::timestamp,
    web::caller::Caller,
};

/// Storage, checks, jobs, index and database, as a list of sections.
#[utoipa::path(get, path = "/api/admin/storage", tag = "admin",
    responses((status = 200, description = "How things stand"), (status = 401), (status = 403)))]
pub async fn storage(caller: Caller) -> Answer<Json<Shown>> {
    let sections = answer(&caller, condition::sections(&caller.ctx).await)?;
    let sections: Vec<Shown> = sections.iter().map(shown).collect();
    Ok(Json(json!({ "sections": sections })))
}

fn shown(section: &Section) -> Shown {
    let facts: Map<String, Shown> = section
        .facts
        .iter()
        .map(|fact| {
            let value = match &fact.value {
                Value::Number(n) | Value::Bytes(n) => json!(n),
                Value::Moment(at) => json!(timestamp(moment(*at))),
                Value::Text(text) => json!(text),
                Value::Never => Shown::Null,
            };
            (fact.name.replace('-', "_"), value)
        })
        .collect();
    let rows: Vec<Shown> = section
        .rows
        .iter()
        .map(|row| {
            json!({
                "code": row.code,
                "about": row.about,
                "detail": row.detail,
                "at": (row.at > 0).then(|| timestamp(moment(row.at))),
            })
        })
        .collect();
    json!({
        "name": section.name,
        "level": section.level.name(),
        "facts": facts,
        "rows": rows,
    })
}
