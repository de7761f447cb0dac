//! The first page: a search box, three numbers, what is new, subjects, two calls.

pub mod view;
