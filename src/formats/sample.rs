//! An invented record that has something in every field: what tests and page samples are made with.

use chrono::DateTime;

use super::record::{FileEntry, Record};
use crate::{
    ids::{Doi, Md5, RecordId, Sha256},
    metadata,
};

/// The second of three versions of an open dataset, in Vietnamese and English, with three files.
pub fn sample() -> Record {
    let value = serde_json::from_str(include_str!("sample.json")).unwrap_or_default();
    let (metadata, _) = metadata::read(&value);
    let id = |n| RecordId::from_random(n);
    let doi = |n| Some(Doi::for_record("10.5072", &id(n)));
    let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let files = [
        ("do-man.csv", 301_400_000, "text/csv"),
        ("tài liệu/đọc tôi.txt", 2_048, "text/plain"),
        ("tram.geojson", 51_200, "application/geo+json"),
    ];
    Record {
        id: id(0x51a7_0002),
        parent: id(0x51a7_0000),
        doi: doi(0x51a7_0002),
        parent_doi: doi(0x51a7_0000),
        version_index: 2,
        metadata,
        access: metadata::Access::default(),
        custom_fields: serde_json::json!({"journal:journal": {"title": "Tạp chí Khí tượng Thủy văn"}}),
        files: files
            .into_iter()
            .zip(1u8..)
            .filter_map(|((key, size, mimetype), n)| {
                Some(FileEntry {
                    key: key.parse().ok()?,
                    size,
                    mimetype: mimetype.to_owned(),
                    md5: format!("{n:032x}").parse::<Md5>().ok()?,
                    sha256: format!("{n:064x}").parse::<Sha256>().ok()?,
                })
            })
            .collect(),
        created: at(1_771_000_000),
        updated: at(1_773_300_000),
        published: at(1_773_273_600),
        base_url: "https://kho.example".to_owned(),
        repository: "Kho".to_owned(),
        other_versions: vec![
            (id(0x51a7_0001), doi(0x51a7_0001), 1),
            (id(0x51a7_0003), doi(0x51a7_0003), 3),
        ],
    }
}
