//! Descriptions in the order in which a reader wants them: their own language first, what is said again in
//! another language folded away, what exists in one language only shown in that one.

use super::view::{Description, Translation};
use crate::{
    metadata::{
        Metadata,
        vocabulary::{self, Vocabulary, label},
    },
    text::Locale,
};

/// A description and what decides where it stands.
struct Piece<'a> {
    /// Empty for the abstract.
    kind: &'a str,
    /// ISO 639-3.
    lang: Option<&'a str>,
    html: &'a str,
}

/// What is shown, and what is folded away under the name of its language.
pub(super) fn descriptions(
    metadata: &Metadata,
    locale: Locale,
) -> (Vec<Description>, Vec<Translation>) {
    let pieces = pieces(metadata);
    let mut kinds: Vec<&str> = Vec::new();
    for piece in &pieces {
        if !kinds.contains(&piece.kind) {
            kinds.push(piece.kind);
        }
    }
    let mut shown = Vec::new();
    let mut folded: Vec<(&str, Vec<Description>)> = Vec::new();
    for kind in kinds {
        let of_kind = || pieces.iter().filter(|p| p.kind == kind);
        let own = Some(locale.iso639_3());
        let first = of_kind().next().and_then(|p| p.lang);
        let chosen = if of_kind().any(|p| p.lang == own) {
            own
        } else {
            first
        };
        for piece in of_kind() {
            match piece.lang {
                Some(lang) if piece.lang != chosen => {
                    let said = said(piece, locale);
                    match folded.iter_mut().find(|(l, _)| *l == lang) {
                        Some((_, list)) => list.push(said),
                        None => folded.push((lang, vec![said])),
                    }
                }
                // Without a language it may be in any: it is not hidden.
                _ => shown.push(said(piece, locale)),
            }
        }
    }
    let translations = folded
        .into_iter()
        .map(|(lang, descriptions)| Translation {
            language: label(Vocabulary::Languages, lang, locale).to_owned(),
            descriptions,
        })
        .collect();
    (shown, translations)
}

fn pieces(metadata: &Metadata) -> Vec<Piece<'_>> {
    let abstracts = metadata.descriptions();
    let further = metadata
        .additional_descriptions
        .iter()
        .filter(|d| abstracts.iter().all(|a| a.text != d.description))
        .map(|d| Piece {
            kind: d.kind.as_ref().map_or("other", |k| k.id.as_str()),
            lang: d.lang.as_ref().map(|l| l.id.as_str()),
            html: &d.description,
        });
    abstracts
        .iter()
        .map(|a| Piece {
            kind: "",
            lang: a.lang,
            html: a.text,
        })
        .chain(further)
        .collect()
}

fn said(piece: &Piece<'_>, locale: Locale) -> Description {
    Description {
        heading: (!piece.kind.is_empty())
            .then(|| label(Vocabulary::DescriptionTypes, piece.kind, locale).to_owned()),
        lang: piece.lang.map_or("und", vocabulary::bcp47).to_owned(),
        html: piece.html.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::metadata::read;

    #[test]
    fn the_readers_language_is_shown_and_the_other_folded() {
        let methods = |text: &str, lang: &str| json!({"description": text, "type": {"id": "methods"}, "lang": {"id": lang}});
        let (metadata, _) = read(&json!({
        "title": "Độ mặn", "languages": [{"id": "vie"}], "description": "Tóm tắt.",
        "additional_descriptions": [
            {"description": "Abstract.", "type": {"id": "abstract"}, "lang": {"id": "eng"}},
            methods("Cách đo.", "vie"),
            methods("How it was measured.", "eng"),
            {"description": "Only English.", "type": {"id": "technical-info"}, "lang": {"id": "eng"}},
        ]}));
        let texts = |list: &[Description]| {
            list.iter()
                .map(|d| d.html.clone())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let (shown, folded) = descriptions(&metadata, Locale::En);
        assert_eq!(
            texts(&shown),
            "Abstract. How it was measured. Only English."
        );
        assert_eq!(folded.len(), 1);
        assert_eq!(folded[0].language, "Vietnamese");
        assert_eq!(texts(&folded[0].descriptions), "Tóm tắt. Cách đo.");
        let (shown, folded) = descriptions(&metadata, Locale::Vi);
        assert_eq!(texts(&shown), "Tóm tắt. Cách đo. Only English.");
        assert_eq!(shown[0].heading, None);
        assert_eq!(
            texts(&folded[0].descriptions),
            "Abstract. How it was measured."
        );
    }
}
