//! When a page cannot be shown: 404 that helps, and the pages of the other errors.

mod near;
mod tell;
pub mod view;

pub use self::tell::{nowhere, tell};
