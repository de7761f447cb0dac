//! Stories through the front door: what people and programs do with Kho, over HTTP, on both databases.

mod access;
mod backup;
mod bounds;
mod callers;
mod condition;
mod drafts;
mod fixity;
mod main_job;
mod names;
mod rebuild;
mod recovery;
mod withdrawal;
