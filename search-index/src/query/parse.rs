//! Pieces → tree. `OR` binds loosest, then `AND`, then words side by side.

use super::fields::{self, Target};
use super::lex::{self, Piece};
use super::{DEEPEST, Kind, LONGEST_QUERY, Leaf, MOST_CLAUSES, Node, SHORTEST_PREFIX};
use crate::error::QueryError;
use crate::{dates, vietnamese};

/// Reads a query. The empty query, and one of punctuation only, asks for everything.
pub fn parse(query: &str) -> Result<Node, QueryError> {
    if query.chars().nth(LONGEST_QUERY).is_some() {
        return Err(QueryError::TooLong { max: LONGEST_QUERY });
    }
    let mut parser = Parser {
        pieces: lex::pieces(query),
        at: 0,
        depth: 0,
        clauses: 0,
    };
    let mut nodes = Vec::new();
    while parser.at < parser.pieces.len() {
        nodes.extend(parser.alternatives(Target::Anywhere)?);
        // A closing bracket that closes nothing is text without letters: passed over.
        if parser.peek() == Some(&Piece::Close) {
            parser.at += 1;
        }
    }
    Ok(joined(nodes, Node::All).unwrap_or_else(Node::everything))
}

struct Parser {
    pieces: Vec<Piece>,
    at: usize,
    depth: usize,
    clauses: usize,
}

impl Parser {
    fn alternatives(&mut self, target: Target) -> Result<Option<Node>, QueryError> {
        let mut nodes = Vec::new();
        loop {
            nodes.extend(self.conjunction(target)?);
            if self.peek() != Some(&Piece::Or) {
                return Ok(joined(nodes, Node::Or));
            }
            self.at += 1;
        }
    }

    fn conjunction(&mut self, target: Target) -> Result<Option<Node>, QueryError> {
        let mut nodes = Vec::new();
        loop {
            nodes.extend(self.sequence(target)?);
            if self.peek() != Some(&Piece::And) {
                return Ok(joined(nodes, Node::And));
            }
            self.at += 1;
        }
    }

    fn sequence(&mut self, target: Target) -> Result<Option<Node>, QueryError> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.peek() {
            if matches!(piece, Piece::Close | Piece::And | Piece::Or) {
                break;
            }
            nodes.extend(self.condition(target)?);
        }
        Ok(joined(nodes, Node::All))
    }

    /// One condition with its signs. Signs before nothing are passed over.
    fn condition(&mut self, target: Target) -> Result<Option<Node>, QueryError> {
        let mut negated = false;
        let mut required = false;
        while let Some(sign @ (Piece::Not | Piece::Plus)) = self.peek() {
            if *sign == Piece::Not {
                negated = !negated;
            } else {
                required = true;
            }
            self.at += 1;
        }
        let Some(node) = self.primary(target)? else {
            return Ok(None);
        };
        Ok(Some(match (negated, required) {
            (true, _) => Node::Not(Box::new(node)),
            (false, true) => Node::Must(Box::new(node)),
            (false, false) => node,
        }))
    }

    fn primary(&mut self, target: Target) -> Result<Option<Node>, QueryError> {
        let Some(piece) = self.peek().cloned() else {
            return Ok(None);
        };
        if matches!(piece, Piece::Close | Piece::And | Piece::Or) {
            return Ok(None);
        }
        self.at += 1;
        match piece {
            Piece::Open => self.bracket(target),
            Piece::Name(name) => self.named(&name, target),
            Piece::Phrase(text) => self.leaf(target, phrase_kind(target, text)?),
            Piece::Range(low, with_low, high, with_high) => {
                let kind = range_kind(target, (&low, with_low), (&high, with_high))?;
                self.leaf(target, kind)
            }
            Piece::Word { text, literal } => {
                let kind = word_kind(target, text, literal)?;
                self.leaf(target, kind)
            }
            _ => Ok(None),
        }
    }

    fn bracket(&mut self, target: Target) -> Result<Option<Node>, QueryError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(QueryError::TooDeep { max: DEEPEST });
        }
        let inner = self.alternatives(target)?;
        if self.peek() == Some(&Piece::Close) {
            self.at += 1;
        }
        self.depth -= 1;
        Ok(inner)
    }

    fn named(&mut self, name: &str, outer: Target) -> Result<Option<Node>, QueryError> {
        if name == "_exists_" {
            return self.exists();
        }
        let Some(target) = fields::named(name)? else {
            return self.unnamed(name, outer);
        };
        match self.peek() {
            Some(Piece::Not | Piece::Plus | Piece::And | Piece::Or | Piece::Close) | None => {
                Ok(None)
            }
            Some(_) => self.primary(target),
        }
    }

    /// `arXiv:2101.00001`, `Ghichu:abc`: the name is text like what follows it.
    fn unnamed(&mut self, name: &str, outer: Target) -> Result<Option<Node>, QueryError> {
        if let Some(Piece::Word { text, literal }) = self.peek().cloned() {
            self.at += 1;
            let kind = word_kind(outer, format!("{name}:{text}"), literal)?;
            return self.leaf(outer, kind);
        }
        let kind = word_kind(outer, name.to_owned(), true)?;
        let word = self.leaf(outer, kind)?;
        let value = self.primary(outer)?;
        Ok(joined(word.into_iter().chain(value).collect(), Node::All))
    }

    fn exists(&mut self) -> Result<Option<Node>, QueryError> {
        let Some(Piece::Word { text, .. }) = self.peek().cloned() else {
            return Ok(None);
        };
        self.at += 1;
        match fields::named(&text)? {
            Some(target) => self.leaf(target, Kind::Present),
            None => Err(QueryError::UnknownField(text)),
        }
    }

    /// Counts what the condition will cost before accepting it.
    fn leaf(&mut self, target: Target, kind: Kind) -> Result<Option<Node>, QueryError> {
        let cost = match &kind {
            Kind::Word(text) | Kind::Phrase(text) if target.is_text() => {
                let syllables = vietnamese::syllables(text).len();
                if syllables == 0 {
                    return Ok(None);
                }
                syllables
            }
            Kind::Word(text) | Kind::Phrase(text) if text.trim().is_empty() => return Ok(None),
            _ => 1,
        };
        self.clauses += cost;
        if self.clauses > MOST_CLAUSES {
            return Err(QueryError::TooManyClauses { max: MOST_CLAUSES });
        }
        Ok(Some(Node::Leaf(Leaf { target, kind })))
    }

    fn peek(&self) -> Option<&Piece> {
        self.pieces.get(self.at)
    }
}

/// Nothing, the one, or the many in their wrapper.
fn joined(mut nodes: Vec<Node>, many: fn(Vec<Node>) -> Node) -> Option<Node> {
    if nodes.len() > 1 {
        Some(many(nodes))
    } else {
        nodes.pop()
    }
}

fn phrase_kind(target: Target, text: String) -> Result<Kind, QueryError> {
    if target.is_ordered() {
        return range_kind(target, (&text, true), (&text, true));
    }
    Ok(Kind::Phrase(text))
}

fn word_kind(target: Target, text: String, literal: bool) -> Result<Kind, QueryError> {
    let text = without_boost(&text);
    if text == "*" {
        return Ok(Kind::Present);
    }
    if target.is_ordered() {
        return ordered_word(target, text);
    }
    if literal {
        return Ok(Kind::Word(text.to_owned()));
    }
    if text.starts_with('*') && text.chars().any(char::is_alphanumeric) {
        return Err(QueryError::LeadingWildcard);
    }
    if let Some(stem) = text.strip_suffix('*')
        && !stem.contains('*')
        && stem.chars().any(char::is_alphanumeric)
    {
        if stem.chars().filter(|c| c.is_alphanumeric()).count() < SHORTEST_PREFIX {
            return Err(QueryError::PrefixTooShort {
                min: SHORTEST_PREFIX,
            });
        }
        return Ok(Kind::Prefix(stem.to_owned()));
    }
    Ok(Kind::Word(text.to_owned()))
}

/// `word^2` and `word~1` of other query languages: the word is looked for, the tuning is ours.
fn without_boost(text: &str) -> &str {
    let stem = text.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    match stem.strip_suffix(['^', '~']) {
        Some(word) if !word.is_empty() => word,
        _ => text,
    }
}

fn ordered_word(target: Target, text: &str) -> Result<Kind, QueryError> {
    let open = "*";
    for (sign, included) in [(">=", true), (">", false)] {
        if let Some(bound) = text.strip_prefix(sign) {
            return range_kind(target, (bound, included), (open, true));
        }
    }
    for (sign, included) in [("<=", true), ("<", false)] {
        if let Some(bound) = text.strip_prefix(sign) {
            return range_kind(target, (open, true), (bound, included));
        }
    }
    let value = text.trim_end_matches(['*', '-']);
    range_kind(target, (value, true), (value, true))
}

fn range_kind(
    target: Target,
    (low, with_low): (&str, bool),
    (high, with_high): (&str, bool),
) -> Result<Kind, QueryError> {
    let wrong = || QueryError::BadRange(format!("{low} {high}").trim().to_owned());
    if !target.is_ordered() {
        return Err(wrong());
    }
    let bound = |text: &str| match text {
        "*" => Ok(None),
        text => span(target, text).map(Some).ok_or_else(wrong),
    };
    let low = bound(low)?.map(|(first, last)| {
        if with_low {
            first
        } else {
            last.saturating_add(1)
        }
    });
    let high = bound(high)?.map(|(first, last)| {
        if with_high {
            last
        } else {
            first.saturating_sub(1)
        }
    });
    Ok(Kind::Range(low, high))
}

/// First and last value that a bound covers: `2020` as a date is a whole year.
fn span(target: Target, text: &str) -> Option<(i64, i64)> {
    match target {
        Target::PublicationDate => dates::day_span(text),
        Target::Created | Target::Updated | Target::Published => {
            let (first, last) = dates::day_span(text)?;
            Some((dates::day_start(first), dates::day_start(last) + 86_399))
        }
        _ => text.parse().ok().filter(|n| *n >= 0).map(|n: i64| (n, n)),
    }
}
