//! store

pub mod object;
