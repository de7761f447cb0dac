//! One record, two languages: which title and description to show to whom.
//!
//! `title` and `description` are in the record's first language; translations are additional titles
//! and descriptions with a language of their own.

use super::{html, model::Metadata, vocabulary};
use crate::text::Locale;

/// A text and the ISO 639-3 code of its language, when it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said<'a> {
    pub text: &'a str,
    pub lang: Option<&'a str>,
}

impl Said<'_> {
    /// The tag for `lang` attributes: `vi`, `en`, `bdq`.
    pub fn bcp47(&self) -> Option<&str> {
        self.lang.map(vocabulary::bcp47)
    }
}

/// Letters with marks that Vietnamese alone combines; two of them in a text settle it.
fn looks_vietnamese(s: &str) -> bool {
    s.chars()
        .flat_map(char::to_lowercase)
        .filter(|c| matches!(c, 'đ' | 'ă' | 'ơ' | 'ư' | '\u{1ea1}'..='\u{1ef9}'))
        .take(2)
        .count()
        == 2
}

impl Metadata {
    /// The language of `title` and `description`, ISO 639-3: the first of `languages` into which the title
    /// was not translated (`languages` are those of the data, and English words may describe Vietnamese
    /// data); else told from the title, when that is plainly Vietnamese, or plain beside a translation.
    pub fn main_language(&self) -> Option<&str> {
        let translated = |id: &str| {
            self.additional_titles.iter().any(|t| {
                t.kind.as_ref().is_some_and(|k| k.id == "translated-title")
                    && t.lang.as_ref().is_some_and(|l| l.id == id)
            })
        };
        if let Some(first) = self.languages.iter().find(|l| !translated(&l.id)) {
            return Some(&first.id);
        }
        let title = self.title.as_deref()?;
        let (vietnamese, english) = (Locale::Vi.iso639_3(), Locale::En.iso639_3());
        if looks_vietnamese(title) {
            Some(vietnamese)
        } else if translated(vietnamese) && !translated(english) && title.is_ascii() {
            Some(english)
        } else {
            None
        }
    }

    /// The title and its translations, the main one first. Subtitles and the like are not among them.
    pub fn titles(&self) -> Vec<Said<'_>> {
        let main = self.title.as_deref().map(|text| Said {
            text,
            lang: self.main_language(),
        });
        let translated = self
            .additional_titles
            .iter()
            .filter(|t| t.kind.as_ref().is_some_and(|k| k.id == "translated-title"))
            .map(|t| Said {
                text: &t.title,
                lang: t.lang.as_ref().map(|l| l.id.as_str()),
            });
        main.into_iter().chain(translated).collect()
    }

    /// The description (HTML) and its translations, the main one first: additional descriptions that are
    /// an abstract, or of type other, in another language.
    pub fn descriptions(&self) -> Vec<Said<'_>> {
        let main = self.description.as_deref().map(|text| Said {
            text,
            lang: self.main_language(),
        });
        let mut said: Vec<Said<'_>> = main.into_iter().collect();
        for d in &self.additional_descriptions {
            let translation = d
                .kind
                .as_ref()
                .is_none_or(|k| matches!(k.id.as_str(), "abstract" | "other"));
            let lang = d.lang.as_ref().map(|l| l.id.as_str());
            if translation && lang.is_some() && said.iter().all(|s| s.lang != lang) {
                said.push(Said {
                    text: &d.description,
                    lang,
                });
            }
        }
        said
    }

    /// The title in this language, if there is one.
    pub fn title_in(&self, locale: Locale) -> Option<&str> {
        said_in(&self.titles(), locale)
    }
    /// The description (HTML) in this language, if there is one.
    pub fn description_in(&self, locale: Locale) -> Option<&str> {
        said_in(&self.descriptions(), locale)
    }
    /// The title for a reader of this language: theirs, else the main one.
    pub fn title_for(&self, locale: Locale) -> Option<Said<'_>> {
        said_for(self.titles(), locale)
    }
    /// The description (HTML) for a reader of this language: theirs, else the main one.
    pub fn description_for(&self, locale: Locale) -> Option<Said<'_>> {
        said_for(self.descriptions(), locale)
    }
    /// The description as plain text, in this language or else the main one.
    pub fn summary(&self, locale: Locale) -> Option<String> {
        self.description_for(locale)
            .map(|said| html::plain_text(said.text))
    }
}

fn said_in<'a>(said: &[Said<'a>], locale: Locale) -> Option<&'a str> {
    said.iter()
        .find(|s| s.lang == Some(locale.iso639_3()))
        .map(|s| s.text)
}

fn said_for(said: Vec<Said<'_>>, locale: Locale) -> Option<Said<'_>> {
    let theirs = said.iter().position(|s| s.lang == Some(locale.iso639_3()));
    said.into_iter().nth(theirs.unwrap_or(0))
}
