//! How much may be stored: for a record, for an account, for a community.
//!
//! The defaults are settings; an administrator allows more or less for one of them. A record's quota counts
//! the files of the draft, an account's and a community's everything that is kept for them: what each
//! published version brought, and what lies in drafts. Asked before bytes are taken and again in the
//! transaction that names them, so that uploads side by side never pass it by more than one file.
//! Not here: the largest single file and the number of files (settings, `start`).

use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, Func, LikeExpr, OnConflict, Query},
};

use crate::{
    access::{self, Action, LoadedDraft},
    ctx::Ctx,
    error::{Error, Kind, Problem, Result},
    ids::{RecordId, UserId},
    store::table::{
        deposit::{draft, draft_file, parent},
        people::account,
        quota,
        record::record,
        upload::upload,
    },
};

/// Whose room it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One version of a dataset; an override holds for all versions of the concept.
    Record,
    Account,
    Community,
}

impl Scope {
    pub const ALL: [Scope; 3] = [Scope::Record, Scope::Account, Scope::Community];

    /// The stable name in URLs and in the table.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Record => "record",
            Scope::Account => "account",
            Scope::Community => "community",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// Room for one subject, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    pub scope: Scope,
    /// Concept id, account id, slug.
    pub subject: String,
    /// `None`: as much as the disk holds.
    pub most: Option<u64>,
    pub used: u64,
    /// Why it differs from the default, where it does.
    pub reason: Option<String>,
}

impl Quota {
    /// Bytes left; `None`: no bound.
    pub fn left(&self) -> Option<u64> {
        self.most.map(|most| most.saturating_sub(self.used))
    }

    /// The problem of whoever asks for more.
    pub fn exceeded(&self) -> Error {
        let code = match self.scope {
            Scope::Record => "quota-record",
            Scope::Account => "quota-account",
            Scope::Community => "quota-community",
        };
        let problem = Problem::new(code, "")
            .with("most", self.most.unwrap_or(u64::MAX))
            .with("used", self.used)
            .with("subject", &self.subject);
        Error::TooLarge(problem)
    }
}

/// The quotas that bind a draft: its own, its owner's, those of its communities.
pub async fn of_draft(ctx: &Ctx, id: &RecordId) -> Result<Vec<Quota>> {
    let db = ctx.env.db.read();
    let loaded = access::load_draft(ctx, db, id, Action::Read).await?;
    binding(ctx, db, &loaded).await
}

/// The caller's own room.
pub async fn of_caller(ctx: &Ctx) -> Result<Quota> {
    let me = ctx.require_person()?.id;
    one(ctx, ctx.env.db.read(), Scope::Account, me.to_string(), None).await
}

/// The narrowest of the quotas that bind a draft.
#[derive(Debug)]
pub(super) struct Room {
    of: Quota,
    left: u64,
}

impl Room {
    /// Refuses what does not fit.
    pub(super) fn check(&self, bytes: u64) -> Result<()> {
        if bytes > self.left {
            return Err(self.of.exceeded());
        }
        Ok(())
    }
}

/// Refuses when `more` bytes in place of `instead` do not fit; tells else how much room there is, if it is bounded.
pub(super) async fn require(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    loaded: &LoadedDraft,
    instead: u64,
    more: u64,
) -> Result<Option<Room>> {
    let mut room: Option<Room> = None;
    for quota in binding(ctx, db, loaded).await? {
        let Some(left) = quota.left() else { continue };
        // What is replaced makes room for what replaces it.
        let left = left.saturating_add(instead);
        let this = Room { of: quota, left };
        this.check(more)?;
        if room.as_ref().is_none_or(|r| left < r.left) {
            room = Some(this);
        }
    }
    Ok(room)
}

async fn binding(ctx: &Ctx, db: &impl ConnectionTrait, loaded: &LoadedDraft) -> Result<Vec<Quota>> {
    let parent = &loaded.parent;
    let draft = Some(loaded.draft.id.as_str());
    let mut all = vec![
        one(ctx, db, Scope::Record, parent.id.clone(), draft).await?,
        one(ctx, db, Scope::Account, parent.owner_id.to_string(), None).await?,
    ];
    for slug in parent.communities.split_whitespace() {
        all.push(one(ctx, db, Scope::Community, slug.to_owned(), None).await?);
    }
    Ok(all)
}

async fn one(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    scope: Scope,
    subject: String,
    draft: Option<&str>,
) -> Result<Quota> {
    let allowed = quota::Entity::find_by_id((scope.name().to_owned(), subject.clone()))
        .one(db)
        .await?;
    let config = &ctx.env.config;
    let default = match scope {
        Scope::Record => config.quota_record,
        Scope::Account => config.quota_account,
        Scope::Community => config.quota_community,
    };
    let most = match &allowed {
        Some(row) => Some(row.bytes as u64),
        None => Some(default).filter(|n| *n > 0),
    };
    let used = match (most, scope, draft) {
        // Nobody asks, so nothing is counted: most sites bound records only.
        (None, Scope::Community, _) => 0,
        (_, Scope::Record, Some(draft)) => draft_bytes(db, draft).await?,
        (_, Scope::Record, None) => kept(db, parent::COLUMN.id.eq(subject.as_str())).await?,
        (_, Scope::Account, _) => {
            let owner: i64 = subject.parse().unwrap_or_default();
            kept(db, parent::COLUMN.owner_id.eq(owner)).await?
        }
        (_, Scope::Community, _) => {
            // An underscore in a slug is itself and not any character.
            let slug = subject.replace('_', "!_");
            let like = |pattern: String| {
                Expr::col(parent::Column::Communities).like(LikeExpr::new(pattern).escape('!'))
            };
            let among = parent::COLUMN
                .communities
                .eq(subject.as_str())
                .or(like(format!("{slug} %")))
                .or(like(format!("% {slug}")))
                .or(like(format!("% {slug} %")));
            kept(db, among).await?
        }
    };
    Ok(Quota {
        scope,
        subject,
        most,
        used,
        reason: allowed.map(|row| row.reason),
    })
}

/// What uploads under way hold for what is to come. Those that only say what a file must be hold nothing.
async fn reserved(db: &impl ConnectionTrait, drafts: impl Into<Expr>) -> Result<i64> {
    let bytes = Func::coalesce([
        Expr::col(upload::Column::Size),
        Expr::col(upload::Column::Arrived),
    ]);
    let sum: Option<Option<i64>> = upload::Entity::find()
        .select_only()
        .column_as(Expr::expr(bytes).sum().cast_as("bigint"), "bytes")
        .filter(drafts.into())
        .filter(upload::COLUMN.name.is_not_null())
        .into_tuple()
        .one(db)
        .await?;
    Ok(sum.flatten().unwrap_or(0))
}

/// All files of a draft, wherever their bytes are.
async fn draft_bytes(db: &impl ConnectionTrait, draft: &str) -> Result<u64> {
    let sum: Option<Option<i64>> = draft_file::Entity::find()
        .select_only()
        .column_as(
            Expr::col(draft_file::Column::Size).sum().cast_as("bigint"),
            "bytes",
        )
        .filter(draft_file::COLUMN.draft_id.eq(draft))
        .into_tuple()
        .one(db)
        .await?;
    let to_come = reserved(db, upload::COLUMN.draft_id.eq(draft)).await?;
    Ok((sum.flatten().unwrap_or(0) + to_come) as u64)
}

/// What the versions of some concepts brought, and what is staged for their drafts.
async fn kept(db: &impl ConnectionTrait, whose: impl Into<Expr>) -> Result<u64> {
    let concepts = Query::select()
        .column(parent::Column::Id)
        .from(parent::Entity)
        .and_where(whose.into())
        .to_owned();
    let brought = Func::coalesce([
        Expr::col(record::Column::OwnBytes),
        Expr::col(record::Column::TotalBytes),
    ]);
    let published: Option<Option<i64>> = record::Entity::find()
        .select_only()
        .column_as(Expr::expr(brought).sum().cast_as("bigint"), "bytes")
        .filter(Expr::col(record::Column::ParentId).in_subquery(concepts.clone()))
        .into_tuple()
        .one(db)
        .await?;
    let drafts = Query::select()
        .column(draft::Column::Id)
        .from(draft::Entity)
        .and_where(Expr::col(draft::Column::ParentId).in_subquery(concepts))
        .to_owned();
    let staged: Option<Option<i64>> = draft_file::Entity::find()
        .select_only()
        .column_as(
            Expr::col(draft_file::Column::Size).sum().cast_as("bigint"),
            "bytes",
        )
        .filter(Expr::col(draft_file::Column::DraftId).in_subquery(drafts.clone()))
        .filter(draft_file::COLUMN.content.is_null())
        .into_tuple()
        .one(db)
        .await?;
    let to_come = reserved(db, Expr::col(upload::Column::DraftId).in_subquery(drafts)).await?;
    let all = published.flatten().unwrap_or(0) + staged.flatten().unwrap_or(0) + to_come;
    Ok(all as u64)
}

/// One quota, for an administrator.
pub async fn read(ctx: &Ctx, scope: Scope, subject: &str) -> Result<Quota> {
    access::require_admin(ctx)?;
    let subject = existing(ctx, scope, subject).await?;
    one(ctx, ctx.env.db.read(), scope, subject, None).await
}

/// Everything an administrator allowed in place of a default, at most 1,000 of them.
pub async fn overrides(ctx: &Ctx) -> Result<Vec<Quota>> {
    access::require_admin(ctx)?;
    let db = ctx.env.db.read();
    let rows = quota::Entity::find().limit(1_000).all(db).await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(scope) = Scope::from_name(&row.scope) {
            all.push(one(ctx, db, scope, row.subject, None).await?);
        }
    }
    Ok(all)
}

/// Allows a subject another size than the default, from now on; what is kept already stays.
pub async fn allow(
    ctx: &Ctx,
    scope: Scope,
    subject: &str,
    bytes: u64,
    reason: &str,
) -> Result<Quota> {
    access::require_admin(ctx)?;
    let subject = existing(ctx, scope, subject).await?;
    let bytes = i64::try_from(bytes).map_err(|_| Error::invalid("quota-size", "quota_size"))?;
    let reason = reason.trim();
    if reason.chars().count() > 1_000 {
        return Err(Error::invalid("quota-reason", "notes"));
    }
    let row = quota::ActiveModel {
        scope: Set(scope.name().to_owned()),
        subject: Set(subject.clone()),
        bytes: Set(bytes),
        reason: Set(reason.to_owned()),
        set_by: Set(ctx.person().map_or(0, |p| p.id.0)),
        at: Set(ctx.micros()),
    };
    let over = OnConflict::columns([quota::Column::Scope, quota::Column::Subject])
        .update_columns([
            quota::Column::Bytes,
            quota::Column::Reason,
            quota::Column::SetBy,
            quota::Column::At,
        ])
        .to_owned();
    quota::Entity::insert(row)
        .on_conflict(over)
        .exec_without_returning(ctx.env.db.write())
        .await?;
    one(ctx, ctx.env.db.read(), scope, subject, None).await
}

/// Back to the default. Not an error where it held already.
pub async fn reset(ctx: &Ctx, scope: Scope, subject: &str) -> Result<()> {
    access::require_admin(ctx)?;
    let subject = existing(ctx, scope, subject).await?;
    quota::Entity::delete_by_id((scope.name().to_owned(), subject))
        .exec(ctx.env.db.write())
        .await?;
    Ok(())
}

/// The subject as the table names it: a concept also by one of its versions or drafts, an account also by
/// its e-mail address.
async fn existing(ctx: &Ctx, scope: Scope, subject: &str) -> Result<String> {
    let db = ctx.env.db.read();
    match scope {
        Scope::Record => {
            let missing = || Error::not_found(Kind::Record, subject);
            let id: RecordId = subject.parse().map_err(|_| missing())?;
            if let Some(row) = parent::Entity::find_by_id(id.as_str()).one(db).await? {
                return Ok(row.id);
            }
            if let Some(row) = record::Entity::find_by_id(id.as_str()).one(db).await? {
                return Ok(row.parent_id);
            }
            let row = draft::Entity::find_by_id(id.as_str()).one(db).await?;
            row.map(|r| r.parent_id).ok_or_else(missing)
        }
        Scope::Account => {
            let missing = || Error::not_found(Kind::Account, subject);
            let found = if let Ok(number) = subject.parse::<i64>() {
                account::Entity::find_by_id(number).one(db).await?
            } else {
                let by_email = account::COLUMN.email.eq(subject.to_lowercase());
                account::Entity::find().filter(by_email).one(db).await?
            };
            found.map(|a| UserId(a.id).to_string()).ok_or_else(missing)
        }
        Scope::Community => {
            let ok = (1..=100).contains(&subject.len())
                && subject
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            if ok {
                Ok(subject.to_owned())
            } else {
                Err(Error::not_found(Kind::Community, subject))
            }
        }
    }
}
