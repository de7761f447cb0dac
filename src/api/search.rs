//! `GET /api/records` and `GET /api/user/records`: the search envelope of the dialect.

use std::collections::BTreeMap;

use axum::{Json, extract::RawQuery};
use search_index::{Facet, Request, Scope, Sort};
use serde_json::{Value, json};

use crate::{
    api::{Answer, answer, json},
    catalog::{self, search},
    deposit,
    error::{Error, Problem, Result},
    ids::RecordId,
    text::say,
    web::caller::Caller,
};

/// Hits a page: by default, and at most.
const PAGE: usize = 25;
const MOST: usize = 100;
/// Files listed in a hit; a version with more has them at `/files`.
const FILES_IN_HIT: u64 = 100;

/// Query parameters, in order, unescaped.
pub(super) fn parameters(query: Option<&str>) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .take(200)
        .map(|(k, v)| (k.into_owned(), v.into_owned()))
        .collect()
}

fn wrong(name: &str) -> Error {
    Error::BadRequest(Problem::new("query-parameter", name.to_owned()).with("name", name))
}

/// A search request from query parameters. Unknown parameters are ignored, wrong values refused.
fn request(parameters: &[(String, String)]) -> Result<Request> {
    let mut request = Request {
        size: PAGE,
        facets: Facet::ALL.to_vec(),
        ..Request::default()
    };
    let mut chosen: BTreeMap<Facet, Vec<String>> = BTreeMap::new();
    for (name, value) in parameters {
        match name.as_str() {
            "q" => request.text.clone_from(value),
            "page" => {
                request.page = value
                    .parse()
                    .ok()
                    .filter(|n| *n > 0)
                    .ok_or_else(|| wrong(name))?;
            }
            "size" => {
                let size = value.parse().ok().filter(|n| (1..=MOST).contains(n));
                request.size = size.ok_or_else(|| wrong(name))?;
            }
            "sort" => request.sort = Sort::from_name(value).ok_or_else(|| wrong(name))?,
            "allversions" | "all_versions" => {
                request.all_versions = matches!(value.as_str(), "true" | "1");
            }
            "publication_date" => {
                let (from, to) = value.split_once("..").unwrap_or((value, value));
                let year = |text: &str| -> Result<Option<i64>> {
                    if text.is_empty() {
                        Ok(None)
                    } else {
                        text.parse().map(Some).map_err(|_| wrong(name))
                    }
                };
                request.years.from = year(from)?;
                request.years.to = year(to)?;
            }
            "community" | "communities" => request.scope.community = Some(value.clone()),
            _ => {
                // The dialect writes a nested choice as `publication+inner:publication-article`.
                let (facet, value) = match name.split_once("+inner") {
                    Some((outer, _)) => (outer.split(':').next().unwrap_or(outer), value),
                    None => (name.as_str(), value),
                };
                if let Some(facet) = facet_named(facet) {
                    chosen.entry(facet).or_default().push(value.clone());
                }
            }
        }
    }
    request.chosen = chosen;
    Ok(request)
}

/// Our names and InvenioRDM's.
fn facet_named(name: &str) -> Option<Facet> {
    Facet::from_name(name).or(match name {
        "license" | "licenses" => Some(Facet::Licence),
        "subjects" => Some(Facet::Subject),
        "languages" => Some(Facet::Language),
        "file_types" => Some(Facet::FileType),
        _ => None,
    })
}

/// Searches the published versions.
#[utoipa::path(get, path = "/api/records", tag = "records",
    params(("q" = Option<String>, Query), ("sort" = Option<String>, Query), ("page" = Option<u32>, Query),
        ("size" = Option<u32>, Query), ("allversions" = Option<bool>, Query), ("resource_type" = Option<String>, Query),
        ("access_status" = Option<String>, Query), ("subject" = Option<String>, Query), ("language" = Option<String>, Query),
        ("licence" = Option<String>, Query), ("year" = Option<String>, Query), ("file_type" = Option<String>, Query)),
    responses((status = 200, description = "Hits, facets, links"), (status = 400)))]
pub async fn records(caller: Caller, RawQuery(query): RawQuery) -> Answer<Json<Value>> {
    let parameters = parameters(query.as_deref());
    let request = answer(&caller, request(&parameters))?;
    answer(
        &caller,
        envelope(&caller, request, &parameters, "/api/records").await,
    )
    .map(Json)
}

async fn envelope(
    caller: &Caller,
    request: Request,
    parameters: &[(String, String)],
    path: &str,
) -> Result<Value> {
    let (page, size) = (request.page, request.size);
    let found = search::search(&caller.ctx, request).await?;
    let mut hits = Vec::with_capacity(found.hits.len());
    for hit in &found.hits {
        let id: RecordId = match hit.id.parse() {
            Ok(id) => id,
            Err(_) => continue,
        };
        // The index may be a moment behind: what was withdrawn since is passed over.
        let Ok(version) = catalog::version(&caller.ctx, &id).await else {
            continue;
        };
        let few = version.files_open && version.row().file_count <= FILES_IN_HIT as i64;
        let files = if few {
            catalog::files(&caller.ctx, &version, 1, FILES_IN_HIT).await?
        } else {
            Vec::new()
        };
        hits.push(json::record(&caller.ctx, &version, &files));
    }
    let mut out = json!({
        "hits": {"hits": hits, "total": found.total},
        "aggregations": aggregations(caller, &found),
        "sortBy": found.sort.name(),
        "page": page,
        "links": page_links(caller, path, parameters, page, size, found.total),
    });
    if let Some(read_as) = &found.read_as {
        out["read_as"] = read_as.as_str().into();
    }
    Ok(out)
}

fn aggregations(caller: &Caller, found: &search_index::Response) -> Value {
    let locale = caller.ctx.locale;
    let mut out = serde_json::Map::new();
    for (facet, buckets) in &found.facets {
        if buckets.is_empty() {
            continue;
        }
        let buckets: Vec<Value> = buckets
            .iter()
            .map(|b| {
                json!({"key": b.value, "doc_count": b.count, "is_selected": b.selected,
                    "label": search::facet_label(*facet, &b.value, locale)})
            })
            .collect();
        let label = say(
            locale,
            &format!("facet-{}", facet.name().replace('_', "-")),
            &[],
        );
        out.insert(
            facet.name().to_owned(),
            json!({"label": label, "buckets": buckets}),
        );
    }
    out.into()
}

fn page_links(
    caller: &Caller,
    path: &str,
    parameters: &[(String, String)],
    page: usize,
    size: usize,
    total: u64,
) -> Value {
    let link = |page: usize| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in parameters
            .iter()
            .filter(|(n, _)| n != "page" && n != "size")
        {
            query.append_pair(name, value);
        }
        query.append_pair("page", &page.to_string());
        query.append_pair("size", &size.to_string());
        format!(
            "{}{path}?{}",
            caller.ctx.env.config.base_url,
            query.finish()
        )
    };
    let mut links = json!({"self": link(page)});
    if page > 1 {
        links["prev"] = link(page - 1).into();
    }
    if (page * size) < total as usize {
        links["next"] = link(page + 1).into();
    }
    links
}

/// The caller's own drafts and records, newest change first.
#[utoipa::path(get, path = "/api/user/records", tag = "records",
    params(("q" = Option<String>, Query), ("page" = Option<u32>, Query), ("size" = Option<u32>, Query)),
    responses((status = 200, description = "Drafts and records"), (status = 401)))]
pub async fn own(caller: Caller, RawQuery(query): RawQuery) -> Answer<Json<Value>> {
    let parameters = parameters(query.as_deref());
    answer(&caller, own_envelope(&caller, &parameters).await).map(Json)
}

async fn own_envelope(caller: &Caller, parameters: &[(String, String)]) -> Result<Value> {
    let me = caller.ctx.require_person()?.id;
    let mut request = request(parameters)?;
    if !request.text.is_empty() {
        request.scope = Scope {
            owner: Some(me.to_string()),
            ..request.scope
        };
        return envelope(caller, request, parameters, "/api/user/records").await;
    }
    let drafts = deposit::own(&caller.ctx).await?;
    let (page, size) = (request.page, request.size);
    let skip = (page - 1) * size;
    let mut hits = Vec::new();
    for own in drafts.iter().skip(skip).take(size) {
        let files = deposit::read(
            &caller.ctx,
            &own.row.id.parse().map_err(|e| Error::internal("id", e))?,
        )
        .await?;
        hits.push(json::draft(&caller.ctx, &files));
    }
    // Drafts come first; the pages after them are the published versions.
    let left = size - hits.len();
    let begin = skip.saturating_sub(drafts.len());
    let (rows, published) = catalog::own_records(&caller.ctx, begin as u64, left as u64).await?;
    for row in rows {
        let id: RecordId = row.id.parse().map_err(|e| Error::internal("id", e))?;
        let version = catalog::version(&caller.ctx, &id).await?;
        hits.push(json::record(&caller.ctx, &version, &[]));
    }
    let total = drafts.len() as u64 + published;
    Ok(json!({
        "hits": {"hits": hits, "total": total},
        "sortBy": "updated-desc",
        "page": page,
        "links": page_links(caller, "/api/user/records", parameters, page, size, total),
    }))
}
