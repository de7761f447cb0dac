//! Accounts and how people prove who they are: passwords, sessions, personal access tokens.
//!
//! Not here: what they may do (`access`), cookies and forms (`web`).

pub mod account;
pub mod password;
pub mod session;
pub mod setup;
pub mod token;

use sha2::{Digest, Sha256};

use crate::{
    ctx::{Person, Role},
    ids::{self, UserId},
    store::table::people,
};

/// What is stored of a secret that is itself random: its SHA-256. (Passwords are not random; see `password`.)
fn fingerprint(secret: &str) -> String {
    ids::Sha256(Sha256::digest(secret.as_bytes()).into()).to_hex()
}

/// The person behind a row; an unknown role is the least one.
fn person(row: &people::account::Model, scopes: Option<Vec<String>>) -> Person {
    Person {
        id: UserId(row.id),
        name: row.name.clone(),
        email: row.email.clone(),
        role: Role::from_name(&row.role).unwrap_or(Role::Depositor),
        scopes,
    }
}
