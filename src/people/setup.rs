//! The one-time link with which the first administrator is made on a new site.
//!
//! It is printed when the server starts without an administrator and dies with its first use, or as soon as
//! there is one. Anyone who can read the server's output could make an account on its command line as well.

use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::{
    ctx::{Env, Role},
    error::{Error, Kind, Result},
    ids::UserId,
    people::{
        account::{self, NewAccount},
        fingerprint,
    },
    store::table::people::setup_link,
};

/// A new link's secret, replacing any earlier; none when there is an administrator.
pub async fn invite(env: &Env) -> Result<Option<String>> {
    if account::has_admin(env).await? {
        // A start must not cost a write: a link that is still there opens nothing (`is_open`).
        return Ok(None);
    }
    setup_link::Entity::delete_many()
        .exec(env.db.write())
        .await?;
    let secret = env.secret()?;
    let row = setup_link::ActiveModel {
        hash: Set(fingerprint(&secret)),
        created: Set(env.now().timestamp_micros()),
    };
    setup_link::Entity::insert(row)
        .exec_without_returning(env.db.write())
        .await?;
    Ok(Some(secret))
}

/// Is this the secret of the link that is still open?
pub async fn is_open(env: &Env, secret: &str) -> Result<bool> {
    let found = setup_link::Entity::find_by_id(fingerprint(secret))
        .one(env.db.read())
        .await?;
    Ok(found.is_some() && !account::has_admin(env).await?)
}

/// Uses the link up and makes the administrator. What was wrong with the input leaves the link open.
pub async fn accept(env: &Env, secret: &str, new: NewAccount) -> Result<UserId> {
    if !is_open(env, secret).await? {
        return Err(Error::not_found(Kind::Page, "setup"));
    }
    let id = account::create(
        env,
        NewAccount {
            role: Role::Admin,
            ..new
        },
    )
    .await?;
    setup_link::Entity::delete_many()
        .exec(env.db.write())
        .await?;
    Ok(id)
}
