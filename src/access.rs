//! Who may do what. Loading a row and asking whether the caller may have it is one call, so that no
//! door can forget to ask; there is no other way to a draft or a record.
//!
//! Invariant: what the caller may not know of answers exactly as what does not exist. Not here: who the
//! caller is (`people`), what the row means (`deposit`, `catalog`).

use sea_orm::{ConnectionTrait, EntityTrait, QuerySelect};

use crate::{
    ctx::{Actor, Ctx, Role},
    error::{Error, Kind, Result},
    ids::{RecordId, UserId},
    metadata::{
        self, Access,
        access::{AccessStatus, Visibility},
    },
    store::table::{
        deposit::{draft, parent},
        record::record,
    },
};

/// What is asked of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// See it at all.
    Read,
    /// Change a draft, its files, its DOI; start a new version; edit a published one.
    Edit,
    /// Publish a draft.
    Publish,
    /// Take a published record out of view, leaving a tombstone.
    Withdraw,
}

/// A draft and its concept, which the caller may have.
#[derive(Debug, Clone)]
pub struct LoadedDraft {
    pub draft: draft::Model,
    pub parent: parent::Model,
}

/// A published version and its concept, which the caller may have.
#[derive(Debug, Clone)]
pub struct LoadedRecord {
    pub record: record::Model,
    pub parent: parent::Model,
    pub access: Access,
    /// May the caller manage it (see its grants, edit it)?
    pub manages: bool,
}

impl LoadedRecord {
    /// May the caller have the files, today?
    pub fn files_open(&self, ctx: &Ctx) -> bool {
        self.manages || files_are_public(&self.access, ctx)
    }
}

/// Are the files open to everybody today? An embargo ends by itself on its day (UTC), whether or not a
/// job has rewritten the row by then.
pub fn files_are_public(access: &Access, ctx: &Ctx) -> bool {
    access.status(true, ctx.today()) == AccessStatus::Open
}

/// The access section of a row.
pub fn parse(text: &str) -> Access {
    metadata::read_access(&serde_json::from_str(text).unwrap_or_default()).0
}

/// May the caller do this with what `owner` owns?
fn may(ctx: &Ctx, owner: UserId, action: Action) -> bool {
    match &ctx.actor {
        Actor::System => true,
        Actor::Anonymous => false,
        Actor::Person(person) => {
            let scope = match action {
                Action::Read => "read",
                Action::Edit => "deposit:write",
                Action::Publish | Action::Withdraw => "deposit:actions",
            };
            let within_token = person
                .scopes
                .as_ref()
                .is_none_or(|scopes| action == Action::Read || scopes.iter().any(|s| s == scope));
            let by_role = match action {
                Action::Read | Action::Edit | Action::Publish => {
                    person.id == owner || person.role >= Role::Curator
                }
                Action::Withdraw => person.role >= Role::Admin,
            };
            within_token && by_role
        }
    }
}

/// May the caller begin a deposit?
pub fn require_depositor(ctx: &Ctx) -> Result<UserId> {
    let person = ctx.require_person()?;
    let allowed = person
        .scopes
        .as_ref()
        .is_none_or(|scopes| scopes.iter().any(|s| s == "deposit:write"));
    if allowed {
        Ok(person.id)
    } else {
        Err(Error::Forbidden)
    }
}

/// May the caller run the site?
pub fn require_admin(ctx: &Ctx) -> Result<()> {
    match &ctx.actor {
        Actor::System => Ok(()),
        Actor::Anonymous => Err(Error::Unauthenticated),
        Actor::Person(p) if p.role == Role::Admin && p.scopes.is_none() => Ok(()),
        Actor::Person(_) => Err(Error::Forbidden),
    }
}

/// A draft, for an action. Nobody signed in is told so before anything is looked up.
pub async fn load_draft(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    id: &RecordId,
    action: Action,
) -> Result<LoadedDraft> {
    draft_found(ctx, db, id, action, false).await
}

/// The same inside a writing transaction: the concept's row is locked until it ends, so that two
/// writers of one deposit take turns (on SQLite all writers do).
pub async fn lock_draft(
    ctx: &Ctx,
    tx: &impl ConnectionTrait,
    id: &RecordId,
    action: Action,
) -> Result<LoadedDraft> {
    draft_found(ctx, tx, id, action, true).await
}

async fn draft_found(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    id: &RecordId,
    action: Action,
    lock: bool,
) -> Result<LoadedDraft> {
    if ctx.actor == Actor::Anonymous {
        return Err(Error::Unauthenticated);
    }
    let missing = || Error::not_found(Kind::Draft, id);
    let found = draft::Entity::find_by_id(id.as_str())
        .one(db)
        .await?
        .ok_or_else(missing)?;
    let parent = parent_row(db, &found.parent_id, lock).await?;
    let draft = if lock {
        // Read again: it may have changed while we waited for the lock.
        draft::Entity::find_by_id(id.as_str())
            .one(db)
            .await?
            .ok_or_else(missing)?
    } else {
        found
    };
    decide(ctx, UserId(parent.owner_id), action, missing)?;
    Ok(LoadedDraft { draft, parent })
}

/// A published version, for an action. A withdrawn one is `Gone`; see `catalog::tombstone`.
pub async fn load_record(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    id: &RecordId,
    action: Action,
) -> Result<LoadedRecord> {
    let loaded = load_record_or_tombstone(ctx, db, id, action).await?;
    if loaded.record.withdrawn.is_some() {
        return Err(Error::Gone(id.to_string()));
    }
    Ok(loaded)
}

/// The same, giving withdrawn versions too.
pub async fn load_record_or_tombstone(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    id: &RecordId,
    action: Action,
) -> Result<LoadedRecord> {
    let missing = || Error::not_found(Kind::Record, id);
    let record = record::Entity::find_by_id(id.as_str())
        .one(db)
        .await?
        .ok_or_else(missing)?;
    let lock = action != Action::Read;
    let parent = parent_row(db, &record.parent_id, lock).await?;
    let owner = UserId(parent.owner_id);
    let access = parse(&record.access).effective(ctx.today());
    let public = access.record == Visibility::Public;
    if !(action == Action::Read && public) {
        if action != Action::Read && ctx.actor == Actor::Anonymous {
            return Err(Error::Unauthenticated);
        }
        if public && !may(ctx, owner, action) {
            return Err(Error::Forbidden);
        }
        decide(ctx, owner, action, missing)?;
    }
    let manages = may(ctx, owner, Action::Read);
    Ok(LoadedRecord {
        record,
        parent,
        access,
        manages,
    })
}

/// The same for a row that is already here (one of many); none when the caller may not see it.
pub fn of_row(ctx: &Ctx, record: record::Model, parent: parent::Model) -> Option<LoadedRecord> {
    let access = parse(&record.access).effective(ctx.today());
    let manages = may(ctx, UserId(parent.owner_id), Action::Read);
    let seen = manages || access.record == Visibility::Public;
    seen.then_some(LoadedRecord {
        record,
        parent,
        access,
        manages,
    })
}

/// The concept's row, locked where it will be written.
pub async fn parent_row(db: &impl ConnectionTrait, id: &str, lock: bool) -> Result<parent::Model> {
    let mut query = parent::Entity::find_by_id(id);
    if lock {
        query = query.lock_exclusive();
    }
    query
        .one(db)
        .await?
        .ok_or_else(|| Error::not_found(Kind::Record, id))
}

/// Whoever may not even read is told that there is nothing; whoever may read but not act is told no.
fn decide(ctx: &Ctx, owner: UserId, action: Action, missing: impl Fn() -> Error) -> Result<()> {
    if may(ctx, owner, action) {
        Ok(())
    } else if may(ctx, owner, Action::Read) {
        Err(Error::Forbidden)
    } else {
        Err(missing())
    }
}
