//! Files that Kho brings into a draft itself, as background work: fetched from a URL, unpacked from an archive
//! that was uploaded.
//!
//! A row says what is asked and how far it is; a job of the long lane does it. The file that is fetched is
//! announced (pending) from the beginning, so publishing waits for it; what an archive holds appears in the
//! draft whole or not at all. Running twice is safe: the second begins again from nothing. Removing the file
//! ends the work. Not here: asking other servers (`store::http`).

mod fetch;
mod run;
mod unpack;

pub use self::{
    fetch::{fetch, name_of},
    run::run,
    unpack::{can_unpack, unpack},
};

use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::{
    access::{self, Action},
    ctx::Ctx,
    error::{Error, Problem, Result},
    ids::{FileKey, RecordId},
    store::table::intake,
};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Fetch,
    Unpack,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Fetch => "fetch",
            Kind::Unpack => "unpack",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Waiting,
    Running,
    Done,
    Failed,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Running => "running",
            State::Done => "done",
            State::Failed => "failed",
        }
    }
}

/// One piece of such work. Where it fetches from is told to nobody: the URL may hold a secret.
#[derive(Debug, Clone)]
pub struct Intake {
    /// The file to come; the archive to unpack.
    pub key: String,
    pub kind: Kind,
    pub state: State,
    /// Bytes so far.
    pub received: u64,
    /// Bytes to come, where known.
    pub total: Option<u64>,
    pub problem: Option<Problem>,
}

impl From<intake::Model> for Intake {
    fn from(row: intake::Model) -> Self {
        Self {
            key: row.key,
            kind: if row.kind == "fetch" {
                Kind::Fetch
            } else {
                Kind::Unpack
            },
            state: match row.state.as_str() {
                "waiting" => State::Waiting,
                "running" => State::Running,
                "done" => State::Done,
                _ => State::Failed,
            },
            received: row.received as u64,
            total: row.total.map(|n| n as u64),
            problem: row.problem.as_deref().and_then(remembered),
        }
    }
}

/// The work on a draft's files, done and to be done, by key.
pub async fn list(ctx: &Ctx, id: &RecordId) -> Result<Vec<Intake>> {
    let db = ctx.env.db.read();
    access::load_draft(ctx, db, id, Action::Read).await?;
    let rows = intake::Entity::find()
        .filter(intake::COLUMN.draft_id.eq(id.as_str()))
        .order_by_asc(intake::Column::Key)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(Intake::from).collect())
}

/// The work on one file, if there was any.
pub async fn of_file(ctx: &Ctx, id: &RecordId, key: &FileKey) -> Result<Option<Intake>> {
    let db = ctx.env.db.read();
    access::load_draft(ctx, db, id, Action::Read).await?;
    let row = intake::Entity::find_by_id((id.to_string(), key.to_string()))
        .one(db)
        .await?;
    Ok(row.map(Intake::from))
}

/// Writes down what is asked; asked again after a failure it begins again.
async fn ask(
    ctx: &Ctx,
    tx: &impl ConnectionTrait,
    id: &RecordId,
    key: &str,
    kind: Kind,
    url: Option<String>,
) -> Result<()> {
    let before = intake::Entity::find_by_id((id.to_string(), key.to_owned()))
        .one(tx)
        .await?;
    if before.is_some_and(|row| matches!(row.state.as_str(), "waiting" | "running")) {
        return Err(Error::Conflict(
            Problem::new("intake-running", "").with("key", key),
        ));
    }
    intake::Entity::delete_by_id((id.to_string(), key.to_owned()))
        .exec(tx)
        .await?;
    let now = ctx.micros();
    let row = intake::Model {
        draft_id: id.to_string(),
        key: key.to_owned(),
        kind: kind.name().to_owned(),
        url,
        state: State::Waiting.name().to_owned(),
        received: 0,
        total: None,
        problem: None,
        created: now,
        updated: now,
    };
    intake::Entity::insert(intake::ActiveModel::from(row))
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Problems that may end such work, for reading one back from its row.
const CODES: [&str; 22] = [
    "fetch-url",
    "fetch-private",
    "fetch-redirects",
    "fetch-status",
    "fetch-cut-off",
    "fetch-failed",
    "file-too-large",
    "file-size",
    "file-checksum",
    "file-exists",
    "too-many-files",
    "quota-record",
    "quota-account",
    "quota-community",
    "unpack-kind",
    "unpack-damaged",
    "unpack-name",
    "unpack-link",
    "unpack-encrypted",
    "unpack-bomb",
    "unpack-empty",
    "no-space",
];

/// Names of values that their sentences take.
const ARGS: [&str; 10] = [
    "most", "used", "subject", "status", "name", "key", "declared", "received", "entries", "files",
];

fn memo(problem: &Problem) -> String {
    let args: serde_json::Map<String, Value> = problem
        .args
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone().into()))
        .collect();
    json!({"code": problem.code, "args": args}).to_string()
}

fn remembered(text: &str) -> Option<Problem> {
    let memo: Value = serde_json::from_str(text).ok()?;
    let code = CODES.iter().find(|c| memo["code"] == **c)?;
    let mut problem = Problem::new(code, "");
    for name in ARGS {
        if let Some(value) = memo["args"][name].as_str() {
            problem = problem.with(name, value);
        }
    }
    Some(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_comes_back_from_its_row() {
        let problem = Problem::new("unpack-name", "").with("name", "../x");
        assert_eq!(remembered(&memo(&problem)), Some(problem));
        assert_eq!(remembered("{}"), None);
        assert_eq!(remembered("nonsense"), None);
    }
}
