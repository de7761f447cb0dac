//! What programs that walk the web read: robots.txt, sitemaps, the feed of the newest records. Everything
//! here is what nobody in particular may see, whoever asks.

mod feed;
mod robots;
mod sitemap;

use axum::{Router, routing::get};

use crate::ctx::{Actor, Ctx, Env};

pub(super) fn router() -> Router<Env> {
    Router::new()
        .route("/robots.txt", get(robots::robots))
        .route("/sitemap.xml", get(sitemap::sitemap))
        .route("/feed.atom", get(feed::feed))
}

/// The same context for everybody, so that no feed depends on a cookie.
fn anybody(ctx: &Ctx) -> Ctx {
    Ctx {
        actor: Actor::Anonymous,
        ..ctx.clone()
    }
}
