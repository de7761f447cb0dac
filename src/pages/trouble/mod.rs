//! When a page cannot be shown: 404 that helps, and the pages of the other errors.

pub mod view;
