//! Does what is asked: the job of the long lane.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use sea_orm::{EntityTrait, QueryFilter, sea_query::Expr};
use tokio::time::Instant;

use super::{Kind, State, memo, unpack};
use crate::{
    access::{self, Action},
    ctx::Ctx,
    error::{Error, Problem, Result},
    files::{Incoming, commit, receive},
    ids::{FileKey, RecordId},
    store::table::intake,
};

/// How often the row says how far it is.
const TELL: Duration = Duration::from_secs(2);
/// How often a server is asked that does not answer, or stops in the middle.
const TRIES: u32 = 3;

/// Does the work of a row, if there is still such a row and it is not done. What the person can mend is written
/// into the row; an error is only what the program may overcome by trying again.
pub async fn run(ctx: &Ctx, draft: &RecordId, key: &FileKey) -> Result<()> {
    let id = (draft.to_string(), key.to_string());
    let Some(row) = intake::Entity::find_by_id(id)
        .one(ctx.env.db.read())
        .await?
    else {
        return Ok(());
    };
    let work = Work { ctx, draft, key };
    if !matches!(row.state.as_str(), "waiting" | "running") || !work.tell(0, None).await? {
        return Ok(());
    }
    let outcome = match (row.kind.as_str(), row.url) {
        (kind, Some(url)) if kind == Kind::Fetch.name() => fetched(&work, &url).await,
        _ => unpack::unpacked(&work).await,
    };
    match outcome {
        Ok(()) => work.end(State::Done, None).await,
        // The draft or the file is gone: nobody waits for an answer.
        Err(Error::NotFound { .. } | Error::Gone(_)) => Ok(()),
        Err(e) => match problem(e) {
            Ok(problem) => work.end(State::Failed, Some(&problem)).await,
            Err(e) => Err(e),
        },
    }
}

/// What the person who asked is told.
fn problem(e: Error) -> Result<Problem> {
    match e {
        Error::BadRequest(p) | Error::Conflict(p) | Error::TooLarge(p) => Ok(p),
        Error::Invalid(all) => all
            .into_iter()
            .next()
            .ok_or_else(|| Error::internal("intake", "invalid without a problem")),
        Error::Full => Ok(Problem::new("no-space", "")),
        Error::Unavailable(why) => {
            tracing::info!(%why, "a fetch failed");
            Ok(Problem::new("fetch-failed", ""))
        }
        other => Err(other),
    }
}

/// A row under way.
pub(super) struct Work<'a> {
    pub ctx: &'a Ctx,
    pub draft: &'a RecordId,
    pub key: &'a FileKey,
}

impl Work<'_> {
    /// Says how far it is. False: nobody wants it any more.
    pub async fn tell(&self, received: u64, total: Option<u64>) -> Result<bool> {
        let told = intake::Entity::update_many()
            .col_expr(intake::Column::State, Expr::value(State::Running.name()))
            .col_expr(intake::Column::Received, Expr::value(received as i64))
            .col_expr(intake::Column::Total, Expr::value(total.map(|n| n as i64)))
            .col_expr(intake::Column::Updated, Expr::value(self.ctx.micros()))
            .filter(intake::COLUMN.draft_id.eq(self.draft.as_str()))
            .filter(intake::COLUMN.key.eq(self.key.as_str()))
            .exec(self.ctx.env.db.write())
            .await?;
        Ok(told.rows_affected > 0)
    }

    async fn end(&self, state: State, problem: Option<&Problem>) -> Result<()> {
        intake::Entity::update_many()
            .col_expr(intake::Column::State, Expr::value(state.name()))
            .col_expr(intake::Column::Problem, Expr::value(problem.map(memo)))
            .col_expr(intake::Column::Updated, Expr::value(self.ctx.micros()))
            .filter(intake::COLUMN.draft_id.eq(self.draft.as_str()))
            .filter(intake::COLUMN.key.eq(self.key.as_str()))
            .exec(self.ctx.env.db.write())
            .await?;
        Ok(())
    }
}

async fn fetched(work: &Work<'_>, url: &str) -> Result<()> {
    let mut wait = Duration::from_millis(500);
    let mut tries = 1;
    loop {
        match once(work, url).await {
            Err(Error::Unavailable(_)) if tries < TRIES => {}
            Err(Error::BadRequest(p)) if p.code == "fetch-cut-off" && tries < TRIES => {}
            outcome => return outcome,
        }
        tokio::time::sleep(wait).await;
        wait *= 4;
        tries += 1;
    }
}

async fn once(work: &Work<'_>, url: &str) -> Result<()> {
    let (ctx, draft, key) = (work.ctx, work.draft, work.key);
    access::load_draft(ctx, ctx.env.db.read(), draft, Action::Edit).await?;
    let url = ctx.env.http.parse(url)?;
    let fetched = ctx.env.http.get(url).await?;
    let total = fetched.length;
    if !work.tell(0, total).await? {
        return Err(Error::not_found(crate::error::Kind::File, key));
    }
    let mut source = fetched.body;
    let watched = async_stream::try_stream! {
        let mut last = Instant::now();
        let mut received = 0_u64;
        while let Some(part) = source.next().await {
            let bytes: Bytes = part.map_err(|_| Error::bad_request("fetch-cut-off"))?;
            received += bytes.len() as u64;
            yield bytes;
            if last.elapsed() >= TELL {
                last = Instant::now();
                if !work.tell(received, total).await? {
                    Err(Error::not_found(crate::error::Kind::File, key))?;
                }
            }
        }
    };
    let incoming = Incoming {
        body: Box::pin(watched),
        length: total,
    };
    let received = receive(ctx, draft, key, incoming).await?;
    work.tell(received.size, Some(received.size)).await?;
    commit(ctx, draft, key).await?;
    Ok(())
}
