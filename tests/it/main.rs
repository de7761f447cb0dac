//! One integration binary: the rules the house keeps about itself, then stories through the front door.
#![allow(
    clippy::unwrap_used,
    reason = "what cannot be had here fails the test, and says where"
)]

mod app;
mod architecture;
mod browser;
mod demo;
mod oai;
mod pages;
mod pages_member;
mod pages_public;
mod routes;
mod settings;
mod storage;
mod stories;
mod texts;
