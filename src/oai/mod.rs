//! OAI-PMH 2.0 at `/oai2d`: how other catalogues take over what is published here.
//!
//! All six verbs, by GET and by POST, for anybody: there is nothing to see here that is not public. The
//! standard's own errors come with status 200; only when the database does not answer is it 503, which
//! harvesters know how to wait for (section 3.1.2.2).
//!
//! Why no change can be missed:
//! * A datestamp is the second in which the item changed, not the record's publication date. Stamps never go
//!   backwards, whatever the clock does: a writer takes its stamp under a lock that it holds until it has committed.
//! * Within a second items are told apart by the number of their change, which goes up by one each time. A list walks along
//!   (stamp, number), and a token says where it stopped. An item that changes while a list is walked moves to the
//!   line's end: it is met there, perhaps for the second time, and never skipped. (By id within the second, a change
//!   that lands in the second just read, on a lower id, would be.)
//! * The next harvest begins `from` the date of this one's first answer. That date stands some seconds behind the clock, for
//!   changes that had their stamp but were not yet committed when the page was read; and `from` includes its second.
//!   A record may come twice, which the protocol allows for.
//! * What is withdrawn or hidden stays, as a deleted item, for ever.
//!
//! Not here: making the XML of a record (`formats`, when it is published), choosing its sets (`publish`).

mod answer;
mod request;
mod sets;
mod token;
mod xml;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, RawQuery, State},
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use tower_http::{CompressionLevel, compression::CompressionLayer};

use crate::{
    ctx::{Actor, Ctx, Env},
    text::Locale,
    web::problem::Told,
};

/// Longest form taken. The longest that makes sense is a token, below a kilobyte.
const LONGEST_FORM: usize = 16 << 10;

pub fn router() -> Router<Env> {
    // The fastest level already makes XML seven times smaller; better ones would cost more than the query.
    let compression = CompressionLayer::new().quality(CompressionLevel::Fastest);
    Router::new()
        .route("/oai2d", get(by_query).post(by_form))
        .layer(DefaultBodyLimit::max(LONGEST_FORM))
        .layer(compression)
}

async fn by_query(State(env): State<Env>, RawQuery(query): RawQuery) -> Response {
    answer(env, query.unwrap_or_default().as_bytes()).await
}

async fn by_form(State(env): State<Env>, form: Bytes) -> Response {
    answer(env, &form).await
}

async fn answer(env: Env, encoded: &[u8]) -> Response {
    // Nobody in particular, even when a browser sends its cookie along: what a harvester is given does not depend on who it is.
    let ctx = Ctx {
        env,
        actor: Actor::Anonymous,
        locale: Locale::En,
        request_id: String::new(),
    };
    match answer::answer(&ctx, encoded).await {
        Ok(xml) => {
            let headers = [
                (header::CONTENT_TYPE, "text/xml; charset=utf-8"),
                (header::CACHE_CONTROL, "no-cache"),
            ];
            (headers, xml).into_response()
        }
        Err(error) => Told {
            error,
            locale: ctx.locale,
        }
        .into_response(),
    }
}
