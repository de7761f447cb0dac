//! People whom the archive names, as accounts: without a password, so that nobody can sign in before an
//! administrator gives them a way.

use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, QueryFilter};

use crate::{
    ctx::{Ctx, Role},
    error::Result,
    publish::SnapshotOwner,
    store::table::people::account,
    text::Locale,
};

/// The number of the account with this address, and whether it was made now. It gets the number it had, if
/// that is free.
pub(super) async fn find_or_make(
    ctx: &Ctx,
    tx: &impl ConnectionTrait,
    who: &SnapshotOwner,
) -> Result<(i64, bool)> {
    let email = who.email.trim().to_lowercase();
    let known = account::Entity::find()
        .filter(account::COLUMN.email.eq(email.as_str()))
        .one(tx)
        .await?;
    if let Some(known) = known {
        return Ok((known.id, false));
    }
    let mut row = account::ActiveModel {
        email: Set(email),
        name: Set(who.name.clone()),
        password: Set(None),
        role: Set(Role::Depositor.name().to_owned()),
        locale: Set(Locale::Vi.code().to_owned()),
        disabled: Set(false),
        created: Set(ctx.micros()),
        ..Default::default()
    };
    if let Some(number) = who.account.filter(|n| *n > 0)
        && account::Entity::find_by_id(number).one(tx).await?.is_none()
    {
        row.id = Set(number);
    }
    let made = account::Entity::insert(row).exec(tx).await?;
    Ok((made.last_insert_id, true))
}
