//! Counts beside the results: how many match for each type, subject, year and so on.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Cardinality, Column, StrColumn};
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader};

/// A property results can be narrowed by. Values within one facet are alternatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facet {
    /// Has a level above: `publication` counts every `publication-…` too.
    ResourceType,
    AccessStatus,
    Subject,
    Licence,
    Year,
    Language,
    Community,
    FileType,
}

impl Facet {
    pub const ALL: [Self; 8] = [
        Self::ResourceType,
        Self::AccessStatus,
        Self::Subject,
        Self::Licence,
        Self::Year,
        Self::Language,
        Self::Community,
        Self::FileType,
    ];

    /// Stable name, also of the field on disk.
    pub fn name(self) -> &'static str {
        match self {
            Self::ResourceType => "resource_type",
            Self::AccessStatus => "access_status",
            Self::Subject => "subject",
            Self::Licence => "licence",
            Self::Year => "year",
            Self::Language => "language",
            Self::Community => "community",
            Self::FileType => "file_type",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|facet| facet.name() == name)
    }
}

/// One value of a facet. For [`Facet::ResourceType`] a bucket `a-b` belongs under the bucket `a`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bucket {
    pub value: String,
    pub count: u64,
    pub selected: bool,
}

/// Values counted in one part of the index before parts are added up. Far above what is shown, so
/// counts are exact except for facets with more distinct values than this in one part.
const KEPT_PER_SEGMENT: usize = 300;

/// Counts all matches, and the values of the wanted facets among them.
pub(crate) struct FacetCounter {
    pub facets: Vec<Facet>,
    /// Values that must be counted even when rare: those a reader has chosen.
    pub always: BTreeMap<Facet, Vec<String>>,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub matches: u64,
    pub values: Vec<(Facet, HashMap<String, u64>)>,
}

impl Counts {
    /// The most frequent values of a facet, chosen ones always among them; years newest first.
    pub(crate) fn buckets(&self, facet: Facet, chosen: &[String], most: usize) -> Vec<Bucket> {
        let counted = self
            .values
            .iter()
            .find(|(f, _)| *f == facet)
            .map(|(_, v)| v);
        let mut buckets: Vec<Bucket> = counted
            .into_iter()
            .flatten()
            .map(|(value, count)| Bucket {
                selected: chosen.contains(value),
                value: value.clone(),
                count: *count,
            })
            .collect();
        for value in chosen {
            if !buckets.iter().any(|b| b.value == *value) {
                buckets.push(Bucket {
                    value: value.clone(),
                    count: 0,
                    selected: true,
                });
            }
        }
        if facet == Facet::Year {
            buckets.sort_by(|a, b| {
                b.value
                    .len()
                    .cmp(&a.value.len())
                    .then(b.value.cmp(&a.value))
            });
        } else {
            buckets.sort_by(|a, b| b.count.cmp(&a.count).then(a.value.cmp(&b.value)));
        }
        let mut shown = 0;
        buckets.retain(|bucket| {
            shown += 1;
            shown <= most || bucket.selected
        });
        buckets
    }
}

impl Collector for FacetCounter {
    type Fruit = Counts;
    type Child = SegmentCounter;

    fn for_segment(
        &self,
        _: SegmentOrdinal,
        reader: &SegmentReader,
    ) -> tantivy::Result<Self::Child> {
        let mut columns = Vec::with_capacity(self.facets.len());
        for &facet in &self.facets {
            let column = if facet == Facet::Year {
                reader
                    .fast_fields()
                    .column_opt::<u64>(facet.name())?
                    .map(|column| FacetColumn::Years(column, HashMap::new()))
            } else {
                reader.fast_fields().str(facet.name())?.map(|column| {
                    let counts = vec![0; column.dictionary().num_terms()];
                    FacetColumn::Words(column, counts)
                })
            };
            let always = self.always.get(&facet).cloned().unwrap_or_default();
            columns.extend(column.map(|column| (facet, always, column)));
        }
        Ok(SegmentCounter {
            matches: 0,
            columns,
            waiting: Vec::with_capacity(BLOCK),
            ords: Vec::with_capacity(BLOCK),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, parts: Vec<std::io::Result<Counts>>) -> tantivy::Result<Counts> {
        let mut whole = Counts::default();
        for part in parts {
            let part = part?;
            whole.matches += part.matches;
            for (facet, counted) in part.values {
                let Some((_, total)) = whole.values.iter_mut().find(|(f, _)| *f == facet) else {
                    whole.values.push((facet, counted));
                    continue;
                };
                for (value, count) in counted {
                    *total.entry(value).or_default() += count;
                }
            }
        }
        Ok(whole)
    }
}

pub(crate) struct SegmentCounter {
    matches: u64,
    columns: Vec<(Facet, Vec<String>, FacetColumn)>,
    /// Scored matches come one by one; columns are read block by block.
    waiting: Vec<DocId>,
    ords: Vec<u64>,
}

const BLOCK: usize = 128;

enum FacetColumn {
    /// Counts by the ordinal of the word in the part's dictionary.
    Words(StrColumn, Vec<u32>),
    Years(Column<u64>, HashMap<u64, u32>),
}

impl SegmentCollector for SegmentCounter {
    type Fruit = std::io::Result<Counts>;

    fn collect(&mut self, doc: DocId, _: Score) {
        self.waiting.push(doc);
        if self.waiting.len() == BLOCK {
            let docs = std::mem::take(&mut self.waiting);
            self.collect_block(&docs);
            self.waiting = docs;
            self.waiting.clear();
        }
    }

    fn collect_block(&mut self, docs: &[DocId]) {
        self.matches += docs.len() as u64;
        for (_, _, column) in &mut self.columns {
            match column {
                FacetColumn::Words(column, counts) => {
                    for_values(column.ords(), docs, &mut self.ords, |ord| {
                        if let Some(count) = counts.get_mut(ord as usize) {
                            *count += 1;
                        }
                    });
                }
                FacetColumn::Years(column, counts) => {
                    for_values(column, docs, &mut self.ords, |year| {
                        *counts.entry(year).or_default() += 1;
                    });
                }
            }
        }
    }

    fn harvest(mut self) -> Self::Fruit {
        let rest = std::mem::take(&mut self.waiting);
        self.collect_block(&rest);
        let mut values = Vec::with_capacity(self.columns.len());
        for (facet, always, column) in self.columns {
            let counted = match column {
                FacetColumn::Words(column, counts) => named(&column, &counts, &always)?,
                FacetColumn::Years(_, counts) => counts
                    .into_iter()
                    .map(|(year, count)| (year.to_string(), u64::from(count)))
                    .collect(),
            };
            values.push((facet, counted));
        }
        Ok(Counts {
            matches: self.matches,
            values,
        })
    }
}

/// Every value of a block of documents. A column with exactly one value each is read in bulk.
fn for_values(
    column: &Column<u64>,
    docs: &[DocId],
    buffer: &mut Vec<u64>,
    mut see: impl FnMut(u64),
) {
    if column.get_cardinality() == Cardinality::Full {
        buffer.resize(docs.len(), 0);
        column.values.get_vals(docs, buffer);
        buffer.iter().copied().for_each(see);
        return;
    }
    for &doc in docs {
        column.values_for_doc(doc).for_each(&mut see);
    }
}

fn named(
    column: &StrColumn,
    counts: &[u32],
    always: &[String],
) -> std::io::Result<HashMap<String, u64>> {
    let mut found: Vec<(u32, u64)> = (0..)
        .zip(counts)
        .filter(|(_, count)| **count > 0)
        .map(|(ord, count)| (*count, ord))
        .collect();
    if found.len() > KEPT_PER_SEGMENT {
        found.select_nth_unstable_by(KEPT_PER_SEGMENT, |a, b| b.cmp(a));
        found.truncate(KEPT_PER_SEGMENT);
        for value in always {
            if let Some(ord) = column.dictionary().term_ord(value)?
                && let Some(count) = counts.get(ord as usize)
                && *count > 0
            {
                found.push((*count, ord));
            }
        }
    }
    // In the dictionary's order, each of its blocks is unpacked once.
    found.sort_unstable_by_key(|(_, ord)| *ord);
    found.dedup();
    let ords: Vec<u64> = found.iter().map(|(_, ord)| *ord).collect();
    let mut counted = found.iter().map(|(count, _)| u64::from(*count));
    let mut named = HashMap::with_capacity(found.len());
    column.dictionary().sorted_ords_to_term_cb(&ords, |word| {
        if let (Some(count), Ok(word)) = (counted.next(), std::str::from_utf8(word)) {
            named.insert(word.to_owned(), count);
        }
    })?;
    Ok(named)
}
