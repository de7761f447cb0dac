//! Search as the doors ask for it: the index finds and counts, the rows answer.

use std::{collections::HashMap, sync::LazyLock};

use search_index::{Facet, Request, Response, error::QueryError};

use crate::{
    ctx::{Actor, Ctx, Role},
    error::{Error, Problem, Result},
    metadata::vocabulary::{Vocabulary, label, list},
    text::{Locale, say},
};

/// Searches with what the caller may see. Runs off the async threads: an index read may touch a disk.
pub async fn search(ctx: &Ctx, mut request: Request) -> Result<Response> {
    match &ctx.actor {
        Actor::System => request.all_readers = true,
        Actor::Person(p) if p.role >= Role::Curator => request.all_readers = true,
        Actor::Person(p) => request.reader_keys = vec![reader_key(p.id.0)],
        Actor::Anonymous => {}
    }
    let index = ctx.env.index.clone();
    tokio::task::spawn_blocking(move || index.search(&request))
        .await
        .map_err(|e| Error::internal("a search stopped", e))?
        .map_err(told)
}

/// The key under which an account finds what is its own though restricted.
pub fn reader_key(account: i64) -> String {
    format!("user:{account}")
}

/// What the caller did wrong is theirs to mend; what the index lost is ours.
fn told(e: search_index::Error) -> Error {
    match e {
        search_index::Error::Window { max } => {
            Error::BadRequest(Problem::new("search-window", "page").with("most", max))
        }
        search_index::Error::Query(why) => Error::BadRequest(refused(&why)),
        e => Error::internal("search", e),
    }
}

/// Why a query was refused, as a problem with a sentence in both languages.
fn refused(why: &QueryError) -> Problem {
    let at = |code| Problem::new(code, "q");
    match why {
        QueryError::TooLong { max } => at("query-too-long").with("most", max),
        QueryError::TooManyClauses { max } => at("query-too-many-words").with("most", max),
        QueryError::TooDeep { max } => at("query-too-deep").with("most", max),
        QueryError::LeadingWildcard => at("query-leading-wildcard"),
        QueryError::PrefixTooShort { min } => at("query-prefix-too-short").with("least", min),
        QueryError::UnknownField(field) => at("query-unknown-field").with("field", field),
        QueryError::BadRange(range) => at("query-bad-range").with("range", range),
    }
}

/// Is this subject the name that a term of a classification has in the other language only? The index holds
/// both names of each term; a list in one language shows one of them.
pub fn is_foreign_subject(value: &str, locale: Locale) -> bool {
    static NAMES: LazyLock<HashMap<&'static str, [bool; 2]>> = LazyLock::new(|| {
        let mut names: HashMap<&'static str, [bool; 2]> = HashMap::new();
        for term in list(Vocabulary::Subjects) {
            for (n, language) in Locale::ALL.into_iter().enumerate() {
                names.entry(term.label(language)).or_default()[n] = true;
            }
        }
        names
    });
    let own = usize::from(locale == Locale::ALL[1]);
    NAMES.get(value).is_some_and(|named| !named[own])
}

/// The word for a value of a facet, in a language.
pub fn facet_label(facet: Facet, value: &str, locale: Locale) -> String {
    match facet {
        Facet::ResourceType => label(Vocabulary::ResourceTypes, value, locale).to_owned(),
        Facet::Licence => label(Vocabulary::Licenses, value, locale).to_owned(),
        Facet::Language => label(Vocabulary::Languages, value, locale).to_owned(),
        Facet::AccessStatus => say(locale, &format!("access-status-{value}"), &[]),
        Facet::FileType => value.to_uppercase(),
        Facet::Subject | Facet::Year | Facet::Community => value.to_owned(),
    }
}
