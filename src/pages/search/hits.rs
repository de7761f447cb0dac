//! Found and newest records as lists show them.

use search_index::{Hit as Found, highlight::Fragment};

use super::view::Hit;
use crate::{
    catalog::Version,
    metadata::{html::plain_text, model::Rights, vocabulary},
    pages::{
        parts::Segment,
        record::compose::{kind_of, published, short_licence, shorten, version_label},
    },
    text::Locale,
};

/// Creators named; the rest are counted.
const NAMED: usize = 3;
/// Characters of a description in a list.
const EXCERPT: usize = 260;

/// A version that was not searched for: nothing is marked.
pub fn plain(version: &Version, locale: Locale) -> Hit {
    let (row, metadata) = (version.row(), &version.metadata);
    let title = metadata.title_for(locale);
    let description = metadata.description_for(locale);
    let text = |text: String| vec![Segment { text, hit: false }];
    let lang = |said: Option<crate::metadata::bilingual::Said<'_>>| {
        said.and_then(|s| s.bcp47().map(ToOwned::to_owned))
            .unwrap_or_else(|| "und".to_owned())
    };
    Hit {
        id: row.id.clone(),
        title: text(title.map_or_else(|| row.title.clone(), |s| s.text.to_owned())),
        lang: lang(title),
        creators: metadata
            .creators
            .iter()
            .take(NAMED)
            .map(|c| c.person_or_org.spoken())
            .collect(),
        more_creators: metadata.creators.len().saturating_sub(NAMED) as u64,
        excerpt: description
            .map(|s| text(shorten(&plain_text(s.text), EXCERPT)))
            .unwrap_or_default(),
        excerpt_lang: lang(description),
        resource_type: kind_of(metadata, locale),
        access: version.status.code().to_owned(),
        licence: metadata.rights.iter().find_map(|r| match r {
            Rights::Licence { id } => Some(short_licence(id)),
            Rights::Custom { .. } => None,
        }),
        published: published(version),
        version: (row.version_index > 1 || metadata.version.is_some())
            .then(|| version_label(version)),
        files: if version.files_open {
            row.file_count as u64
        } else {
            0
        },
        bytes: row.total_bytes as u64,
        formats: Vec::new(),
    }
}

/// A found version, with what was searched for marked. Of a title in two languages the reader's is shown,
/// unless only the other one holds the words.
pub fn marked(version: &Version, found: &Found, locale: Locale) -> Hit {
    let mut hit = plain(version, locale);
    let shown = hit
        .title
        .first()
        .map(|s| s.text.clone())
        .unwrap_or_default();
    let own = found.titles.iter().find(|t| t.text == shown);
    let other = found.titles.iter().find(|t| !t.hits.is_empty());
    if let Some(fragment) = own.filter(|t| !t.hits.is_empty()).or(other).or(own) {
        hit.title = segments(fragment);
        let said = version.metadata.titles();
        if let Some(lang) = said
            .iter()
            .find(|s| s.text == fragment.text)
            .and_then(|s| s.bcp47())
        {
            lang.clone_into(&mut hit.lang);
        }
    }
    if let Some(fragment) = found.description.as_ref().filter(|f| !f.hits.is_empty()) {
        hit.excerpt = segments(fragment);
        let said = version.metadata.descriptions();
        let lang = said
            .iter()
            .find(|s| plain_text(s.text).contains(&fragment.text))
            .and_then(|s| s.bcp47());
        lang.map_or("und", vocabulary::bcp47)
            .clone_into(&mut hit.excerpt_lang);
    }
    hit
}

/// Text and positions as pieces, with an ellipsis where something was left out.
fn segments(fragment: &Fragment) -> Vec<Segment> {
    let text = &fragment.text;
    let mut out = Vec::new();
    let mut push = |piece: &str, hit: bool| {
        if !piece.is_empty() {
            out.push(Segment {
                text: piece.to_owned(),
                hit,
            });
        }
    };
    if fragment.cut_before {
        push("…", false);
    }
    let mut at = 0;
    for range in &fragment.hits {
        let (Some(before), Some(inside)) = (text.get(at..range.start), text.get(range.clone()))
        else {
            continue;
        };
        push(before, false);
        push(inside, true);
        at = range.end;
    }
    push(text.get(at..).unwrap_or_default(), false);
    if fragment.cut_after {
        push("…", false);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::single_range_in_vec_init, reason = "one hit")]
    fn marks_stand_where_the_index_says() {
        let fragment = Fragment {
            text: "đo độ mặn ở đây".to_owned(),
            hits: vec![4..15],
            cut_before: true,
            cut_after: false,
        };
        let pieces: Vec<(String, bool)> = segments(&fragment)
            .into_iter()
            .map(|s| (s.text, s.hit))
            .collect();
        let want = [
            ("…", false),
            ("đo ", false),
            ("độ mặn", true),
            (" ở đây", false),
        ];
        assert_eq!(pieces.len(), want.len(), "{pieces:?}");
        for (got, want) in pieces.iter().zip(want) {
            assert_eq!((got.0.as_str(), got.1), want);
        }
    }
}
