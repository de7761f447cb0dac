//! Stories through the front door: what people and programs do with Kho, over HTTP, on both databases.

mod access;
mod backup;
mod bounds;
mod callers;
mod condition;
mod downloads;
mod drafts;
mod fixity;
mod intake;
mod ledger;
mod main_job;
mod many;
mod names;
mod quotas;
mod rebuild;
mod recovery;
mod redirect;
mod tus;
mod unpack;
mod uploads;
mod withdrawal;
