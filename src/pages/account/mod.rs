//! The person who is signed in, and how one becomes that: sign-in, set-up, own records, tokens.

pub mod samples;
pub mod view;
