//! `/me/records`: own drafts, own published versions.

use axum::response::Response;

use super::view::{Mine, MineRow, Tab};
use crate::{
    access, catalog,
    ctx::moment,
    deposit::{self, OwnDraft},
    error::Result,
    metadata::{self, Metadata, vocabulary},
    pages::{parts::Pager, shell::Visit},
};

/// Rows of a page.
const SIZE: u64 = 20;

pub async fn list(visit: Visit) -> Response {
    let result = show(&visit).await;
    visit.finish(result).await
}

async fn show(visit: &Visit) -> Result<Response> {
    let tab = match visit.parameter("show").as_deref() {
        Some("published") => Tab::Published,
        _ => Tab::Drafts,
    };
    let asked: u64 = visit
        .parameter("page")
        .and_then(|n| n.parse().ok())
        .unwrap_or(1);
    let drafts = deposit::own(visit.ctx()).await?;
    let published = catalog::own_records(visit.ctx(), 0, 0).await?.1;
    let total = match tab {
        Tab::Drafts => drafts.len() as u64,
        Tab::Published => published,
    };
    let last = total.div_ceil(SIZE).max(1);
    let current = asked.clamp(1, last);
    let skip = (current - 1) * SIZE;
    let rows = match tab {
        Tab::Drafts => {
            let some: Vec<_> = drafts
                .iter()
                .skip(skip as usize)
                .take(SIZE as usize)
                .collect();
            draft_rows(visit, &some).await?
        }
        Tab::Published => {
            let (records, _) = catalog::own_records(visit.ctx(), skip, SIZE).await?;
            records
                .into_iter()
                .map(|row| {
                    let access = access::parse(&row.access);
                    let status = access.status(row.files_enabled, visit.ctx().today());
                    let (title, lang, version) = described(visit, &row.metadata);
                    MineRow {
                        url: format!("/records/{}", row.id),
                        id: row.id,
                        title,
                        lang,
                        state: status.code(),
                        version,
                        doi: row.doi,
                        updated: day(row.updated),
                        files: row.file_count as u64,
                        bytes: row.total_bytes as u64,
                    }
                })
                .collect()
        }
    };
    let show = match tab {
        Tab::Drafts => "drafts",
        Tab::Published => "published",
    };
    visit.page(&Mine {
        tab,
        drafts: drafts.len() as u64,
        published,
        rows,
        pager: Pager::new(current, last, |n| {
            format!("/me/records?show={show}&page={n}")
        }),
    })
}

async fn draft_rows(visit: &Visit, drafts: &[&OwnDraft]) -> Result<Vec<MineRow>> {
    let weights = deposit::weights(visit.ctx(), drafts).await?;
    Ok(drafts
        .iter()
        .map(|OwnDraft { row, parent }| {
            let (title, lang, _) = described(visit, &row.metadata);
            let (files, bytes) = weights.get(&row.id).copied().unwrap_or_default();
            let (state, version) = match (row.published, parent.versions) {
                (true, _) => ("edit", None),
                (false, 0) => ("new", None),
                (false, n) => ("version", Some(n.to_string())),
            };
            MineRow {
                url: format!("/uploads/{}", row.id),
                id: row.id.clone(),
                title,
                lang,
                state,
                version,
                doi: row.doi.clone(),
                updated: day(row.updated),
                files,
                bytes,
            }
        })
        .collect())
}

/// Title for the reader, its language, and the version.
fn described(visit: &Visit, metadata: &str) -> (String, String, Option<String>) {
    let raw = serde_json::from_str(metadata).unwrap_or_default();
    let metadata: Metadata = metadata::read(&raw).0;
    let said = metadata.title_for(visit.locale());
    let lang = said
        .and_then(|s| s.lang)
        .map_or(visit.locale().code(), vocabulary::bcp47)
        .to_owned();
    let title = said.map(|s| s.text.to_owned()).unwrap_or_default();
    (title, lang, metadata.version)
}

fn day(micros: i64) -> String {
    moment(micros).date_naive().to_string()
}
