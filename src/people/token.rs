//! Personal access tokens: `kho_` and 256 random bits, stored as a hash, shown once.

use sea_orm::{ActiveValue::Set, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    ctx::{Ctx, Env, Person},
    error::{Error, Kind, Problem, Result},
    ids::UserId,
    people::{fingerprint, person},
    store::table::people::{account, token},
};

/// What a token may be limited to. None chosen means all that its account may do.
pub const SCOPES: &[&str] = &["read", "deposit:write", "deposit:actions"];

/// Most live tokens of one account.
const MOST: usize = 100;

#[derive(Debug, Clone)]
pub struct NewToken {
    pub name: String,
    pub scopes: Vec<String>,
    /// Days until it ends; none: it does not.
    pub days: Option<u32>,
}

/// A token as its owner sees it later: everything but the secret. Times in microseconds.
#[derive(Debug, Clone)]
pub struct Token {
    pub id: i64,
    pub name: String,
    pub scopes: Vec<String>,
    pub created: i64,
    pub expires: Option<i64>,
    pub last_used: Option<i64>,
}

/// Makes a token and gives its secret, once.
pub async fn create(env: &Env, owner: UserId, new: NewToken) -> Result<(Token, String)> {
    let name = new.name.trim().to_owned();
    let mut problems = Vec::new();
    if name.is_empty() || name.len() > 200 {
        problems.push(Problem::new("token-name", "name"));
    }
    if let Some(wrong) = new.scopes.iter().find(|s| !SCOPES.contains(&s.as_str())) {
        problems.push(Problem::new("token-scope", "scopes").with("scope", wrong));
    }
    if new.days.is_some_and(|d| d == 0 || d > 3650) {
        problems.push(Problem::new("token-days", "expires"));
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    if list(env, owner).await?.len() >= MOST {
        return Err(Error::Conflict(
            Problem::new("too-many-tokens", "").with("most", MOST),
        ));
    }
    let secret = format!("kho_{}", env.secret()?);
    let now = env.now().timestamp_micros();
    let expires = new.days.map(|d| now + i64::from(d) * 86_400 * 1_000_000);
    let row = token::ActiveModel {
        account_id: Set(owner.0),
        name: Set(name.clone()),
        hash: Set(fingerprint(&secret)),
        scopes: Set(new.scopes.join(" ")),
        created: Set(now),
        expires: Set(expires),
        last_used: Set(None),
        ..Default::default()
    };
    let id = token::Entity::insert(row)
        .exec(env.db.write())
        .await?
        .last_insert_id;
    let made = Token {
        id,
        name,
        scopes: new.scopes,
        created: now,
        expires,
        last_used: None,
    };
    Ok((made, secret))
}

/// The tokens of an account, newest first.
pub async fn list(env: &Env, owner: UserId) -> Result<Vec<Token>> {
    let rows = token::Entity::find()
        .filter(token::COLUMN.account_id.eq(owner.0))
        .order_by_desc(token::Column::Id)
        .all(env.db.read())
        .await?;
    Ok(rows.into_iter().map(shown).collect())
}

/// Ends a token of one's own. Somebody else's is not found.
pub async fn revoke(ctx: &Ctx, id: i64) -> Result<()> {
    let me = ctx.require_person()?;
    let done = token::Entity::delete_many()
        .filter(token::COLUMN.id.eq(id))
        .filter(token::COLUMN.account_id.eq(me.id.0))
        .exec(ctx.env.db.write())
        .await?;
    if done.rows_affected == 0 {
        return Err(Error::not_found(Kind::Token, id));
    }
    Ok(())
}

/// Who a secret stands for, if it is known, not expired, and its account not disabled. When it was
/// used is noted at most once an hour: reading must not become writing.
pub async fn find(env: &Env, secret: &str) -> Result<Option<Person>> {
    if !secret.starts_with("kho_") || secret.len() > 100 {
        return Ok(None);
    }
    let now = env.now().timestamp_micros();
    let found = token::Entity::find()
        .filter(token::COLUMN.hash.eq(fingerprint(secret)))
        .one(env.db.read())
        .await?;
    let Some(row) = found else { return Ok(None) };
    let owner = account::Entity::find_by_id(row.account_id)
        .one(env.db.read())
        .await?;
    let Some(owner) = owner else { return Ok(None) };
    if owner.disabled || row.expires.is_some_and(|at| at <= now) {
        return Ok(None);
    }
    if row.last_used.is_none_or(|at| now - at > 3_600_000_000) {
        let mark = token::ActiveModel {
            id: Set(row.id),
            last_used: Set(Some(now)),
            ..Default::default()
        };
        token::Entity::update(mark).exec(env.db.write()).await?;
    }
    let scopes: Vec<String> = row
        .scopes
        .split_whitespace()
        .map(ToOwned::to_owned)
        .collect();
    Ok(Some(person(&owner, Some(scopes).filter(|s| !s.is_empty()))))
}

fn shown(row: token::Model) -> Token {
    Token {
        id: row.id,
        name: row.name,
        scopes: row
            .scopes
            .split_whitespace()
            .map(ToOwned::to_owned)
            .collect(),
        created: row.created,
        expires: row.expires,
        last_used: row.last_used,
    }
}
