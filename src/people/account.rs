//! Accounts: making one, finding one, signing in.

use sea_orm::{ActiveValue::Set, EntityTrait, PaginatorTrait, QueryFilter};

use crate::{
    ctx::{Ctx, Env, Person, Role},
    error::{Error, Kind, Problem, Result},
    ids::UserId,
    people::{password, person},
    store::table::people::account,
    text::Locale,
};

/// What a new account needs. Without a password nobody can sign in with one.
#[derive(Debug)]
pub struct NewAccount {
    pub email: String,
    pub name: String,
    pub role: Role,
    pub password: Option<String>,
    pub locale: Locale,
}

/// Everything wrong with what is said about a new account.
pub fn check(new: &NewAccount) -> Result<()> {
    let mut problems = Vec::new();
    if !looks_like_address(new.email.trim()) {
        problems.push(Problem::new("email", "email"));
    }
    let name = new.name.trim();
    if name.is_empty() || name.len() > 300 {
        problems.push(Problem::new("name", "name"));
    }
    if let Some(secret) = &new.password
        && let Err(Error::Invalid(wrong)) = password::check(secret, "password")
    {
        problems.extend(wrong);
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(problems))
    }
}

/// Makes an account. The address must be free and look like one; it is kept in lower case.
pub async fn create(env: &Env, new: NewAccount) -> Result<UserId> {
    check(&new)?;
    let email = new.email.trim().to_lowercase();
    let name = new.name.trim().to_owned();
    let hash = match new.password {
        Some(secret) => Some(password::hash(env, secret).await?),
        None => None,
    };
    let row = account::ActiveModel {
        email: Set(email),
        name: Set(name),
        password: Set(hash),
        role: Set(new.role.name().to_owned()),
        locale: Set(new.locale.code().to_owned()),
        disabled: Set(false),
        created: Set(env.now().timestamp_micros()),
        ..Default::default()
    };
    let done = account::Entity::insert(row).exec(env.db.write()).await;
    match done.map_err(Error::from) {
        Ok(done) => Ok(UserId(done.last_insert_id)),
        Err(Error::Conflict(_)) => Err(Error::Conflict(Problem::new("email-taken", "email"))),
        Err(e) => Err(e),
    }
}

/// The account of an address.
pub async fn by_email(env: &Env, email: &str) -> Result<Person> {
    let found = row_by_email(env, email).await?;
    let row = found.ok_or_else(|| Error::not_found(Kind::Account, email))?;
    Ok(person(&row, None))
}

/// Who this is, if the password is right. A wrong address and a wrong password cannot be told apart.
pub async fn sign_in(ctx: &Ctx, email: &str, secret: String) -> Result<Option<Person>> {
    let row = row_by_email(&ctx.env, email)
        .await?
        .filter(|row| !row.disabled);
    let stored = row.as_ref().and_then(|row| row.password.clone());
    let right = password::matches(secret, stored).await?;
    Ok(row.filter(|_| right).map(|row| person(&row, None)))
}

/// The names of accounts by number, for pages that say who did something.
pub async fn name(env: &Env, id: UserId) -> Result<Option<String>> {
    let row = account::Entity::find_by_id(id.0).one(env.db.read()).await?;
    Ok(row.map(|row| row.name))
}

/// Is there an administrator yet?
pub async fn has_admin(env: &Env) -> Result<bool> {
    let found = account::Entity::find()
        .filter(account::COLUMN.role.eq(Role::Admin.name()))
        .count(env.db.read())
        .await?;
    Ok(found > 0)
}

/// Is there any account? Without one there can be no record either: every concept has an owner.
pub async fn any(env: &Env) -> Result<bool> {
    let found = account::Entity::find().one(env.db.read()).await?;
    Ok(found.is_some())
}

async fn row_by_email(env: &Env, email: &str) -> Result<Option<account::Model>> {
    let email = email.trim().to_lowercase();
    Ok(account::Entity::find()
        .filter(account::COLUMN.email.eq(email))
        .one(env.db.read())
        .await?)
}

/// One `@` with something on both sides and no space or control: whether mail arrives is found by sending it.
fn looks_like_address(text: &str) -> bool {
    let parts: Vec<&str> = text.split('@').collect();
    text.len() <= 254
        && parts.len() == 2
        && parts.iter().all(|p| !p.is_empty())
        && !text
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c))
}

#[cfg(test)]
mod tests {
    use super::looks_like_address;

    #[test]
    fn addresses_are_recognised() {
        for good in ["a@b", "lan.tran@vnu.edu.vn", "đỗ@ví-dụ.vn"] {
            assert!(looks_like_address(good), "{good}");
        }
        for bad in ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@b,c@d", "<a@b>"] {
            assert!(!looks_like_address(bad), "{bad}");
        }
    }
}
