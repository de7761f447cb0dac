//! Answers a request: the readings in order, filters, counts, the page of hits.
//!
//! Reads only. A request is answered from one snapshot of the index, so total, hits and facets agree.

use std::collections::BTreeMap;

use tantivy::collector::{Collector, TopDocs};
use tantivy::query::{BooleanQuery, Occur, Query, TermSetQuery};
use tantivy::schema::Value;
use tantivy::{DocAddress, Order, Score, Searcher, TantivyDocument, Term};

use crate::error::{Error, Result};
use crate::facets::{Counts, Facet, FacetCounter};
use crate::highlight::Marker;
use crate::identifier;
use crate::query::compile::{between, compile, term, unscored};
use crate::query::{self, Kind, Node, Reading, Target};
use crate::request::{Hit, Request, Response, Sort, WINDOW, YearRange};
use crate::schema::{Fields, Kept, PUBLIC};
use crate::{telex, vietnamese};

/// Bytes of a description snippet.
const SNIPPET: usize = 320;

pub(crate) fn search(searcher: &Searcher, fields: &Fields, request: &Request) -> Result<Response> {
    let last = request.page.max(1).checked_mul(request.size);
    if last.is_none_or(|last| last > WINDOW) {
        return Err(Error::Window { max: WINDOW });
    }
    let typed = query::parse(&request.text)?;
    let asked = Asked {
        searcher,
        fields,
        request,
    };
    let mut first = None;
    for (reading, node) in readings(searcher, fields, &typed)? {
        let words = compile(&node, fields, reading);
        let mut response = asked.answer(&node, words.box_clone(), reading)?;
        if node != typed {
            response.read_as = Some(spelled(&node));
        }
        // A choice of facets that leaves nothing is no reason to read the words differently.
        if response.total > 0
            || (asked.is_narrowed() && asked.count(&node, words, &[])?.matches > 0)
        {
            return Ok(response);
        }
        first.get_or_insert(response);
    }
    Ok(first.unwrap_or_default())
}

/// The readings worth trying, in order.
fn readings(searcher: &Searcher, fields: &Fields, typed: &Node) -> Result<Vec<(Reading, Node)>> {
    let syllables = typed.word_syllables();
    let accented = syllables.iter().any(vietnamese::Syllable::is_accented);
    let mut phrases_accented = false;
    typed.walk(true, &mut |leaf, _| {
        if let Kind::Phrase(text) = &leaf.kind {
            phrases_accented |= vietnamese::syllables(text)
                .iter()
                .any(vietnamese::Syllable::is_accented);
        }
    });
    let decoded = (!accented)
        .then(|| typed.map_words(&decoded))
        .filter(|d| d != typed);

    let mut readings = vec![(Reading::AsTyped, typed.clone())];
    if accented || phrases_accented {
        readings.push((Reading::WithoutAccents, typed.clone()));
    }
    let mut relaxed = typed.clone();
    if let Some(decoded) = decoded {
        let mut known = 0;
        for syllable in &syllables {
            let term = Term::from_field_text(fields.any.folded, &syllable.folded);
            known += usize::from(searcher.doc_freq(&term)? > 0);
        }
        let keystrokes = (Reading::Keystrokes, decoded.clone());
        if 2 * known < syllables.len() {
            readings.insert(0, keystrokes);
            relaxed = decoded;
        } else {
            readings.push(keystrokes);
        }
    }
    let separated = typed.map_words(&separated);
    if separated != *typed {
        readings.push((Reading::Separated, separated));
    }
    if syllables.len() > 1 {
        readings.push((Reading::AnyWord, relaxed));
    }
    Ok(readings)
}

fn decoded(word: &str) -> String {
    let mut any = false;
    let syllables: Vec<String> = vietnamese::syllables(word)
        .into_iter()
        .map(|s| {
            telex::decode(&s.canonical)
                .inspect(|_| any = true)
                .unwrap_or(s.canonical)
        })
        .collect();
    if any {
        syllables.join(" ")
    } else {
        word.to_owned()
    }
}

/// Names of places are written together abroad: `Vietnam`, `Hanoi`, `Danang`.
fn separated(word: &str) -> String {
    let syllables = vietnamese::syllables(word);
    match syllables.as_slice() {
        [one] => vietnamese::separate(&one.canonical).unwrap_or_else(|| word.to_owned()),
        _ => word.to_owned(),
    }
}

fn spelled(node: &Node) -> String {
    let words: Vec<String> = node
        .word_syllables()
        .into_iter()
        .map(|s| s.canonical)
        .collect();
    words.join(" ")
}

struct Asked<'a> {
    searcher: &'a Searcher,
    fields: &'a Fields,
    request: &'a Request,
}

impl Asked<'_> {
    fn answer(&self, node: &Node, words: Box<dyn Query>, reading: Reading) -> Result<Response> {
        let request = self.request;
        let sort = match request.sort {
            Sort::Bestmatch if node.is_everything() => Sort::Newest,
            sort => sort,
        };
        let narrowing = self.narrowing();
        let mut clauses = self.base(node, words.box_clone());
        clauses.extend(
            narrowing
                .iter()
                .map(|(_, query)| (Occur::Must, query.box_clone())),
        );
        let query = BooleanQuery::new(clauses);

        // Facets without a choice are counted with the hits; each chosen one again without itself.
        let is_chosen = |facet: &Facet| narrowing.iter().any(|(f, _)| f == facet);
        let (again, together): (Vec<Facet>, Vec<Facet>) =
            request.facets.iter().copied().partition(is_chosen);
        let (counts, found) = self.top(&query, together.clone(), sort)?;
        let mut facets = BTreeMap::new();
        let mut show = |facet: Facet, counts: &Counts| {
            let chosen = request.chosen.get(&facet).map_or(&[][..], Vec::as_slice);
            facets.insert(facet, counts.buckets(facet, chosen, request.facet_size));
        };
        for facet in together {
            show(facet, &counts);
        }
        for facet in again {
            show(facet, &self.count(node, words.box_clone(), &[facet])?);
        }
        Ok(Response {
            total: counts.matches,
            hits: self.hits(found, node, reading)?,
            facets,
            reading,
            read_as: None,
            sort,
        })
    }

    /// Counts under every choice but those of the given facets; with none given, under no choice.
    fn count(&self, node: &Node, words: Box<dyn Query>, facets: &[Facet]) -> Result<Counts> {
        let mut clauses = self.base(node, words);
        if !facets.is_empty() {
            let others = self
                .narrowing()
                .into_iter()
                .filter(|(f, _)| !facets.contains(f));
            clauses.extend(others.map(|(_, query)| (Occur::Must, query)));
        }
        let counter = FacetCounter {
            facets: facets.to_vec(),
            always: self.request.chosen.clone(),
        };
        Ok(self
            .searcher
            .search(&BooleanQuery::new(clauses), &counter)?)
    }

    fn is_narrowed(&self) -> bool {
        !self.narrowing().is_empty()
    }

    /// The words and what holds for every count: version, readers, scope.
    fn base(&self, node: &Node, words: Box<dyn Query>) -> Vec<(Occur, Box<dyn Query>)> {
        let (f, request) = (self.fields, self.request);
        let mut clauses = vec![(Occur::Must, words)];
        let mut must = |query| clauses.push((Occur::Must, unscored(query)));
        if !request.all_versions && request.scope.parent_id.is_none() {
            let latest = Term::from_field_bool(f.latest, true);
            // Who types the identifier of an old version means that version.
            let named = named_ids(node)
                .into_iter()
                .map(|id| Term::from_field_text(f.own_id, &id));
            must(Box::new(any_of(std::iter::once(latest).chain(named))));
        }
        if !request.all_readers {
            let keys = request.reader_keys.iter().map(String::as_str);
            let keys = keys
                .chain([PUBLIC])
                .map(|key| Term::from_field_text(f.reader, key));
            must(Box::new(any_of(keys)));
        }
        let scope = [
            (f.facet(Facet::Community), &request.scope.community),
            (f.owner, &request.scope.owner),
            (f.parent_id, &request.scope.parent_id),
        ];
        for (field, value) in scope {
            if let Some(value) = value {
                must(term(field, value));
            }
        }
        clauses
    }

    fn narrowing(&self) -> Vec<(Facet, Box<dyn Query>)> {
        let mut narrowing: Vec<(Facet, Box<dyn Query>)> = Vec::new();
        for (&facet, values) in &self.request.chosen {
            if values.is_empty() {
                continue;
            }
            let field = self.fields.facet(facet);
            let terms = values.iter().filter_map(|value| match facet {
                Facet::Year => Some(Term::from_field_u64(field, value.parse().ok()?)),
                _ => Some(Term::from_field_text(field, &vietnamese::composed(value))),
            });
            narrowing.push((facet, unscored(Box::new(any_of(terms)))));
        }
        let YearRange { from, to } = self.request.years;
        if from.is_some() || to.is_some() {
            let field = self.fields.facet(Facet::Year);
            let years = between(from, to, |n| {
                Term::from_field_u64(field, n.max(0).unsigned_abs())
            });
            narrowing.push((Facet::Year, years));
        }
        narrowing
    }

    fn top(
        &self,
        query: &dyn Query,
        facets: Vec<Facet>,
        sort: Sort,
    ) -> Result<(Counts, Vec<Found>)> {
        let counter = FacetCounter {
            facets,
            always: self.request.chosen.clone(),
        };
        let request = self.request;
        if request.size == 0 {
            return Ok((self.searcher.search(query, &counter)?, Vec::new()));
        }
        let page =
            TopDocs::with_limit(request.size).and_offset((request.page.max(1) - 1) * request.size);
        match sort {
            Sort::Bestmatch => {
                let (counts, found) = self
                    .searcher
                    .search(query, &(counter, page.order_by_score()))?;
                let found = found
                    .into_iter()
                    .map(|(score, at)| (Some(score), at))
                    .collect();
                Ok((counts, found))
            }
            Sort::Newest => self.ordered(
                query,
                counter,
                page.order_by_fast_field::<i64>("published", Order::Desc),
            ),
            Sort::Oldest => self.ordered(
                query,
                counter,
                page.order_by_fast_field::<i64>("published", Order::Asc),
            ),
            Sort::UpdatedDesc => self.ordered(
                query,
                counter,
                page.order_by_fast_field::<i64>("updated", Order::Desc),
            ),
            Sort::UpdatedAsc => self.ordered(
                query,
                counter,
                page.order_by_fast_field::<i64>("updated", Order::Asc),
            ),
            Sort::Title => self.ordered(
                query,
                counter,
                page.order_by_string_fast_field("title_sort", Order::Asc),
            ),
            Sort::Version => self.ordered(
                query,
                counter,
                page.order_by_fast_field::<u64>("version", Order::Desc),
            ),
            Sort::Mostviewed => self.ordered(
                query,
                counter,
                page.order_by_fast_field::<u64>("views", Order::Desc),
            ),
            Sort::Mostdownloaded => self.ordered(
                query,
                counter,
                page.order_by_fast_field::<u64>("downloads", Order::Desc),
            ),
        }
    }

    fn ordered<K: Send + 'static>(
        &self,
        query: &dyn Query,
        counter: FacetCounter,
        order: impl Collector<Fruit = Vec<(K, DocAddress)>>,
    ) -> Result<(Counts, Vec<Found>)> {
        let (counts, found) = self.searcher.search(query, &(counter, order))?;
        Ok((
            counts,
            found.into_iter().map(|(_, at)| (None, at)).collect(),
        ))
    }

    fn hits(&self, found: Vec<Found>, node: &Node, reading: Reading) -> Result<Vec<Hit>> {
        let in_titles = Marker::new(node, reading, Target::Title);
        let in_descriptions = Marker::new(node, reading, Target::Description);
        let mut hits = Vec::with_capacity(found.len());
        for (score, at) in found {
            let doc: TantivyDocument = self.searcher.doc(at)?;
            let text = |field| {
                doc.get_first(field)
                    .and_then(|v| v.as_value().as_str())
                    .unwrap_or_default()
            };
            let mut hit = Hit {
                id: text(self.fields.id).to_owned(),
                parent_id: text(self.fields.parent_id).to_owned(),
                score,
                ..Hit::default()
            };
            if self.request.highlight {
                let kept: Kept = serde_json::from_str(text(self.fields.kept))
                    .map_err(|error| Error::Corrupt(error.to_string()))?;
                hit.titles = kept.titles.iter().map(|t| in_titles.whole(t)).collect();
                let snippets = kept
                    .descriptions
                    .iter()
                    .map(|d| in_descriptions.best(d, SNIPPET));
                // The first among those with most hits: the caller puts its main language first.
                hit.description = snippets.reduce(|best, next| {
                    if next.hits.len() > best.hits.len() {
                        next
                    } else {
                        best
                    }
                });
            }
            hits.push(hit);
        }
        Ok(hits)
    }
}

type Found = (Option<Score>, DocAddress);

fn any_of(terms: impl IntoIterator<Item = Term>) -> TermSetQuery {
    TermSetQuery::new(terms)
}

/// Identifiers that the query asks for, in plain form.
fn named_ids(node: &Node) -> Vec<String> {
    let mut ids = Vec::new();
    node.walk(true, &mut |leaf, wanted| {
        if let (
            true,
            Target::Anywhere | Target::Identifier,
            Kind::Word(text) | Kind::Phrase(text),
        ) = (wanted, leaf.target, &leaf.kind)
        {
            let id = identifier::plain(text);
            if identifier::is_likely(&id) {
                ids.push(id);
            }
        }
    });
    ids
}
