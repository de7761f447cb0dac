//! The search page: its address is its whole state.

pub mod address;
pub mod samples;
pub mod view;
