//! What every page shares: the static files and the template engine.

pub mod assets;
pub mod render;
