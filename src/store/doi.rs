//! DOI registrars behind one contract: reserve a name, register what it leads to.
//!
//! `Local` stands in while no DataCite account is configured: names under the test prefix, kept in
//! the database only and never resolvable; what it promises is what DataCite will be asked for. Calls
//! are idempotent: a job repeats them until they succeed.

use crate::{error::Result, ids::Doi};

/// What a registrar is asked to make findable.
#[derive(Debug, Clone)]
pub struct Registration {
    pub doi: Doi,
    /// The landing page.
    pub url: String,
    /// The DataCite kernel-4 document.
    pub xml: String,
}

#[derive(Debug, Clone)]
pub enum Registrar {
    /// Names that are never registered anywhere.
    Local,
}

impl Registrar {
    /// Makes the DOI findable and gives the state to be shown: `registered`, or `local` when
    /// nobody outside was told.
    #[expect(
        clippy::unused_async,
        reason = "DataCite, the next variant, is a call over the network"
    )]
    pub async fn publish(&self, registration: &Registration) -> Result<&'static str> {
        match self {
            Registrar::Local => {
                tracing::debug!(doi = %registration.doi, url = %registration.url, "kept locally");
                Ok("local")
            }
        }
    }
}
