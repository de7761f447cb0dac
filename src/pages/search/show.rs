//! `/search`: the address into a request, what the index found into the page.
//!
//! Nothing typed here is an error: words that cannot be understood are told so on the page, and what else
//! could be asked is offered.

use axum::response::Response;
use search_index::{Facet as IndexFacet, Request, Response as Found, Sort};

use super::{
    address::Address,
    hits,
    view::{Facet, FacetValue, Search, Years},
};
use crate::{
    catalog::{self, search},
    ctx::Ctx,
    error::{Error, Result},
    pages::{parts::Link, record::compose::by_id, shell::Visit},
    text::{Locale, say_problem},
};

/// Facets as they are named in an address.
const FACETS: [(&str, IndexFacet); 7] = [
    ("type", IndexFacet::ResourceType),
    ("access", IndexFacet::AccessStatus),
    ("subject", IndexFacet::Subject),
    ("licence", IndexFacet::Licence),
    ("year", IndexFacet::Year),
    ("language", IndexFacet::Language),
    ("community", IndexFacet::Community),
];
/// Values counted of each facet; forty years are drawn.
const VALUES: usize = 40;
/// Other searches offered when nothing was found, each of them tried first.
const OFFERED: usize = 3;

/// `GET /search`
pub async fn page(visit: Visit) -> Response {
    let result = show(&visit).await;
    visit.finish(result).await
}

async fn show(visit: &Visit) -> Result<Response> {
    let address = Address::parse(&visit.query);
    let (found, problem) = match search::search(visit.ctx(), request(&address)).await {
        Ok(found) => (found, None),
        Err(Error::BadRequest(p)) => (Found::default(), Some(say_problem(visit.locale(), &p))),
        Err(e) => return Err(e),
    };
    let mut view = Search::new(&address, found.total);
    view.problem = problem;
    view.read_as.clone_from(&found.read_as);
    view.hits = hits_of(visit.ctx(), &found).await?;
    view.chosen = chosen(&address, visit.locale());
    view.facets = facets(&address, &found, visit.locale());
    view.years = years(&address, &found);
    if found.total == 0 {
        view.instead = instead(visit.ctx(), &address).await;
    }
    visit.page(&view)
}

fn index_facet(name: &str) -> Option<IndexFacet> {
    FACETS.iter().find(|(n, _)| *n == name).map(|(_, f)| *f)
}

fn request(address: &Address) -> Request {
    let mut request = Request {
        text: address.q.clone(),
        sort: match address.sort {
            "newest" => Sort::Newest,
            "oldest" => Sort::Oldest,
            "title" => Sort::Title,
            _ => Sort::Bestmatch,
        },
        page: address.page as usize,
        size: Search::PER_PAGE as usize,
        facets: FACETS.iter().map(|(_, f)| *f).collect(),
        facet_size: VALUES,
        highlight: true,
        ..Request::default()
    };
    for (name, value) in &address.chosen {
        if let Some(facet) = index_facet(name) {
            request.chosen.entry(facet).or_default().push(value.clone());
        }
    }
    request
}

/// The found versions with their rows; one that was withdrawn since the index looked is left out.
async fn hits_of(ctx: &Ctx, found: &Found) -> Result<Vec<super::view::Hit>> {
    let ids: Vec<String> = found.hits.iter().map(|h| h.id.clone()).collect();
    let versions = by_id(catalog::many(ctx, &ids).await?);
    Ok(found
        .hits
        .iter()
        .filter_map(|hit| Some(hits::marked(versions.get(&hit.id)?, hit, ctx.locale)))
        .collect())
}

fn value_label(name: &str, value: &str, locale: Locale) -> String {
    match index_facet(name) {
        // The index may hold a value that a vocabulary has since lost, and an address anything at all.
        Some(IndexFacet::AccessStatus)
            if !crate::text::has(locale, &format!("access-status-{value}")) =>
        {
            value.to_owned()
        }
        Some(facet) => search::facet_label(facet, value, locale),
        None => value.to_owned(),
    }
}

fn chosen(address: &Address, locale: Locale) -> Vec<Link> {
    address
        .chosen
        .iter()
        .map(|(name, value)| {
            let label = value_label(name, value, locale);
            Link::new(label, address.toggled(name, value).url())
        })
        .collect()
}

fn facets(address: &Address, found: &Found, locale: Locale) -> Vec<Facet> {
    FACETS
        .iter()
        .filter(|(_, facet)| *facet != IndexFacet::Year)
        .filter_map(|(name, facet)| {
            let buckets = found.facets.get(facet)?;
            let mut values: Vec<FacetValue> = buckets
                .iter()
                .filter(|b| {
                    *facet != IndexFacet::Subject
                        || b.selected
                        || !search::is_foreign_subject(&b.value, locale)
                })
                .map(|b| FacetValue {
                    label: value_label(name, &b.value, locale),
                    count: b.count,
                    chosen: address.has(name, &b.value),
                    url: address.toggled(name, &b.value).url(),
                })
                .collect();
            values.sort_by_key(|v| !v.chosen);
            (!values.is_empty()).then_some(Facet { name, values })
        })
        .collect()
}

fn years(address: &Address, found: &Found) -> Option<Years> {
    let counts: Vec<(i32, u64)> = found
        .facets
        .get(&IndexFacet::Year)?
        .iter()
        .filter_map(|b| Some((b.value.parse().ok()?, b.count)))
        .filter(|(_, count)| *count > 0)
        .collect();
    Years::new(address, &counts)
}

/// Searches that do find something: without the filters, else with single words of what was typed.
async fn instead(ctx: &Ctx, address: &Address) -> Vec<Link> {
    let mut out = Vec::new();
    if !address.chosen.is_empty() && finds(ctx, &address.cleared()).await {
        let label = if address.q.is_empty() {
            "*".to_owned()
        } else {
            address.q.clone()
        };
        out.push(Link::new(label, address.cleared().url()));
    }
    let mut words: Vec<&str> = address
        .q
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| w.chars().count() > 1)
        .collect();
    words.sort_by_key(|w| std::cmp::Reverse(w.chars().count()));
    words.dedup();
    if words.len() < 2 && words.first().is_some_and(|w| *w == address.q) {
        return out;
    }
    for word in words.into_iter().take(2 * OFFERED) {
        if out.len() == OFFERED {
            break;
        }
        let single = address.cleared().asking(word);
        if finds(ctx, &single).await {
            out.push(Link::new(word, single.url()));
        }
    }
    out
}

async fn finds(ctx: &Ctx, address: &Address) -> bool {
    let request = Request {
        size: 0,
        facets: Vec::new(),
        highlight: false,
        ..request(address)
    };
    search::search(ctx, request)
        .await
        .is_ok_and(|found| found.total > 0)
}
