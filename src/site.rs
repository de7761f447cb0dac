//! The URL map: which door answers where, and what every answer passes through.

use std::time::Duration;

use axum::{
    Router,
    extract::State,
    http::{Extensions, HeaderMap, StatusCode, Version, header},
    middleware,
    response::IntoResponse,
    routing::get,
};
use tower::ServiceBuilder;
use tower_http::{
    CompressionLevel,
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    timeout::{RequestBodyTimeoutLayer, TimeoutLayer},
    trace::TraceLayer,
};

use crate::{api, condition, ctx::Env, oai, pages, web::headers};

/// How long an answer may take to begin. Uploads are read inside it, so it is long; a stalled body is cut
/// off by its own clock.
const PATIENCE: Duration = Duration::from_hours(24);

/// How long a client may send nothing in the middle of a body.
const SILENCE: Duration = Duration::from_mins(1);

/// Everything the program serves.
pub fn router(env: Env) -> Router {
    Router::new()
        .merge(api::router())
        .merge(oai::router())
        .merge(pages::router())
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .layer(RequestBodyTimeoutLayer::new(SILENCE))
        .layer(
            CompressionLayer::new()
                .quality(CompressionLevel::Fastest)
                .compress_when(worth_compressing),
        )
        .layer(
            ServiceBuilder::new()
                .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
                .layer(TraceLayer::new_for_http())
                .layer(PropagateRequestIdLayer::x_request_id())
                .layer(CatchPanicLayer::new())
                .layer(middleware::from_fn(headers::secure))
                .layer(TimeoutLayer::with_status_code(
                    StatusCode::GATEWAY_TIMEOUT,
                    PATIENCE,
                )),
        )
        .with_state(env)
}

/// Text that a program wrote: pages, JSON, XML. Not files, whose length and ranges must hold (they say
/// `Accept-Ranges`), nor the static files, which come compressed. What is short fits one packet anyway.
fn worth_compressing(status: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let text = |name| {
        let value: Option<&axum::http::HeaderValue> = headers.get(name);
        value.and_then(|v| v.to_str().ok()).unwrap_or_default()
    };
    let kind = text(header::CONTENT_TYPE)
        .split(';')
        .next()
        .unwrap_or_default();
    let long = text(header::CONTENT_LENGTH)
        .parse()
        .map_or(true, |length: u64| length > 1_000);
    let prose = kind.starts_with("text/")
        || kind.ends_with("json")
        || kind.ends_with("xml")
        || kind == "application/x-bibtex";
    status.is_success()
        && !headers.contains_key(header::ACCEPT_RANGES)
        && !headers.contains_key(header::CONTENT_RANGE)
        && prose
        && long
}

async fn alive() -> &'static str {
    "ok\n"
}

/// Numbers for Prometheus. No names and nothing of any record; a proxy may still keep them to itself.
async fn metrics(State(env): State<Env>) -> Result<impl IntoResponse, StatusCode> {
    let text = condition::metrics(&env).await.map_err(|e| {
        tracing::warn!(error = %e, "no metrics");
        StatusCode::SERVICE_UNAVAILABLE
    })?;
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text))
}

/// Are the database and the stores there?
async fn ready(State(env): State<Env>) -> Result<&'static str, StatusCode> {
    env.db.ping().await.map_err(|e| {
        tracing::warn!(error = %e, "not ready");
        StatusCode::SERVICE_UNAVAILABLE
    })?;
    env.archive.check().await.map_err(|e| {
        tracing::warn!(error = %e, "not ready");
        StatusCode::SERVICE_UNAVAILABLE
    })?;
    Ok("ok\n")
}
