//! Tree → tantivy query, for one [`Reading`] of the words.
//!
//! Which records match is decided by one look-up a word; how they rank is decided by optional
//! clauses beside it: the exact spelling, the word in the title, and pairs of neighbouring
//! syllables, which lift records where the words stand together.

use std::ops::Bound;

use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, EmptyQuery, ExistsQuery,
    InvertedIndexRangeQuery, Occur, PhraseQuery, Query, RangeQuery, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

use super::{Kind, Leaf, Node, Reading, Target};
use crate::facets::Facet;
use crate::identifier;
use crate::schema::{Fields, Pair};
use crate::vietnamese::{self, Syllable};

type Clause = (Occur, Box<dyn Query>);

/// Weights of the ranking clauses. Against the reference evaluation the pairs weigh more, because
/// here a title counts four times: two syllables apart in a title must not beat the word itself.
struct Weights {
    exact: f32,
    folded: f32,
    exact_pairs: f32,
    folded_pairs: f32,
    exact_title: f32,
    folded_title: f32,
}

const ACCENTED: Weights = Weights {
    exact: 1.0,
    folded: 1.0,
    exact_pairs: 1.5,
    folded_pairs: 0.5,
    exact_title: 0.4,
    folded_title: 0.2,
};
/// Without accents the exact field says little: `lua` is no more `lua` than `lúa`.
const PLAIN: Weights = Weights {
    exact: 0.2,
    folded: 1.0,
    exact_pairs: 0.2,
    folded_pairs: 1.5,
    exact_title: 0.1,
    folded_title: 0.4,
};
/// The same word in a text that was written without accents.
const BARE: f32 = 0.5;
/// Above any sum of word scores: who types an identifier wants that record.
const IDENTIFIER: f32 = 1_000.0;

/// Compiles the whole tree.
pub(crate) fn compile(node: &Node, fields: &Fields, reading: Reading) -> Box<dyn Query> {
    let mut accented = false;
    node.walk(true, &mut |leaf, _| {
        if let (true, Kind::Word(text) | Kind::Phrase(text)) = (leaf.target.is_text(), &leaf.kind) {
            accented |= vietnamese::syllables(text)
                .iter()
                .any(Syllable::is_accented);
        }
    });
    let compiler = Compiler {
        fields,
        reading,
        weights: if accented { &ACCENTED } else { &PLAIN },
    };
    compiler.node(node)
}

struct Compiler<'a> {
    fields: &'a Fields,
    reading: Reading,
    weights: &'static Weights,
}

impl Compiler<'_> {
    fn node(&self, node: &Node) -> Box<dyn Query> {
        match node {
            Node::All(nodes) => self.group(nodes, self.reading == Reading::AnyWord),
            Node::And(nodes) => self.group(nodes, false),
            Node::Or(nodes) => union(nodes.iter().map(|node| self.node(node)).collect()),
            Node::Not(_) | Node::Leaf(_) => self.group(std::slice::from_ref(node), false),
            Node::Must(node) => self.node(node),
        }
    }

    fn group(&self, nodes: &[Node], relaxed: bool) -> Box<dyn Query> {
        let mut clauses: Vec<Clause> = Vec::new();
        let mut alternatives = Vec::new();
        let mut has_required = false;
        for node in nodes {
            match node {
                Node::Not(node) => clauses.push((Occur::MustNot, self.node(node))),
                Node::Leaf(leaf) if relaxed && leaf.target.is_text() => {
                    alternatives.push(self.leaf(leaf));
                }
                Node::Leaf(leaf) => clauses.push((Occur::Must, self.leaf(leaf))),
                Node::Must(node) => {
                    has_required = true;
                    clauses.push((Occur::Must, self.node(node)));
                }
                node => clauses.push((Occur::Must, self.node(node))),
            }
        }
        if !alternatives.is_empty() {
            // Beside a `+word` the others only rank.
            let occur = if has_required {
                Occur::Should
            } else {
                Occur::Must
            };
            clauses.push((occur, union(alternatives)));
        }
        if clauses.iter().all(|(occur, _)| *occur == Occur::MustNot) {
            clauses.push((Occur::Must, unscored(Box::new(AllQuery))));
        }
        self.rank(nodes, &mut clauses);
        if let [(Occur::Must, _)] = clauses.as_slice()
            && let Some((_, only)) = clauses.pop()
        {
            return only;
        }
        Box::new(BooleanQuery::new(clauses))
    }

    /// The optional clauses for the words typed side by side.
    fn rank(&self, nodes: &[Node], clauses: &mut Vec<Clause>) {
        let mut run = Vec::new();
        for node in nodes {
            if let Node::Leaf(Leaf {
                target: Target::Anywhere,
                kind: Kind::Word(text),
            }) = node
            {
                run.extend(vietnamese::syllables(text));
            } else {
                self.rank_run(&std::mem::take(&mut run), clauses);
            }
        }
        self.rank_run(&run, clauses);
    }

    fn rank_run(&self, run: &[Syllable], clauses: &mut Vec<Clause>) {
        let w = self.weights;
        let mut lift = |field: Field, text: &str, weight: f32| {
            clauses.push((Occur::Should, boosted(term(field, text), weight)));
        };
        // One syllable in a title says the less, the more there are: then the pairs speak.
        let share = 1.0 / run.len().max(1) as f32;
        for syllable in run {
            lift(
                self.fields.title.exact,
                &syllable.canonical,
                w.exact_title * share,
            );
            lift(
                self.fields.title.folded,
                &syllable.folded,
                w.folded_title * share,
            );
        }
        for pair in vietnamese::pairs(run.iter().map(|s| s.canonical.as_str())) {
            lift(self.fields.any_pairs.exact, &pair, w.exact_pairs);
        }
        for pair in vietnamese::pairs(run.iter().map(|s| s.folded.as_str())) {
            lift(self.fields.any_pairs.folded, &pair, w.folded_pairs);
        }
    }

    fn leaf(&self, leaf: &Leaf) -> Box<dyn Query> {
        match (leaf.target, &leaf.kind) {
            (Target::Anywhere, Kind::Present) => unscored(Box::new(AllQuery)),
            (target, Kind::Present) => self.present(target),
            (target, Kind::Range(low, high)) => self.range(target, *low, *high),
            (Target::Identifier, Kind::Word(text) | Kind::Phrase(text) | Kind::Prefix(text)) => {
                self.identified(&identifier::plain(text))
            }
            (Target::Facet(facet), Kind::Word(text) | Kind::Phrase(text)) => {
                self.facet_value(facet, text)
            }
            (Target::Facet(facet), Kind::Prefix(text)) => {
                starting_with(self.fields.facet(facet), &vietnamese::composed(text))
            }
            (target, Kind::Word(text)) => self.or_identified(target, text, self.word(target, text)),
            (target, Kind::Phrase(text)) => {
                self.or_identified(target, text, self.phrase(target, text))
            }
            (target, Kind::Prefix(text)) => self.prefix(target, text),
        }
    }

    fn word(&self, target: Target, text: &str) -> Box<dyn Query> {
        let pair = self.pair(target);
        let syllables = vietnamese::syllables(text);
        // `PM2.5`, `COVID-19`, a DOI: scattered numbers would match anything.
        let is_code = text.bytes().any(|b| b.is_ascii_digit());
        if syllables.len() > 1 && is_code {
            return phrase(pair.folded, syllables.iter().map(|s| s.folded.as_str()));
        }
        let each = syllables.iter().map(|s| self.syllable(pair, s)).collect();
        if self.reading == Reading::AnyWord {
            union(each)
        } else {
            intersection(each)
        }
    }

    /// Who typed accents means that word, or the same word in a text without accents, but not the
    /// same letters with other accents. Who typed none means any of them.
    fn syllable(&self, pair: Pair, syllable: &Syllable) -> Box<dyn Query> {
        let w = self.weights;
        let exact = boosted(term(pair.exact, &syllable.canonical), w.exact);
        if self.is_strict(syllable) {
            let bare = boosted(term(pair.exact, &syllable.bare), BARE);
            return union(vec![exact, bare]);
        }
        let folded = boosted(term(pair.folded, &syllable.folded), w.folded);
        union(vec![folded, exact])
    }

    fn phrase(&self, target: Target, text: &str) -> Box<dyn Query> {
        let pair = self.pair(target);
        let syllables = vietnamese::syllables(text);
        if let [one] = syllables.as_slice() {
            return self.syllable(pair, one);
        }
        let exact = phrase(pair.exact, syllables.iter().map(|s| s.canonical.as_str()));
        if syllables.iter().any(|s| self.is_strict(s)) {
            let bare = phrase(pair.exact, syllables.iter().map(|s| s.bare.as_str()));
            return union(vec![exact, boosted(bare, BARE)]);
        }
        let folded = phrase(pair.folded, syllables.iter().map(|s| s.folded.as_str()));
        union(vec![folded, boosted(exact, self.weights.exact)])
    }

    fn prefix(&self, target: Target, text: &str) -> Box<dyn Query> {
        let pair = self.pair(target);
        let mut syllables = vietnamese::syllables(text);
        let Some(last) = syllables.pop() else {
            return Box::new(EmptyQuery);
        };
        let mut each: Vec<_> = syllables.iter().map(|s| self.syllable(pair, s)).collect();
        // The exact field knows the plurals that the folded one has dropped.
        each.push(if self.is_strict(&last) {
            starting_with(pair.exact, &last.canonical)
        } else {
            union(vec![
                starting_with(pair.folded, &last.bare),
                starting_with(pair.exact, &last.bare),
            ])
        });
        intersection(each)
    }

    fn is_strict(&self, syllable: &Syllable) -> bool {
        matches!(self.reading, Reading::AsTyped | Reading::Keystrokes) && syllable.is_accented()
    }

    fn or_identified(&self, target: Target, text: &str, words: Box<dyn Query>) -> Box<dyn Query> {
        let id = identifier::plain(text);
        if target != Target::Anywhere || !identifier::is_likely(&id) {
            return words;
        }
        union(vec![words, self.identified(&id)])
    }

    fn identified(&self, id: &str) -> Box<dyn Query> {
        let found = term(self.fields.any_id, id);
        Box::new(ConstScoreQuery::new(found, IDENTIFIER))
    }

    fn facet_value(&self, facet: Facet, text: &str) -> Box<dyn Query> {
        let field = self.fields.facet(facet);
        let text = vietnamese::composed(text);
        let lower = text.to_lowercase();
        let mut values = vec![unscored(term(field, &text))];
        if lower != text {
            values.push(unscored(term(field, &lower)));
        }
        union(values)
    }

    fn present(&self, target: Target) -> Box<dyn Query> {
        let fast =
            |name: &str| -> Box<dyn Query> { Box::new(ExistsQuery::new(name.to_owned(), false)) };
        match target {
            Target::Facet(facet) => fast(facet.name()),
            Target::PublicationDate => fast("date_first"),
            Target::Identifier => starting_with(self.fields.any_id, ""),
            target if target.is_text() => starting_with(self.pair(target).folded, ""),
            _ => unscored(Box::new(AllQuery)),
        }
    }

    fn range(&self, target: Target, low: Option<i64>, high: Option<i64>) -> Box<dyn Query> {
        let f = self.fields;
        let signed = |field, low, high| between(low, high, |n| Term::from_field_i64(field, n));
        let unsigned = |field| {
            between(low, high, |n| {
                Term::from_field_u64(field, n.max(0).unsigned_abs())
            })
        };
        match target {
            // A record dated by an interval is found when the intervals meet.
            Target::PublicationDate => intersection(vec![
                signed(f.date_last, low, None),
                signed(f.date_first, None, high),
            ]),
            Target::Created => signed(f.created, low, high),
            Target::Updated => signed(f.updated, low, high),
            Target::Published => signed(f.published, low, high),
            Target::Version => unsigned(f.version),
            Target::Size => unsigned(f.size),
            Target::Facet(Facet::Year) => unsigned(f.facet(Facet::Year)),
            _ => Box::new(EmptyQuery),
        }
    }

    fn pair(&self, target: Target) -> Pair {
        let f = self.fields;
        match target {
            Target::Title => f.title,
            Target::Creator => f.creator,
            Target::Subject => f.subject,
            Target::Description => f.description,
            Target::Publisher => f.publisher,
            Target::FileName => f.file_name,
            _ => f.any,
        }
    }
}

pub(crate) fn term(field: Field, text: &str) -> Box<dyn Query> {
    let term = Term::from_field_text(field, text);
    Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs))
}

pub(crate) fn unscored(query: Box<dyn Query>) -> Box<dyn Query> {
    Box::new(ConstScoreQuery::new(query, 0.0))
}

/// An unscored range over a fast field; open on both sides it asks for everything.
pub(crate) fn between(
    low: Option<i64>,
    high: Option<i64>,
    term: impl Fn(i64) -> Term,
) -> Box<dyn Query> {
    if low.is_none() && high.is_none() {
        return unscored(Box::new(AllQuery));
    }
    let bound = |n: Option<i64>| n.map_or(Bound::Unbounded, |n| Bound::Included(term(n)));
    unscored(Box::new(RangeQuery::new(bound(low), bound(high))))
}

fn boosted(query: Box<dyn Query>, weight: f32) -> Box<dyn Query> {
    Box::new(BoostQuery::new(query, weight))
}

fn phrase<'a>(field: Field, terms: impl Iterator<Item = &'a str>) -> Box<dyn Query> {
    let terms = terms
        .map(|text| Term::from_field_text(field, text))
        .collect();
    Box::new(PhraseQuery::new(terms))
}

/// All terms with a prefix, unscored; the empty prefix asks for any term.
fn starting_with(field: Field, prefix: &str) -> Box<dyn Query> {
    let low = Bound::Included(Term::from_field_text(field, prefix));
    // The last character there is sorts behind every continuation of the prefix.
    let high = Bound::Included(Term::from_field_text(field, &format!("{prefix}\u{10FFFF}")));
    unscored(Box::new(InvertedIndexRangeQuery::new(low, high)))
}

fn union(mut queries: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    match queries.len() {
        0 => Box::new(EmptyQuery),
        1 => queries.remove(0),
        _ => Box::new(BooleanQuery::union(queries)),
    }
}

fn intersection(mut queries: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    match queries.len() {
        0 => Box::new(EmptyQuery),
        1 => queries.remove(0),
        _ => Box::new(BooleanQuery::intersection(queries)),
    }
}
