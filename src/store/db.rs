//! SQLite or PostgreSQL behind one `Db`: how they are opened, how a transaction begins.
//!
//! SQLite has one writer and many readers: writes go through a pool of one connection whose
//! transactions begin IMMEDIATE (a deferred one that reads first and writes later fails with "database
//! is locked" under load, whatever the busy timeout). PostgreSQL has one pool for both. Times are
//! microseconds in `bigint`, JSON is `text`, so that both compare alike.

use std::{path::Path, time::Duration};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, SqlErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    sea_query::{Expr, Func, SimpleExpr},
    sqlx::{
        Connection,
        sqlite::{SqliteJournalMode, SqliteSynchronous},
    },
};
use sea_orm_migration::MigratorTrait;

use crate::error::{Error, Result};

/// How long a request waits for a connection before it is told to come back.
const ACQUIRE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub struct Db {
    write: DatabaseConnection,
    read: DatabaseConnection,
}

impl Db {
    /// Opens `sqlite:PATH` or `postgres://…` and brings the schema up to date.
    pub async fn open(url: &str) -> Result<Db> {
        let db = match url.strip_prefix("sqlite:") {
            Some(path) => open_sqlite(path.trim_start_matches("//")).await,
            None => open_postgres(url).await,
        }
        .map_err(|e| Error::Unavailable(format!("cannot open the database: {e}")))?;
        db.migrate().await?;
        Ok(db)
    }

    /// Begins a transaction that will write.
    pub async fn begin(&self) -> Result<DatabaseTransaction> {
        let options = TransactionOptions {
            sqlite_transaction_mode: self.is_sqlite().then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(self.write.begin_with_options(options).await?)
    }

    /// A connection for reading outside a transaction.
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// A connection for a single statement that writes.
    pub fn write(&self) -> &DatabaseConnection {
        &self.write
    }

    pub fn is_sqlite(&self) -> bool {
        self.write.get_database_backend() == DbBackend::Sqlite
    }

    /// Is it answering? For `/readyz`.
    pub async fn ping(&self) -> Result<()> {
        self.read.execute_unprepared("select 1").await?;
        Ok(())
    }

    /// After rows were written under numbers of their own: the next number given is a new one. SQLite sees
    /// to that by itself.
    pub async fn align_counters(&self) -> Result<()> {
        if self.is_sqlite() {
            return Ok(());
        }
        let columns = Statement::from_string(
            DbBackend::Postgres,
            "select table_name::text as t, column_name::text as c from information_schema.columns
             where table_schema = current_schema() and is_identity = 'YES'",
        );
        for row in self.write.query_all_raw(columns).await? {
            let (table, column): (String, String) = (row.try_get("", "t")?, row.try_get("", "c")?);
            let sql = format!(
                "select setval(pg_get_serial_sequence('\"{table}\"', '{column}'), greatest(
                    (select coalesce(max(\"{column}\"), 0) + 1 from \"{table}\"),
                    nextval(pg_get_serial_sequence('\"{table}\"', '{column}'))), false)"
            );
            self.write.execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    /// Takes a database out of the way, as a file or schema with another name, which is given; `None` when there
    /// was none. Nobody may be using it.
    pub async fn set_aside(url: &str, stamp: &str) -> Result<Option<String>> {
        let Some(path) = url.strip_prefix("sqlite:") else {
            return set_schema_aside(url, stamp).await;
        };
        let path = path.trim_start_matches("//");
        let aside = format!("{path}.before-{stamp}");
        let mut moved = None;
        // The journal of writes belongs to the file and must keep its name beside it.
        for end in ["", "-wal", "-shm"] {
            match std::fs::rename(format!("{path}{end}"), format!("{aside}{end}")) {
                Ok(()) => moved = Some(aside.clone()),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(Error::io(&aside, &e)),
            }
        }
        Ok(moved)
    }

    async fn migrate(&self) -> Result<()> {
        let pending = kho_migrations::Migrator::get_pending_migrations(&self.write)
            .await
            .map_err(|e| {
                Error::Unavailable(format!(
                    "the database has a schema this version does not know; use a newer kho ({e})"
                ))
            })?;
        if pending.is_empty() {
            return Ok(());
        }
        if self.is_sqlite() {
            kho_migrations::Migrator::up(&self.write, None).await?;
            return Ok(());
        }
        // sea-orm takes no lock of its own: replicas that start together would migrate together.
        // A transaction of its own holds the advisory lock while another connection migrates.
        let lock = self.write.begin().await?;
        lock.execute_unprepared("select pg_advisory_xact_lock(7235420011)")
            .await?;
        kho_migrations::Migrator::up(&self.write, None).await?;
        lock.commit().await?;
        Ok(())
    }
}

async fn open_sqlite(path: &str) -> Result<Db, DbErr> {
    if let Some(folder) = Path::new(path).parent() {
        std::fs::create_dir_all(folder)
            .map_err(|e| DbErr::Custom(format!("{}: {e}", folder.display())))?;
    }
    let url = format!("sqlite://{path}?mode=rwc");
    let connect = |connections: u32, read_only: bool| {
        let mut options = ConnectOptions::new(url.clone());
        options
            .max_connections(connections)
            .min_connections(1)
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .sqlx_logging(false)
            .map_sqlx_sqlite_before_acquire(|connection, _| {
                // A commit that fails (full disk) ends the transaction in SQLite and not in the driver's count of
                // them. What followed on such a connection would be savepoints that nothing commits.
                let clean = !connection.is_in_transaction();
                if !clean {
                    tracing::warn!(
                        "a connection to the database is replaced after a failed commit"
                    );
                }
                Box::pin(async move { Ok(clean) })
            })
            .map_sqlx_sqlite_opts(move |o| {
                let o = o
                    .busy_timeout(ACQUIRE)
                    .foreign_keys(true)
                    .statement_cache_capacity(256)
                    .pragma("cache_size", "-4096")
                    .pragma("temp_store", "memory");
                if read_only {
                    o.read_only(true)
                } else {
                    o.journal_mode(SqliteJournalMode::Wal)
                        .synchronous(SqliteSynchronous::Full)
                        .pragma("journal_size_limit", "67108864")
                }
            });
        Database::connect(options)
    };
    // The writer first: it makes the file and sets the journal mode that readers then find.
    let write = connect(1, false).await?;
    let read = connect(8, true).await?;
    Ok(Db { write, read })
}

async fn open_postgres(url: &str) -> Result<Db, DbErr> {
    let mut options = ConnectOptions::new(url.to_owned());
    options
        .max_connections(20)
        .min_connections(1)
        .acquire_timeout(ACQUIRE)
        .sqlx_logging(false);
    let pool = Database::connect(options).await?;
    Ok(Db {
        write: pool.clone(),
        read: pool,
    })
}

/// The first `length` characters of a column. What begins with a text is found by comparing these: `like` knows no
/// capitals on one database, and an order of letters is the other one's own.
pub fn first_characters(column: &'static str, length: i64) -> SimpleExpr {
    // PostgreSQL has a `substr` of 32-bit places only.
    let length = i32::try_from(length).unwrap_or(i32::MAX);
    Expr::expr(Func::cust("substr").args([
        Expr::col(column),
        Expr::value(1_i32),
        Expr::value(length),
    ]))
}

/// All tables stand in one schema, which gets another name.
async fn set_schema_aside(url: &str, stamp: &str) -> Result<Option<String>> {
    let db = open_postgres(url).await?;
    let tx = db.write.begin().await?;
    let found = Statement::from_string(
        DbBackend::Postgres,
        "select current_schema()::text as s from information_schema.tables
         where table_schema = current_schema() limit 1",
    );
    let Some(row) = tx.query_one_raw(found).await? else {
        return Ok(None);
    };
    let schema: String = row.try_get("", "s")?;
    let aside = format!("{schema}_before_{}", stamp.to_lowercase());
    tx.execute_unprepared(&format!("alter schema \"{schema}\" rename to \"{aside}\""))
        .await?;
    tx.execute_unprepared(&format!("create schema \"{schema}\""))
        .await?;
    tx.commit().await?;
    Ok(Some(format!("schema {aside}")))
}

/// Makes the order in which change-feed numbers are given the order in which they are committed, so
/// that a follower who has seen number 7 never finds a 6 later. On SQLite the single writer does it.
pub async fn order_changes(tx: &DatabaseTransaction) -> Result<()> {
    if tx.get_database_backend() == DbBackend::Postgres {
        tx.execute_unprepared("select pg_advisory_xact_lock(7235420012)")
            .await?;
    }
    Ok(())
}

impl From<DbErr> for Error {
    fn from(e: DbErr) -> Self {
        if let Some(SqlErr::UniqueConstraintViolation(_)) = e.sql_err() {
            return Error::conflict("already-exists");
        }
        let told = e.to_string();
        let busy = [
            "database is locked",
            "pool timed out",
            "PoolTimedOut",
            "Connection",
            // The disk's trouble and not a statement's: it failed, or it takes no writes any more.
            "disk I/O error",
            "unable to open database file",
            "readonly database",
        ]
        .iter()
        .any(|sign| told.contains(sign));
        if told.contains("disk is full") || told.contains("No space left") {
            Error::Full
        } else if busy {
            Error::Unavailable(told)
        } else {
            Error::Internal(told)
        }
    }
}
