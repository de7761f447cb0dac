//! What every door that speaks HTTP shares: who is calling, how an error is told, headers, ranges, the
//! static files and the template engine.
//!
//! Not here: the URL map (`site`), and anything about records.

pub mod accept;
pub mod assets;
pub mod caller;
pub mod conditional;
pub mod download;
pub mod headers;
pub mod listen;
pub mod problem;
pub mod render;
pub mod shelf;
pub mod whole;
