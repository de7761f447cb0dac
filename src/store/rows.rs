//! Every table as lines of JSON, the same for SQLite and PostgreSQL: what a backup of the database is made of,
//! and a way from one to the other.
//!
//! The schema has three types (`migrations/README.md`): text, whole numbers, truth values. Not here: what any
//! table means.

use std::io;

use bytes::Bytes;
use futures::TryStreamExt;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, IsolationLevel, QueryResult,
    Statement, StreamTrait, TransactionOptions, TransactionTrait, Value,
};
use serde_json::{Map, Value as Json};
use tokio::sync::mpsc;

use super::db::Db;
use crate::error::{Error, Result};

/// A table with its columns, in the order of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    pub columns: Vec<(String, Kind)>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Truth,
}

/// Parameters of one statement; SQLite takes 32,766, PostgreSQL 65,535.
const PARAMETERS: usize = 16_000;

impl Db {
    /// A transaction that sees the database as it is now, whatever others write meanwhile.
    pub async fn snapshot(&self) -> Result<DatabaseTransaction> {
        let options = if self.is_sqlite() {
            // With a journal of writes, a reading transaction is a snapshot from its first statement on.
            TransactionOptions::default()
        } else {
            TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..TransactionOptions::default()
            }
        };
        let tx = self.read().begin_with_options(options).await?;
        tx.query_one_raw(plain(&tx, "select version from seaql_migrations limit 1"))
            .await?;
        Ok(tx)
    }
}

fn plain(db: &impl ConnectionTrait, sql: impl Into<String>) -> Statement {
    Statement::from_string(db.get_database_backend(), sql.into())
}

/// All tables, each after those that it refers to.
pub async fn tables(db: &impl ConnectionTrait) -> Result<Vec<Table>> {
    let mut tables = Vec::new();
    for name in kho_migrations::tables() {
        let sql = match db.get_database_backend() {
            DbBackend::Sqlite => format!("select name, type from pragma_table_info('{name}')"),
            _ => format!(
                "select column_name::text as name, data_type::text as type
                 from information_schema.columns
                 where table_schema = current_schema() and table_name = '{name}'
                 order by ordinal_position"
            ),
        };
        let mut columns = Vec::new();
        for row in db.query_all_raw(plain(db, sql)).await? {
            let (column, kind): (String, String) =
                (row.try_get("", "name")?, row.try_get("", "type")?);
            let kind = match kind.to_lowercase().as_str() {
                "text" => Kind::Text,
                "bigint" | "integer" => Kind::Number,
                "boolean" => Kind::Truth,
                other => {
                    let told = format!("{name}.{column} is of the type {other}");
                    return Err(Error::internal("backup", told));
                }
            };
            columns.push((column, kind));
        }
        if !columns.is_empty() {
            let name = name.to_owned();
            tables.push(Table { name, columns });
        }
    }
    Ok(tables)
}

/// Bytes sent at once.
const CHUNK: usize = 256 << 10;

/// Sends every row of a table as a line of JSON, in no order, and gives how many there were. Ends early when
/// nobody takes them any more.
pub async fn read(
    tx: &DatabaseTransaction,
    table: &Table,
    out: &mpsc::Sender<io::Result<Bytes>>,
) -> Result<u64> {
    let mut rows = tx
        .stream_raw(plain(tx, format!("select * from \"{}\"", table.name)))
        .await?;
    let (mut count, mut buffer) = (0, Vec::with_capacity(CHUNK));
    while let Some(row) = rows.try_next().await? {
        buffer.extend_from_slice(line(&row, table)?.as_bytes());
        buffer.push(b'\n');
        count += 1;
        if buffer.len() >= CHUNK / 2
            && out
                .send(Ok(std::mem::take(&mut buffer).into()))
                .await
                .is_err()
        {
            return Ok(count);
        }
    }
    let _ = out.send(Ok(buffer.into())).await;
    Ok(count)
}

fn line(row: &QueryResult, table: &Table) -> Result<String> {
    let mut object = Map::new();
    for (column, kind) in &table.columns {
        let value = match kind {
            Kind::Text => Json::from(row.try_get::<Option<String>>("", column)?),
            Kind::Number => Json::from(row.try_get::<Option<i64>>("", column)?),
            Kind::Truth => Json::from(row.try_get::<Option<bool>>("", column)?),
        };
        object.insert(column.clone(), value);
    }
    serde_json::to_string(&object).map_err(|e| Error::internal("a row does not serialise", e))
}

/// Rows of a table that fit one statement.
pub fn together(table: &Table) -> usize {
    (PARAMETERS / table.columns.len().max(1)).clamp(1, 1_000)
}

/// Writes rows, at most [`together`] of them. A column that a row does not have gets the default of the schema
/// where all rows lack it; a column that the table does not have is an error.
pub async fn write(
    tx: &DatabaseTransaction,
    table: &Table,
    rows: &[Map<String, Json>],
) -> Result<()> {
    let Some(first) = rows.first() else {
        return Ok(());
    };
    let known: Vec<&(String, Kind)> = table
        .columns
        .iter()
        .filter(|(name, _)| first.contains_key(name))
        .collect();
    if let Some(unknown) = first
        .keys()
        .find(|k| known.iter().all(|(name, _)| name != *k))
    {
        let told = format!("{} has no column {unknown}", table.name);
        return Err(Error::internal("restore", told));
    }
    let backend = ConnectionTrait::get_database_backend(tx);
    let mut sql = format!("insert into \"{}\" (", table.name);
    let names: Vec<String> = known.iter().map(|(n, _)| format!("\"{n}\"")).collect();
    sql.push_str(&names.join(", "));
    sql.push_str(") values ");
    let mut values = Vec::with_capacity(rows.len() * known.len());
    for (at, row) in rows.iter().enumerate() {
        sql.push_str(if at == 0 { "(" } else { ", (" });
        for (place, (name, kind)) in known.iter().enumerate() {
            if place > 0 {
                sql.push_str(", ");
            }
            values.push(value(row.get(name), *kind));
            if backend == DbBackend::Sqlite {
                sql.push('?');
            } else {
                sql.push('$');
                sql.push_str(&values.len().to_string());
            }
        }
        sql.push(')');
    }
    tx.execute_raw(Statement::from_sql_and_values(backend, sql, values))
        .await?;
    Ok(())
}

fn value(json: Option<&Json>, kind: Kind) -> Value {
    match kind {
        Kind::Text => json.and_then(Json::as_str).map(ToOwned::to_owned).into(),
        Kind::Number => json.and_then(Json::as_i64).into(),
        Kind::Truth => json.and_then(Json::as_bool).into(),
    }
}

/// The migrations that a database has had.
pub async fn migrations(db: &impl ConnectionTrait) -> Result<Vec<String>> {
    let rows = db
        .query_all_raw(plain(
            db,
            "select version from seaql_migrations order by version",
        ))
        .await?;
    let names = rows.iter().map(|row| row.try_get::<String>("", "version"));
    Ok(names.collect::<Result<_, _>>()?)
}
