//! The rows of the database as types, a file for each part of the schema (`migrations/src/*.sql`).
//!
//! Rows only: no rules, no queries. Each capability holds its own queries beside its rules.

pub mod deposit;
pub mod fixity;
pub mod harvest;
pub mod intake;
pub mod ledger;
pub mod people;
pub mod quota;
pub mod record;
pub mod upload;
pub mod work;
