//! `/api/user/tokens`: personal access tokens. Ours; the dialect has no REST for them.
//!
//! Made and revoked only by somebody signed in with a browser: a token must not be able to make tokens.

use axum::{
    Json,
    body::Bytes,
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{
    api::{Answer, DONE, answer, body, changing},
    ctx::moment,
    error::Error,
    people::token::{self, NewToken, Token},
    text::timestamp,
    web::caller::{Caller, Proof},
};

fn shown(token: &Token) -> Value {
    let time = |at: i64| timestamp(moment(at));
    json!({
        "id": token.id.to_string(),
        "name": token.name,
        "scopes": token.scopes,
        "created": time(token.created),
        "expires": token.expires.map(time),
        "last_used": token.last_used.map(time),
    })
}

fn in_person(caller: &Caller) -> Answer<()> {
    match caller.proof {
        Proof::Session { .. } => Ok(()),
        Proof::Token => answer(caller, Err(Error::Forbidden)),
        Proof::Nothing => answer(caller, Err(Error::Unauthenticated)),
    }
}

/// The caller's tokens, without their secrets.
#[utoipa::path(get, path = "/api/user/tokens", tag = "tokens",
    responses((status = 200, description = "The tokens"), (status = 401)))]
pub async fn list(caller: Caller) -> Answer<Json<Value>> {
    let me = answer(&caller, caller.ctx.require_person())?.id;
    let tokens = answer(&caller, token::list(&caller.ctx.env, me).await)?;
    let hits: Vec<Value> = tokens.iter().map(shown).collect();
    Ok(Json(json!({"hits": {"hits": hits, "total": tokens.len()}})))
}

/// Makes a token. Its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/api/user/tokens", tag = "tokens", request_body = serde_json::Value,
    responses((status = 201, description = "The token and, once, its secret"), (status = 400), (status = 401), (status = 403)))]
pub async fn create(caller: Caller, headers: HeaderMap, sent: Bytes) -> Answer<Response> {
    in_person(&caller)?;
    changing(&caller, &headers)?;
    let me = answer(&caller, caller.ctx.require_person())?.id;
    let body = answer(&caller, body::parse(&headers, &sent))?;
    let scopes = body["scopes"].as_array().into_iter().flatten();
    let new = NewToken {
        name: body["name"].as_str().unwrap_or_default().to_owned(),
        scopes: scopes
            .filter_map(Value::as_str)
            .map(ToOwned::to_owned)
            .collect(),
        days: body["days"]
            .as_u64()
            .map(|d| u32::try_from(d).unwrap_or(u32::MAX)),
    };
    let (made, secret) = answer(&caller, token::create(&caller.ctx.env, me, new).await)?;
    let mut out = shown(&made);
    out["token"] = secret.into();
    Ok((StatusCode::CREATED, Json(out)).into_response())
}

/// Ends a token.
#[utoipa::path(delete, path = "/api/user/tokens/{id}", tag = "tokens", params(("id" = String, Path)),
    responses((status = 204, description = "Ended"), (status = 401), (status = 403), (status = 404)))]
pub async fn revoke(
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    in_person(&caller)?;
    changing(&caller, &headers)?;
    let number = id
        .parse()
        .map_err(|_| Error::not_found(crate::error::Kind::Token, &id));
    let number = answer(&caller, number)?;
    answer(&caller, token::revoke(&caller.ctx, number).await)?;
    Ok(DONE)
}
