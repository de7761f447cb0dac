//! The outside world: databases, the object store, DOI registrars. The only place with network or disk.

pub mod db;
pub mod doi;
pub mod http;
pub mod object;
pub mod remote;
pub mod rows;
pub mod secret;
pub mod shelf;
pub mod table;
