//! The pieces of a typed query. Total: every text has pieces, and none is longer than the text.

use std::iter::Peekable;
use std::str::CharIndices;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Open,
    Close,
    And,
    Or,
    Not,
    Plus,
    /// `name:` directly followed by a value.
    Name(String),
    Phrase(String),
    /// A word; `literal` when a backslash took its special meaning from some character.
    Word {
        text: String,
        literal: bool,
    },
    /// `[a TO b}`: the two bounds as typed, and whether each is included.
    Range(String, bool, String, bool),
}

pub(super) fn pieces(query: &str) -> Vec<Piece> {
    let mut lexer = Lexer {
        query,
        chars: query.char_indices().peekable(),
        after_name: false,
    };
    let mut pieces = Vec::new();
    while let Some(piece) = lexer.next_piece() {
        lexer.after_name = matches!(piece, Piece::Name(_));
        pieces.push(piece);
    }
    pieces
}

struct Lexer<'a> {
    query: &'a str,
    chars: Peekable<CharIndices<'a>>,
    after_name: bool,
}

impl Lexer<'_> {
    fn next_piece(&mut self) -> Option<Piece> {
        loop {
            let (at, c) = *self.chars.peek()?;
            let follows = self.query[at + c.len_utf8()..].chars().next();
            let before_word = follows.is_some_and(|f| !f.is_whitespace() && f != c);
            match c {
                _ if c.is_whitespace() => {
                    self.chars.next();
                }
                '(' | ')' => {
                    self.chars.next();
                    return Some(if c == '(' { Piece::Open } else { Piece::Close });
                }
                '-' | '!' | '+' if before_word && !self.after_name => {
                    self.chars.next();
                    return Some(if c == '+' { Piece::Plus } else { Piece::Not });
                }
                '"' | '“' | '”' | '„' => {
                    self.chars.next();
                    if let Some(phrase) = self.quoted(at + c.len_utf8()) {
                        return Some(Piece::Phrase(phrase));
                    }
                }
                '[' | '{' if self.after_name => {
                    if let Some(range) = self.range(at) {
                        return Some(range);
                    }
                    // Not a range after all; the parser reports it, naming what was typed.
                    self.chars.next();
                    return Some(self.unfinished_range(at));
                }
                _ => return Some(self.word()),
            }
        }
    }

    /// The text up to the closing quote, or `None` when there is none: then the quote was text.
    fn quoted(&mut self, from: usize) -> Option<String> {
        let rest = &self.query[from..];
        let mut phrase = String::new();
        let mut escaped = false;
        for (at, c) in rest.char_indices() {
            match c {
                _ if escaped => {
                    phrase.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' | '“' | '”' => {
                    self.skip_to(from + at + c.len_utf8());
                    return Some(phrase);
                }
                _ => phrase.push(c),
            }
        }
        None
    }

    fn range(&mut self, at: usize) -> Option<Piece> {
        let rest = &self.query[at..];
        let end = rest.find([']', '}'])?;
        let (low, high) = rest[1..end].split_once(" TO ")?;
        let unquoted = |bound: &str| bound.trim().trim_matches('"').to_owned();
        let range = Piece::Range(
            unquoted(low),
            rest.starts_with('['),
            unquoted(high),
            rest[end..].starts_with(']'),
        );
        self.skip_to(at + end + 1);
        Some(range)
    }

    fn unfinished_range(&mut self, at: usize) -> Piece {
        let rest = &self.query[at..];
        let end = rest.find([']', '}']).map_or(rest.len(), |end| end + 1);
        self.skip_to(at + end);
        Piece::Range(rest[..end].to_owned(), true, String::new(), true)
    }

    fn word(&mut self) -> Piece {
        let mut text = String::new();
        let mut literal = false;
        while let Some(&(_, c)) = self.chars.peek() {
            if c.is_whitespace() || matches!(c, '(' | ')' | '"' | '“' | '”') {
                break;
            }
            self.chars.next();
            let next = self.chars.peek().map(|(_, c)| *c);
            match c {
                '\\' => {
                    if let Some(c) = next.filter(|c| !c.is_whitespace()) {
                        self.chars.next();
                        text.push(c);
                        literal = true;
                    }
                }
                // `https://` is no field, nor is a colon at the end of a word.
                ':' if !literal
                    && next.is_some_and(|c| !c.is_whitespace() && !matches!(c, ')' | '/'))
                    && is_name(&text) =>
                {
                    return Piece::Name(text);
                }
                _ => text.push(c),
            }
        }
        match text.as_str() {
            "AND" | "&&" if !literal => Piece::And,
            "OR" | "||" if !literal => Piece::Or,
            "NOT" if !literal => Piece::Not,
            _ => Piece::Word { text, literal },
        }
    }

    fn skip_to(&mut self, end: usize) {
        while self.chars.next_if(|(at, _)| *at < end).is_some() {}
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
}
