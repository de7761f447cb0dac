//! `/doi/{doi}` and `/oai/{identifier}`: other names of a record, and the way to its page.

use axum::{extract::Path, response::Response};

use super::show::{id, to_record};
use crate::{
    catalog,
    error::{Error, Kind, Result},
    ids::Doi,
    pages::shell::Visit,
};

/// `GET /doi/{doi}`: a version's, or a concept's (then its newest version).
pub async fn doi(visit: Visit, Path(text): Path<String>) -> Response {
    let result = from_doi(&visit, &text).await;
    visit.finish(result).await
}

async fn from_doi(visit: &Visit, text: &str) -> Result<Response> {
    let missing = || Error::not_found(Kind::Doi, text);
    let doi: Doi = text.parse().map_err(|_| missing())?;
    let id = catalog::by_doi(visit.ctx(), &doi).await?;
    // The DOI of what the reader may not know of is like one that was never given.
    match catalog::find(visit.ctx(), &id).await {
        Ok(_) | Err(Error::Gone(_)) => Ok(to_record(visit, &id, "")),
        Err(Error::NotFound { .. }) => Err(missing()),
        Err(e) => Err(e),
    }
}

/// `GET /oai/{identifier}`: `oai:data.example.vn:k3f9a-2bq71`, or only its last part.
pub async fn oai(visit: Visit, Path(text): Path<String>) -> Response {
    let bare = text.rsplit(':').next().unwrap_or_default();
    let result = id(bare).map(|id| to_record(&visit, &id, ""));
    visit.finish(result).await
}
