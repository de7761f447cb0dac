//! Stories through the front door: what people and programs do with Kho, over HTTP, on both databases.

mod access;
mod bounds;
mod callers;
mod drafts;
mod main_job;
mod names;
mod quotas;
mod recovery;
mod withdrawal;
