//! Signed-in browsers: server-side sessions, found by the hash of a cookie's secret.

use sea_orm::{ActiveValue::Set, EntityTrait, QueryFilter};

use crate::{
    ctx::{Ctx, Env, Person},
    error::Result,
    ids::UserId,
    people::{fingerprint, person},
    store::table::people::{account, session},
};

/// How long a session lasts from sign-in: 14 days.
pub const SECONDS: i64 = 14 * 86_400;
const LIFE: i64 = SECONDS * 1_000_000;

/// A session as the web layer needs it.
#[derive(Debug, Clone)]
pub struct Session {
    pub person: Person,
    /// The token every form of this session must carry.
    pub csrf: String,
}

/// Begins a session and gives the cookie's secret, which is stored nowhere.
pub async fn start(ctx: &Ctx, id: UserId) -> Result<String> {
    let secret = ctx.env.secret()?;
    let now = ctx.micros();
    let row = session::ActiveModel {
        id: Set(fingerprint(&secret)),
        account_id: Set(id.0),
        csrf: Set(ctx.env.secret()?),
        created: Set(now),
        expires: Set(now + LIFE),
    };
    session::Entity::insert(row)
        .exec_without_returning(ctx.env.db.write())
        .await?;
    Ok(secret)
}

/// The session of a cookie's secret, if it is known, not expired, and its account not disabled.
pub async fn find(env: &Env, secret: &str) -> Result<Option<Session>> {
    let row = session::Entity::find_by_id(fingerprint(secret))
        .one(env.db.read())
        .await?;
    let Some(row) = row.filter(|row| row.expires > env.now().timestamp_micros()) else {
        return Ok(None);
    };
    let found = account::Entity::find_by_id(row.account_id)
        .one(env.db.read())
        .await?;
    Ok(found.filter(|a| !a.disabled).map(|a| Session {
        person: person(&a, None),
        csrf: row.csrf,
    }))
}

/// Ends a session; an unknown one is already ended.
pub async fn end(env: &Env, secret: &str) -> Result<()> {
    session::Entity::delete_by_id(fingerprint(secret))
        .exec(env.db.write())
        .await?;
    Ok(())
}

/// Removes sessions that can no longer be used.
pub async fn sweep(env: &Env) -> Result<()> {
    session::Entity::delete_many()
        .filter(session::COLUMN.expires.lt(env.now().timestamp_micros()))
        .exec(env.db.write())
        .await?;
    Ok(())
}
