//! How things stand, for whoever runs the site: a list of sections, each with a level, facts and rows. The
//! administrator's page, the API and the metrics all show this, so a new part of the house adds a section here
//! and nothing elsewhere but its words (`storage-section-<name>`, `storage-fact-<name>`).

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Statement,
};

use crate::{
    access, catalog,
    ctx::{Ctx, Env},
    error::{Error, Kind, Result},
    fixity,
    store::table::{
        deposit::draft_file,
        record::record,
        work::{change, job},
    },
};

/// One part of the house.
#[derive(Debug, Clone)]
pub struct Section {
    pub name: &'static str,
    pub level: Level,
    pub facts: Vec<Fact>,
    /// The newest of what there is to look at.
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Good,
    /// Somebody should look at it soon.
    Warning,
    /// Something is lost or damaged, or will be.
    Alert,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Level::Good => "good",
            Level::Warning => "warning",
            Level::Alert => "alert",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Fact {
    pub name: &'static str,
    pub value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Number(u64),
    Bytes(u64),
    /// Microseconds.
    Moment(i64),
    Text(String),
    Never,
}

/// Something to look at. `code` names a sentence in both languages (`finding-…`, `job-…`, `run-…`).
#[derive(Debug, Clone)]
pub struct Row {
    pub code: String,
    /// The record, job or file it is about.
    pub about: String,
    pub detail: String,
    /// Microseconds.
    pub at: i64,
    /// The number of a job that can be tried again.
    pub job: Option<i64>,
}

/// Rows of a section.
const MOST: u64 = 50;

/// How everything stands. For administrators.
pub async fn sections(ctx: &Ctx) -> Result<Vec<Section>> {
    access::require_admin(ctx)?;
    let env = &ctx.env;
    Ok(vec![
        storage(env).await?,
        checks(env).await?,
        jobs(env).await?,
        unfinished(env).await?,
        index(env).await?,
        database(env).await?,
    ])
}

/// Lets a job that failed be tried again now. For administrators.
pub async fn retry(ctx: &Ctx, id: i64) -> Result<()> {
    access::require_admin(ctx)?;
    let now = ctx.micros();
    let change = job::ActiveModel {
        state: Set("queued".to_owned()),
        attempts: Set(0),
        run_at: Set(now),
        leased_until: Set(0),
        updated: Set(now),
        ..Default::default()
    };
    let done = job::Entity::update_many()
        .set(change)
        .filter(job::Column::Id.eq(id))
        .filter(job::Column::State.is_in(["failed", "queued"]))
        .exec(ctx.env.db.write())
        .await?;
    if done.rows_affected == 0 {
        return Err(Error::not_found(Kind::Page, id));
    }
    ctx.env.work.notify_one();
    Ok(())
}

fn fact(name: &'static str, value: Value) -> Fact {
    Fact { name, value }
}

fn moment(at: Option<i64>) -> Value {
    at.map_or(Value::Never, Value::Moment)
}

async fn storage(env: &Env) -> Result<Section> {
    let db = env.db.read();
    let sum = |column: &'static str| format!("cast(coalesce(sum({column}), 0) as bigint)");
    let number = async |sql: String| -> Result<u64> {
        let row = db
            .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
            .await?;
        let n: i64 = match row {
            Some(row) => row.try_get_by_index(0)?,
            None => 0,
        };
        Ok(n as u64)
    };
    let bytes = number(format!("select {} from record", sum("total_bytes"))).await?;
    let files = number(format!("select {} from record", sum("file_count"))).await?;
    let staged = number(format!(
        "select {} from draft_file where staged is not null",
        sum("size")
    ))
    .await?;
    let uploads = draft_file::Entity::find()
        .filter(draft_file::Column::Staged.is_not_null())
        .count(db)
        .await?;
    let mut facts = vec![
        fact(
            "versions",
            Value::Number(record::Entity::find().count(db).await?),
        ),
        fact("files", Value::Number(files)),
        fact("bytes", Value::Bytes(bytes)),
        fact("uploads", Value::Number(uploads)),
        fact("staged", Value::Bytes(staged)),
    ];
    let mut level = Level::Good;
    if let Some((free, whole)) = env.objects.space().await? {
        facts.push(fact("free", Value::Bytes(free)));
        facts.push(fact("whole", Value::Bytes(whole)));
        if free < whole / 50 {
            level = Level::Alert;
        } else if free < whole / 10 {
            level = Level::Warning;
        }
    }
    Ok(Section {
        name: "files",
        level,
        facts,
        rows: Vec::new(),
    })
}

async fn checks(env: &Env) -> Result<Section> {
    let standing = fixity::standing(env).await?;
    let runs = fixity::runs(env, 5).await?;
    let mut rows: Vec<Row> = fixity::open_findings(env, MOST)
        .await?
        .into_iter()
        .map(|found| Row {
            code: format!("finding-{}", found.code),
            about: found.record_id,
            detail: format!("{}: {}", found.path, found.detail),
            at: found.first_seen,
            job: None,
        })
        .collect();
    rows.extend(runs.iter().map(|run| Row {
        code: format!("run-{}", run.kind.replace('_', "-")),
        about: String::new(),
        detail: format!(
            "{}: {}/{} · {} B · {}",
            run.state, run.objects, run.quota, run.bytes, run.findings
        ),
        at: run.started,
        job: None,
    }));
    let behind = env.config.fixity_days > 0
        && standing.oldest.is_some_and(|at| {
            let days = env.config.fixity_days as i64 + 7;
            at < env.now().timestamp_micros() - days * 86_400_000_000
        });
    Ok(Section {
        name: "fixity",
        level: match standing.open {
            0 if behind => Level::Warning,
            0 => Level::Good,
            _ => Level::Alert,
        },
        facts: vec![
            fact("findings", Value::Number(standing.open)),
            fact("datasets", Value::Number(standing.concepts)),
            fact("checked", Value::Number(standing.checked)),
            fact("recently", Value::Number(standing.recently)),
            fact("oldest-check", moment(standing.oldest)),
            fact("last-run", moment(runs.first().map(|run| run.started))),
        ],
        rows,
    })
}

async fn count_jobs(env: &Env, state: &str) -> Result<u64> {
    Ok(job::Entity::find()
        .filter(job::Column::State.eq(state))
        .count(env.db.read())
        .await?)
}

async fn jobs(env: &Env) -> Result<Section> {
    let failed = count_jobs(env, "failed").await?;
    let troubled = job::Entity::find()
        .filter(job::Column::State.is_in(["failed", "queued"]))
        .filter(job::Column::LastError.is_not_null())
        .order_by_asc(job::Column::State)
        .order_by_desc(job::Column::Updated)
        .limit(MOST)
        .all(env.db.read())
        .await?;
    Ok(Section {
        name: "jobs",
        level: match (failed, troubled.len()) {
            (0, 0) => Level::Good,
            _ => Level::Warning,
        },
        facts: vec![
            fact("queued", Value::Number(count_jobs(env, "queued").await?)),
            fact("running", Value::Number(count_jobs(env, "running").await?)),
            fact("failed", Value::Number(failed)),
        ],
        rows: troubled
            .into_iter()
            .map(|row| Row {
                code: format!("job-{}", row.kind.replace('_', "-")),
                about: row.id.to_string(),
                detail: row.last_error.unwrap_or_default(),
                at: row.updated,
                job: Some(row.id),
            })
            .collect(),
    })
}

/// Publications that are being written, or that a crash cut off: a note goes within seconds, or is recovered at
/// the next start or sweep.
async fn unfinished(env: &Env) -> Result<Section> {
    let notes = env.objects.notes().await?;
    Ok(Section {
        name: "unfinished",
        level: Level::Good,
        facts: vec![fact("unfinished", Value::Number(notes.len() as u64))],
        rows: notes
            .into_iter()
            .take(MOST as usize)
            .map(|note| Row {
                code: "run-publication".to_owned(),
                about: String::new(),
                detail: note.text,
                at: 0,
                job: None,
            })
            .collect(),
    })
}

async fn index(env: &Env) -> Result<Section> {
    let (found, expected) = (env.index.len(), catalog::index::count(env).await?);
    let lag = lag(env).await?;
    Ok(Section {
        name: "index",
        level: if lag == 0 && found != expected {
            Level::Warning
        } else {
            Level::Good
        },
        facts: vec![
            fact("indexed", Value::Number(found)),
            fact("in-view", Value::Number(expected)),
            fact("lag", Value::Number(lag)),
        ],
        rows: Vec::new(),
    })
}

/// Changes that the index has not seen yet.
async fn lag(env: &Env) -> Result<u64> {
    let index = env.index.clone();
    let cursor = tokio::task::spawn_blocking(move || index.cursor())
        .await
        .map_err(|e| Error::internal("index", e))?
        .map_err(|e| Error::internal("index", e))?;
    let newest = change::Entity::find()
        .order_by_desc(change::Column::Seq)
        .one(env.db.read())
        .await?;
    let newest = newest.map_or(0, |c| c.seq as u64);
    Ok(newest.saturating_sub(cursor))
}

async fn database(env: &Env) -> Result<Section> {
    let db = env.db.read();
    let (kind, sql) = match db.get_database_backend() {
        DbBackend::Sqlite => (
            "SQLite",
            "select page_count * page_size from pragma_page_count(), pragma_page_size()",
        ),
        _ => ("PostgreSQL", "select pg_database_size(current_database())"),
    };
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?;
    let size: i64 = match row {
        Some(row) => row.try_get_by_index(0)?,
        None => 0,
    };
    Ok(Section {
        name: "database",
        level: Level::Good,
        facts: vec![
            fact("kind", Value::Text(kind.to_owned())),
            fact("size", Value::Bytes(size as u64)),
        ],
        rows: Vec::new(),
    })
}

/// Numbers in Prometheus' text format. Only what is quick to count: they are asked for every few seconds.
pub async fn metrics(env: &Env) -> Result<String> {
    use std::fmt::Write;
    let mut out = String::new();
    let mut gauge = |name: &str, about: &str, labels: &str, value: i64| {
        if !out.contains(&format!("# TYPE {name} ")) {
            let _ = write!(out, "# HELP {name} {about}\n# TYPE {name} gauge\n");
        }
        let _ = writeln!(out, "{name}{labels} {value}");
    };
    let standing = fixity::standing(env).await?;
    gauge(
        "kho_fixity_findings_open",
        "Findings nobody mended.",
        "",
        standing.open as i64,
    );
    gauge(
        "kho_fixity_datasets",
        "Datasets with something published.",
        "",
        standing.concepts as i64,
    );
    gauge(
        "kho_fixity_checked_recently",
        "Of these, checked within the period.",
        "",
        standing.recently as i64,
    );
    let oldest = standing.oldest.map_or(0, |at| at / 1_000_000);
    gauge(
        "kho_fixity_oldest_check_seconds",
        "When the dataset that waits longest was checked, Unix time; 0: never.",
        "",
        oldest,
    );
    for state in ["queued", "running", "failed"] {
        let count = count_jobs(env, state).await?;
        let label = format!("{{state=\"{state}\"}}");
        gauge(
            "kho_jobs",
            "Background jobs by state.",
            &label,
            count as i64,
        );
    }
    gauge(
        "kho_index_documents",
        "Versions in the search index.",
        "",
        env.index.len() as i64,
    );
    gauge(
        "kho_index_lag_changes",
        "Changes the index has not seen.",
        "",
        lag(env).await? as i64,
    );
    let notes = env.objects.notes().await?.len();
    gauge(
        "kho_publications_unfinished",
        "Publications being written or cut off.",
        "",
        notes as i64,
    );
    if let Some((free, whole)) = env.objects.space().await? {
        gauge(
            "kho_storage_free_bytes",
            "Free space where files are kept.",
            "",
            free as i64,
        );
        gauge(
            "kho_storage_bytes",
            "The whole space there.",
            "",
            whole as i64,
        );
    }
    Ok(out)
}
