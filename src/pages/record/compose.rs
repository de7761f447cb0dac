//! From a version and its neighbours to what the landing page shows: words of vocabularies in the reader's
//! language, links, the order of languages. Pure: everything was loaded before.

use std::collections::HashMap;

use super::{
    coverage::Coverage,
    files::FileRow,
    parties::{self, Affiliations},
    prose, snippets,
    view::{
        Access, AccessState, Citation, DatedEvent, DoiLink, Entered, Files, Funding, Landing,
        Licence, Manage, Related, Signpost, Subject, Tombstone, Version as VersionRow,
    },
};
use crate::{
    catalog::{PublishedFile, Version},
    ctx::{Ctx, moment},
    error::{Error, Result},
    files,
    formats::{self, citation::cite, json_ld, signposting},
    ids::FileKey,
    ledger::Place,
    metadata::{
        Metadata,
        access::AccessStatus,
        identifiers,
        model::{Rights, Subject as SubjectTerm, Texts},
        vocabulary::{self, Vocabulary, label},
    },
    pages::{
        folders::FolderLevel,
        parts::{Link, Text},
        search::address::Address,
    },
    publish,
    text::Locale,
};

/// Prefixes that DataCite keeps for tests: shown, never resolved.
const TEST_PREFIX: &str = "10.5072";
/// Characters of the summary in the head of the page.
const SUMMARY: usize = 300;
/// Formats that reference managers read; they stand beside the citation.
const CITATIONS: [&str; 3] = ["bibtex", "ris", "csl"];
/// Links of the head; files are linked in the header and the linkset.
const IN_HEAD: [&str; 4] = ["cite-as", "describedby", "license", "author"];

/// What the landing page is made of, all of it loaded.
pub(super) struct Loaded {
    pub version: Version,
    /// All that the reader may see, newest first.
    pub versions: Vec<Version>,
    /// The first by key; none where the reader may not have them.
    pub files: Vec<PublishedFile>,
    /// What of the folders is shown, and which one, when not all files are.
    pub level: Option<(files::Level, Option<FileKey>)>,
    /// Since when it is in the ledger.
    pub ledger: Option<Place>,
}

/// The landing page, and the value of its `Link` header.
pub(super) fn landing(ctx: &Ctx, loaded: &Loaded) -> Result<(Landing, String)> {
    let Loaded {
        version, versions, ..
    } = loaded;
    let record = crate::catalog::described(ctx, version, &loaded.files, versions)?;
    let (row, metadata, locale) = (version.row(), &version.metadata, ctx.locale);
    let title = title(version, locale);
    let mut affiliations = Affiliations::default();
    let creators = parties::people(&metadata.creators, &mut affiliations, locale, false);
    let contributors = parties::people(&metadata.contributors, &mut affiliations, locale, true);
    let (descriptions, translations) = prose::descriptions(metadata, locale);
    let rows = file_rows(&row.id, &loaded.files)?;
    let base = &ctx.env.config.base_url;
    let count = if version.files_open {
        row.file_count as u64
    } else {
        0
    };
    let (shown, level) = match &loaded.level {
        None => (rows.clone(), None),
        Some((level, folder)) => {
            let at = format!("/records/{}", row.id);
            let shown = FolderLevel::new(&at, "files_page", folder.as_ref(), level);
            (FileRow::of_level(&row.id, &level.files)?, Some(shown))
        }
    };
    let bytes = row.total_bytes as u64;
    let files = Files::new(count, bytes, version.files_open, shown, level);
    let view = Landing {
        id: row.id.clone(),
        doi: row.doi.as_deref().and_then(doi),
        concept_doi: version.parent().doi.as_deref().and_then(doi),
        other_titles: other_titles(metadata, &title),
        resource_type: kind_of(metadata, locale),
        access: access(version),
        licences: licences(metadata, locale),
        copyright: metadata.copyright.clone(),
        version: (metadata.version.is_some() || versions.len() > 1).then(|| version_label(version)),
        published: published(version),
        publisher: record.publisher().to_owned(),
        updated: day(row.updated),
        ledger: loaded.ledger.map(|place| Entered {
            entry: place.index,
            since: day(place.at),
        }),
        creators,
        contributors,
        affiliations: affiliations.all,
        communities: version
            .parent()
            .communities
            .split_whitespace()
            .map(|slug| {
                let url = Address::default().toggled("community", slug).url();
                Link::new(slug, url)
            })
            .collect(),
        descriptions,
        translations,
        summary: shorten(&metadata.summary(locale).unwrap_or_default(), SUMMARY),
        citation: citation(&record, &title, locale),
        citation_exports: exports(&record, locale, true),
        exports: exports(&record, locale, false),
        snippets: if version.files_open {
            snippets::of(base, &row.id, count, &rows)
        } else {
            Vec::new()
        },
        files,
        versions: versions.iter().map(|v| version_row(v, &row.id)).collect(),
        newer: newer(version, versions),
        related: related(metadata, locale),
        funding: funding(metadata, locale),
        subjects: subjects(metadata, locale),
        languages: metadata
            .languages
            .iter()
            .map(|l| label(Vocabulary::Languages, &l.id, locale).to_owned())
            .collect(),
        dates: metadata
            .dates
            .iter()
            .map(|d| DatedEvent {
                kind: d.kind.as_ref().map_or_else(
                    || crate::text::say(locale, "date-other", &[]),
                    |k| label(Vocabulary::DateTypes, &k.id, locale).to_owned(),
                ),
                date: d.date.to_string(),
                description: d.description.clone(),
            })
            .collect(),
        references: metadata
            .references
            .iter()
            .map(|r| r.reference.clone())
            .collect(),
        coverage: coverage(metadata),
        json_ld: json_ld::embedded(&record).to_string(),
        signposts: signposting::links(&record)
            .into_iter()
            .filter(|l| IN_HEAD.contains(&l.rel))
            .map(|l| Signpost {
                rel: l.rel.to_owned(),
                href: l.href,
                kind: l.mimetype,
            })
            .collect(),
        manage: (version.loaded.manages && ctx.person().is_some()).then_some(Manage {
            can_edit: true,
            can_add_version: row.is_latest,
        }),
        title,
    };
    let header = signposting::header(&record);
    Ok((view, header))
}

/// What is said where a withdrawn version was.
pub(super) fn tombstone(
    ctx: &Ctx,
    version: &Version,
    stone: &publish::Tombstone,
    others: &[Version],
) -> Result<Tombstone> {
    let record = crate::catalog::described(ctx, version, &[], others)?;
    let title = title(version, ctx.locale);
    let reason = vocabulary::get(Vocabulary::RemovalReasons, &stone.reason);
    let withdrawn = stone.removal_date.get(..10).unwrap_or_default().to_owned();
    Ok(Tombstone {
        id: version.row().id.clone(),
        citation: citation(&record, &title, ctx.locale),
        title,
        reason: reason.map(|e| e.label(ctx.locale).to_owned()),
        note: Some(stone.note.clone()).filter(|n| !n.is_empty()),
        withdrawn,
        // Who it was is for the administrators' log; a tombstone answers for the repository.
        by: None,
        others: others
            .iter()
            .filter(|v| v.row().id != version.row().id)
            .map(|v| version_row(v, ""))
            .collect(),
    })
}

/// The title in the reader's language, else the record's own.
pub(crate) fn title(version: &Version, locale: Locale) -> Text {
    match version.metadata.title_for(locale) {
        Some(said) => Text::new(said.bcp47().unwrap_or("und"), said.text),
        None => Text::new("und", version.row().title.clone()),
    }
}

/// `Bộ dữ liệu`
pub(crate) fn kind_of(metadata: &Metadata, locale: Locale) -> String {
    metadata
        .resource_type
        .as_ref()
        .map(|t| label(Vocabulary::ResourceTypes, &t.id, locale).to_owned())
        .unwrap_or_default()
}

/// What the authors call this version, else its number.
pub(crate) fn version_label(version: &Version) -> String {
    let own = version.metadata.version.as_deref().map(|v| {
        // The page writes the word: `v2.1` would read “Version v2.1”.
        v.strip_prefix(['v', 'V'])
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            .unwrap_or(v)
    });
    own.map_or_else(
        || version.row().version_index.to_string(),
        ToOwned::to_owned,
    )
}

/// When its authors say it was published, else when it was here. EDTF.
pub(crate) fn published(version: &Version) -> String {
    let stated = version.metadata.publication_date.as_ref();
    stated.map_or_else(|| day(version.row().published), ToString::to_string)
}

/// The day of a moment in microseconds, UTC: `2026-03-12`.
pub(crate) fn day(micros: i64) -> String {
    moment(micros).date_naive().to_string()
}

/// At most so many characters, cut between words.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((end, _)) = line.char_indices().nth(most) else {
        return line;
    };
    let cut = line[..end].rfind(' ').unwrap_or(end);
    format!(
        "{}…",
        line[..cut].trim_end_matches([',', ';', ':', '.', ' '])
    )
}

/// The licence as a chip shows it: `CC BY 4.0`.
pub(crate) fn short_licence(id: &str) -> String {
    let spdx = vocabulary::get(Vocabulary::Licenses, id)
        .and_then(|e| e.prop("spdx"))
        .unwrap_or(id);
    match spdx.strip_prefix("CC-") {
        Some(rest) => match rest.rsplit_once('-') {
            Some((terms, version)) => format!("CC {terms} {version}"),
            None => format!("CC {rest}"),
        },
        None => spdx.replacen("CC0-", "CC0 ", 1),
    }
}

fn doi(text: &str) -> Option<DoiLink> {
    let doi: crate::ids::Doi = text.parse().ok()?;
    Some(DoiLink {
        url: doi.url(),
        test: doi.prefix() == TEST_PREFIX,
        doi: doi.into_string(),
    })
}

fn other_titles(metadata: &Metadata, shown: &Text) -> Vec<Text> {
    let text =
        |text: &str, lang: Option<&str>| Text::new(lang.map_or("und", vocabulary::bcp47), text);
    let translated = metadata.titles().into_iter().map(|s| text(s.text, s.lang));
    let further = metadata
        .additional_titles
        .iter()
        .filter(|t| t.kind.as_ref().is_none_or(|k| k.id != "translated-title"))
        .map(|t| text(&t.title, t.lang.as_ref().map(|l| l.id.as_str())));
    translated
        .chain(further)
        .filter(|t| t.text != shown.text)
        .collect()
}

fn access(version: &Version) -> Access {
    let state = match version.status {
        AccessStatus::Open => AccessState::Open,
        AccessStatus::Embargoed => AccessState::Embargoed,
        AccessStatus::Restricted => AccessState::Restricted,
        AccessStatus::MetadataOnly => AccessState::MetadataOnly,
    };
    let embargo = &version.access.embargo;
    let closed = matches!(state, AccessState::Embargoed | AccessState::Restricted);
    Access {
        until: embargo
            .until
            .filter(|_| embargo.active)
            .map(|d| d.to_string()),
        reason: embargo.reason.clone().filter(|r| !r.is_empty()),
        granted: closed && version.files_open,
        state,
    }
}

fn in_language(texts: &Texts, locale: Locale) -> Option<(&str, &str)> {
    texts
        .get_key_value(locale.code())
        .or_else(|| texts.get_key_value("en"))
        .or_else(|| texts.iter().next())
        .map(|(lang, text)| (lang.as_str(), text.as_str()))
}

fn licences(metadata: &Metadata, locale: Locale) -> Vec<Licence> {
    metadata
        .rights
        .iter()
        .map(|r| match r {
            Rights::Licence { id } => Licence {
                title: label(Vocabulary::Licenses, id, locale).to_owned(),
                short: short_licence(id),
                url: vocabulary::get(Vocabulary::Licenses, id)
                    .and_then(|e| e.prop("url"))
                    .map(ToOwned::to_owned),
                id: id.to_ascii_lowercase(),
            },
            Rights::Custom { title, link, .. } => {
                let title = in_language(title, locale).map_or("", |t| t.1);
                Licence {
                    id: "custom".to_owned(),
                    title: title.to_owned(),
                    short: shorten(title, 30),
                    url: link.as_deref().and_then(identifiers::link),
                }
            }
        })
        .collect()
}

fn citation(record: &formats::Record, title: &Text, locale: Locale) -> Citation {
    let cited = cite(record, locale);
    Citation {
        authors: cited.authors,
        year: cited.year,
        // In the record's own language, as in every other citation of it.
        title: Text::new(
            match record.metadata.main_language() {
                Some(lang) => vocabulary::bcp47(lang),
                None if cited.title == title.text => &title.lang,
                None => "und",
            },
            cited.title,
        ),
        version: record.version(),
        kind: kind_of(&record.metadata, locale),
        publisher: cited.publisher,
        url: cited.url,
    }
}

fn exports(record: &formats::Record, locale: Locale, citations: bool) -> Vec<Link> {
    let json = (!citations).then(|| {
        let url = format!("/api/records/{}", record.id);
        Link::new("JSON", url)
    });
    json.into_iter()
        .chain(
            formats::list()
                .iter()
                .filter(|f| CITATIONS.contains(&f.slug) == citations)
                .map(|f| {
                    let url = format!("/records/{}/export/{}", record.id, f.slug);
                    Link::new(f.label(locale), url)
                }),
        )
        .collect()
}

fn file_rows(id: &str, files: &[PublishedFile]) -> Result<Vec<FileRow>> {
    files
        .iter()
        .map(|f| {
            let key = f
                .key
                .parse()
                .map_err(|e| Error::internal("a stored key does not parse", e))?;
            Ok(FileRow::new(id, &key, f.size as u64, f.sha256.clone()))
        })
        .collect()
}

fn version_row(version: &Version, current: &str) -> VersionRow {
    let row = version.row();
    VersionRow {
        id: row.id.clone(),
        label: version_label(version),
        published: published(version),
        doi: row.doi.clone(),
        current: row.id == current,
        withdrawn: row.withdrawn.is_some(),
    }
}

/// The newest version that the reader may see, when it is not this one.
fn newer(version: &Version, versions: &[Version]) -> Option<Link> {
    let newest = versions.iter().max_by_key(|v| v.row().version_index)?;
    (newest.row().version_index > version.row().version_index).then(|| {
        Link::new(
            version_label(newest),
            format!("/records/{}", newest.row().id),
        )
    })
}

fn related(metadata: &Metadata, locale: Locale) -> Vec<Related> {
    metadata
        .related_identifiers
        .iter()
        .map(|r| Related {
            relation: r
                .relation_type
                .as_ref()
                .map(|t| label(Vocabulary::RelationTypes, &t.id, locale).to_owned())
                .unwrap_or_default(),
            kind: r
                .resource_type
                .as_ref()
                .map(|t| label(Vocabulary::ResourceTypes, &t.id, locale).to_owned()),
            identifier: r.identifier.clone(),
            scheme: r.scheme.clone(),
            url: identifiers::url(&r.scheme, &r.identifier),
        })
        .collect()
}

fn funding(metadata: &Metadata, locale: Locale) -> Vec<Funding> {
    metadata
        .funding
        .iter()
        .map(|f| {
            let award = f.award.as_ref();
            Funding {
                funder: f.funder.label(locale).to_owned(),
                award_number: award.and_then(|a| a.number.clone()),
                award_title: award
                    .and_then(|a| in_language(&a.title, locale))
                    .map(|(lang, text)| Text::new(lang, text)),
                url: award.and_then(|a| {
                    a.identifiers
                        .iter()
                        .find_map(|i| identifiers::url(&i.scheme, &i.identifier))
                }),
            }
        })
        .collect()
}

fn subjects(metadata: &Metadata, locale: Locale) -> Vec<Subject> {
    let search = |text: &str| Address::default().toggled("subject", text).url();
    metadata
        .subjects
        .iter()
        .map(|s| match s {
            SubjectTerm::Keyword { subject } => Subject {
                label: subject.clone(),
                url: search(subject),
                scheme: None,
            },
            SubjectTerm::Term { id } => {
                let text = label(Vocabulary::Subjects, id, locale);
                Subject {
                    label: text.to_owned(),
                    url: search(text),
                    scheme: vocabulary::get(Vocabulary::Subjects, id)
                        .and_then(|e| e.prop("scheme"))
                        .map(ToOwned::to_owned),
                }
            }
        })
        .collect()
}

/// One drawing for all places: the box around them.
fn coverage(metadata: &Metadata) -> Option<Coverage> {
    let places: Vec<String> = metadata
        .locations
        .iter()
        .filter_map(|l| l.place.clone())
        .collect();
    let mut bounds = metadata
        .locations
        .iter()
        .filter_map(|l| l.geometry.as_ref()?.bounds());
    let first = bounds.next()?;
    let all = bounds.fold(first, |a, b| crate::metadata::geometry::Bounds {
        west: a.west.min(b.west),
        south: a.south.min(b.south),
        east: a.east.max(b.east),
        north: a.north.max(b.north),
    });
    Coverage::new(all.west, all.south, all.east, all.north, places)
}

/// Versions by their ids; for pages that list some.
pub(crate) fn by_id(versions: Vec<Version>) -> HashMap<String, Version> {
    versions
        .into_iter()
        .map(|v| (v.row().id.clone(), v))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_named_as_people_write_them() {
        assert_eq!(short_licence("cc-by-4.0"), "CC BY 4.0");
        assert_eq!(short_licence("cc-by-nc-sa-4.0"), "CC BY-NC-SA 4.0");
        assert_eq!(short_licence("cc0-1.0"), "CC0 1.0");
        assert_eq!(short_licence("no-such"), "no-such");
    }

    #[test]
    fn a_text_is_cut_between_words() {
        assert_eq!(shorten("độ mặn  nước", 100), "độ mặn nước");
        assert_eq!(shorten("độ mặn, nước mặt", 9), "độ mặn…");
        assert_eq!(shorten("dddddddd", 4), "dddd…");
    }
}
