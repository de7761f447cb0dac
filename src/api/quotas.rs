//! `/api/quotas`, `/api/user/quota`, `/api/records/{id}/draft/quota`: how much may be stored, and how much is.
//! Ours; the names of the members are the dialect's (`quota_size`, `notes`). Sizes are bytes.

use axum::{
    Json,
    body::Bytes,
    extract::Path,
    http::{HeaderMap, StatusCode},
};
use serde_json::{Value, json};

use crate::{
    api::{Answer, DONE, answer, body, changing, id},
    error::{Error, Kind},
    files::quota::{self, Quota, Scope},
    web::caller::Caller,
};

fn shown(quota: &Quota) -> Value {
    json!({
        "scope": quota.scope.name(),
        "subject": quota.subject,
        "quota_size": quota.most,
        "used": quota.used,
        "left": quota.left(),
        "notes": quota.reason,
    })
}

fn list(quotas: &[Quota]) -> Json<Value> {
    let hits: Vec<Value> = quotas.iter().map(shown).collect();
    Json(json!({"hits": {"total": hits.len(), "hits": hits}}))
}

fn scope(caller: &Caller, name: &str) -> Answer<Scope> {
    let found = Scope::from_name(name).ok_or_else(|| Error::not_found(Kind::Page, name));
    answer(caller, found)
}

/// The caller's own room.
#[utoipa::path(get, path = "/api/user/quota", tag = "quotas",
    responses((status = 200, description = "What is allowed and what is used; `quota_size` null: no bound"), (status = 401)))]
pub async fn own(caller: Caller) -> Answer<Json<Value>> {
    let quota = answer(&caller, quota::of_caller(&caller.ctx).await)?;
    Ok(Json(shown(&quota)))
}

/// The quotas that bind a draft: its own, its owner's, those of its communities.
#[utoipa::path(get, path = "/api/records/{id}/draft/quota", tag = "quotas", params(("id" = String, Path)),
    responses((status = 200, description = "All that bind it"), (status = 401), (status = 404)))]
pub async fn of_draft(caller: Caller, Path(text): Path<String>) -> Answer<Json<Value>> {
    let id = id(&caller, &text)?;
    let quotas = answer(&caller, quota::of_draft(&caller.ctx, &id).await)?;
    Ok(list(&quotas))
}

/// What differs from the defaults, for administrators.
#[utoipa::path(get, path = "/api/quotas", tag = "quotas",
    responses((status = 200, description = "All overrides"), (status = 401), (status = 403)))]
pub async fn overrides(caller: Caller) -> Answer<Json<Value>> {
    let quotas = answer(&caller, quota::overrides(&caller.ctx).await)?;
    Ok(list(&quotas))
}

/// One quota. `scope` is `record` (any id of the dataset), `account` (its number or e-mail address) or
/// `community` (its slug).
#[utoipa::path(get, path = "/api/quotas/{scope}/{subject}", tag = "quotas",
    params(("scope" = String, Path), ("subject" = String, Path)),
    responses((status = 200, description = "The quota"), (status = 401), (status = 403), (status = 404)))]
pub async fn read(
    caller: Caller,
    Path((name, subject)): Path<(String, String)>,
) -> Answer<Json<Value>> {
    let scope = scope(&caller, &name)?;
    let quota = answer(&caller, quota::read(&caller.ctx, scope, &subject).await)?;
    Ok(Json(shown(&quota)))
}

/// Allows another size than the default: `{"quota_size": bytes, "notes": "why"}`.
#[utoipa::path(put, path = "/api/quotas/{scope}/{subject}", tag = "quotas", request_body = serde_json::Value,
    params(("scope" = String, Path), ("subject" = String, Path)),
    responses((status = 200, description = "The quota as it is now"), (status = 400), (status = 401),
        (status = 403), (status = 404)))]
pub async fn allow(
    caller: Caller,
    Path((name, subject)): Path<(String, String)>,
    headers: HeaderMap,
    sent: Bytes,
) -> Answer<Json<Value>> {
    changing(&caller, &headers)?;
    let scope = scope(&caller, &name)?;
    let body = answer(&caller, body::parse(&headers, &sent))?;
    let bytes = body["quota_size"]
        .as_u64()
        .ok_or_else(|| Error::invalid("quota-size", "quota_size"));
    let reason = body["notes"].as_str().unwrap_or_default();
    let allowed = match bytes {
        Ok(bytes) => quota::allow(&caller.ctx, scope, &subject, bytes, reason).await,
        // Who may not do it at all is told that, whatever was sent.
        Err(e) => quota::read(&caller.ctx, scope, &subject).await.and(Err(e)),
    };
    Ok(Json(shown(&answer(&caller, allowed)?)))
}

/// Back to the default.
#[utoipa::path(delete, path = "/api/quotas/{scope}/{subject}", tag = "quotas",
    params(("scope" = String, Path), ("subject" = String, Path)),
    responses((status = 204, description = "The default holds"), (status = 401), (status = 403), (status = 404)))]
pub async fn reset(
    caller: Caller,
    Path((name, subject)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    changing(&caller, &headers)?;
    let scope = scope(&caller, &name)?;
    answer(&caller, quota::reset(&caller.ctx, scope, &subject).await)?;
    Ok(DONE)
}
