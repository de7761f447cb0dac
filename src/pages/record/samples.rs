//! Examples of the landing page and the tombstone, for the test that renders every page. The data is
//! invented.

use super::{coverage::Coverage, files::FileRow, snippets, view::*};
use crate::{
    files,
    pages::{
        folders::FolderLevel,
        parts::{Link, Text},
    },
    web::render::View,
};

impl View for Landing {
    const TEMPLATE: &'static str = "pages/record.html";

    fn samples() -> Vec<Self> {
        let full = full();
        let mut older = full.clone();
        older.newer = Some(Link::new("3", "/records/k3f9a-2bq71"));
        older.access = Access {
            state: AccessState::Embargoed,
            until: Some("2027-01-01".to_owned()),
            reason: Some("Chờ công bố bài báo.".to_owned()),
            granted: false,
        };
        older.files.open = false;
        older.snippets.clear();
        older.manage = Some(Manage {
            can_edit: true,
            can_add_version: true,
        });
        let mut restricted = full.clone();
        restricted.access.state = AccessState::Restricted;
        restricted.access.granted = true;
        restricted.files = many_files();
        restricted.coverage = Coverage::point(105.85, 21.03, Vec::new());
        vec![full, older, restricted, bare()]
    }
}

impl View for Tombstone {
    const TEMPLATE: &'static str = "pages/tombstone.html";

    fn samples() -> Vec<Self> {
        let full = full();
        let told = Self {
            id: full.id,
            title: full.title,
            citation: full.citation,
            reason: Some("Theo yêu cầu của tác giả".to_owned()),
            note: Some("Toạ độ trạm bị lệch; xem phiên bản 3.".to_owned()),
            withdrawn: "2026-05-02".to_owned(),
            by: Some("Ban quản trị dữ liệu".to_owned()),
            others: full.versions,
        };
        let mut silent = told.clone();
        (silent.reason, silent.note, silent.by) = (None, None, None);
        silent.others.clear();
        vec![told, silent]
    }
}

const ID: &str = "k3f9a-2bq71";

fn row(key: &str, bytes: u64) -> FileRow {
    FileRow {
        key: key.to_owned(),
        name: key.rsplit('/').next().unwrap_or(key).to_owned(),
        format: key.rsplit('.').next().unwrap_or_default().to_uppercase(),
        bytes,
        sha256: "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592".to_owned(),
        url: format!("/records/{ID}/files/{key}"),
    }
}

fn many_files() -> Files {
    let rows = (1..=50)
        .map(|n| {
            row(
                &format!("anh/tram_{:02}/mau_{n:04}.tif", n / 20),
                4_000_000 + n,
            )
        })
        .collect();
    let here = "anh/tram_01".parse().ok();
    let level = files::Level {
        count: 1_284,
        bytes: 5_136_000_000,
        folders: vec![files::Folder {
            name: "gốc".to_owned(),
            count: 12,
            bytes: 48_000_000,
        }],
        page: 3,
        last: 26,
        ..files::Level::default()
    };
    let at = format!("/records/{ID}");
    let level = FolderLevel::new(&at, "files_page", here.as_ref(), &level);
    Files::new(1_284, 5_136_000_000, true, rows, Some(level))
}

/// A record with everything.
fn full() -> Landing {
    let title = Text::new(
        "vi",
        "Chất lượng nước mặt Đồng bằng sông Cửu Long, 2015–2025",
    );
    let rows = vec![
        row("do_man.parquet", 301_400_000),
        row("tram.csv", 12_480),
        row("tu_dien_du_lieu.csv", 3_204),
        row("ban_do/ranh_gioi.gpkg", 110_200_000),
        row(
            "ban_do/ranh_gioi_don_gian_hoa_cho_trinh_duyet.geojson",
            1_200_000,
        ),
        row("README.md", 2_048),
    ];
    let doi = DoiLink {
        doi: format!("10.5072/{ID}"),
        url: format!("https://doi.org/10.5072/{ID}"),
        test: true,
    };
    Landing {
        id: ID.to_owned(),
        citation: Citation {
            authors: "Đặng T. N. T., Nguyễn H. C., Lê Q. D.".to_owned(),
            year: "2026".to_owned(),
            title: title.clone(),
            version: Some("3".to_owned()),
            kind: "Bộ dữ liệu".to_owned(),
            publisher: "Kho dữ liệu nghiên cứu".to_owned(),
            url: doi.url.clone(),
        },
        concept_doi: Some(DoiLink {
            doi: "10.5072/9x2m4-7ab10".to_owned(),
            url: "https://doi.org/10.5072/9x2m4-7ab10".to_owned(),
            test: true,
        }),
        doi: Some(doi),
        title,
        other_titles: vec![Text::new("en", "Surface water quality of the Mekong Delta, 2015–2025")],
        resource_type: "Bộ dữ liệu".to_owned(),
        access: Access {
            state: AccessState::Open,
            until: None,
            reason: None,
            granted: true,
        },
        licences: vec![Licence {
            id: "cc-by-4.0".to_owned(),
            title: "Creative Commons Attribution 4.0 International".to_owned(),
            short: "CC BY 4.0".to_owned(),
            url: Some("https://creativecommons.org/licenses/by/4.0/".to_owned()),
        }],
        copyright: Some("© 2026 các tác giả".to_owned()),
        version: Some("3".to_owned()),
        published: "2026-03-12".to_owned(),
        publisher: "Kho dữ liệu nghiên cứu".to_owned(),
        updated: "2026-03-14".to_owned(),
        ledger: Some(super::view::Entered {
            entry: 1_284,
            since: "2026-03-12".to_owned(),
        }),
        creators: people(),
        contributors: vec![Contributor {
            name: "Trần Văn Minh".to_owned(),
            sort_name: "Trần, Văn Minh".to_owned(),
            orcid: None,
            ror: None,
            affiliations: vec![2],
            role: Some("Người liên hệ".to_owned()),
        }],
        affiliations: vec![
            Affiliation {
                name: "Viện Nghiên cứu Nước (minh hoạ)".to_owned(),
                ror: Some("01ggx4157".to_owned()),
            },
            Affiliation {
                name: "Trường Đại học Minh hoạ".to_owned(),
                ror: None,
            },
        ],
        communities: vec![Link::new("Tài nguyên nước", "/communities/tai-nguyen-nuoc")],
        descriptions: vec![
            Description {
                heading: None,
                lang: "vi".to_owned(),
                html: "<p>Bộ dữ liệu hợp nhất <b>1.284.336</b> bản ghi đo độ mặn, pH, ôxy hoà tan, nitơ tổng và phốt pho tổng tại 214 trạm quan trắc ở 13 tỉnh, đã chuẩn hoá đơn vị và gắn cờ kiểm soát chất lượng theo từng giá trị.</p><p>Phiên bản 3 bổ sung số liệu 2025 và sửa toạ độ của 7 trạm.</p>".to_owned(),
            },
            Description {
                heading: Some("Phương pháp".to_owned()),
                lang: "en".to_owned(),
                html: "<p>Hourly probes, calibrated monthly:</p><ul><li>salinity</li><li>pH</li></ul>".to_owned(),
            },
        ],
        translations: vec![super::view::Translation {
            language: "Tiếng Anh".to_owned(),
            descriptions: vec![Description {
                heading: None,
                lang: "en".to_owned(),
                html: "<p>Salinity, pH and dissolved oxygen at 214 stations.</p>".to_owned(),
            }],
        }],
        summary: "1.284.336 bản ghi đo tại 214 trạm quan trắc.".to_owned(),
        citation_exports: exports(&["BibTeX", "RIS", "CSL"]),
        exports: exports(&["JSON", "DataCite", "Dublin Core", "JSON-LD"]),
        snippets: snippets::of("https://kho.example.org", ID, 6, &rows),
        files: Files::new(6, 412_817_732, true, rows, None),
        versions: (1..=3)
            .rev()
            .map(|n| Version {
                id: format!("k3f9a-2bq7{n}"),
                label: n.to_string(),
                published: format!("202{}-03-12", n + 3),
                doi: Some(format!("10.5072/k3f9a-2bq7{n}")),
                current: n == 3,
                withdrawn: n == 1,
            })
            .collect(),
        newer: None,
        related: vec![
            Related {
                relation: "Được trích dẫn bởi".to_owned(),
                kind: Some("Bài báo".to_owned()),
                identifier: "10.1234/example.2026".to_owned(),
                scheme: "doi".to_owned(),
                url: Some("https://doi.org/10.1234/example.2026".to_owned()),
            },
            Related {
                relation: "Là phần của".to_owned(),
                kind: None,
                identifier: "978-604-0-00000-0".to_owned(),
                scheme: "isbn".to_owned(),
                url: None,
            },
        ],
        funding: vec![Funding {
            funder: "Quỹ Phát triển khoa học và công nghệ (minh hoạ)".to_owned(),
            award_number: Some("105.08-2020.01".to_owned()),
            award_title: Some(Text::new("en", "Salinity in a changing delta")),
            url: Some("https://example.org/award".to_owned()),
        }],
        subjects: vec![
            Subject {
                label: "Thuỷ văn".to_owned(),
                url: "/search?subject=thu%E1%BB%B7%20v%C4%83n".to_owned(),
                scheme: Some("FOS".to_owned()),
            },
            Subject {
                label: "độ mặn".to_owned(),
                url: "/search?subject=do".to_owned(),
                scheme: None,
            },
        ],
        languages: vec!["Tiếng Việt".to_owned(), "Tiếng Anh".to_owned()],
        dates: vec![DatedEvent {
            kind: "Thu thập".to_owned(),
            date: "2015-01/2025-12".to_owned(),
            description: Some("Đo hằng giờ".to_owned()),
        }],
        references: vec!["Nguyễn, H. C. (2019). Độ mặn hạ lưu sông Mê Công.".to_owned()],
        coverage: Coverage::new(
            104.4,
            8.5,
            106.8,
            11.0,
            vec!["Đồng bằng sông Cửu Long".to_owned()],
        ),
        json_ld: "{\"@context\":\"https://schema.org\",\"@type\":\"Dataset\",\"name\":\"</script>\"}"
            .to_owned(),
        signposts: vec![
            Signpost {
                rel: "cite-as".to_owned(),
                href: format!("https://doi.org/10.5072/{ID}"),
                kind: None,
            },
            Signpost {
                rel: "describedby".to_owned(),
                href: format!("https://kho.example.org/records/{ID}?format=datacite-xml"),
                kind: Some("application/vnd.datacite.datacite+xml".to_owned()),
            },
        ],
        manage: None,
    }
}

fn people() -> Vec<Contributor> {
    [
        (
            "Đặng Thị Ngọc Thịnh",
            "Đặng, Thị Ngọc Thịnh",
            Some("0000-0002-1825-0097"),
            vec![1],
        ),
        ("Nguyễn Hữu Cẩn", "Nguyễn, Hữu Cẩn", None, vec![1, 2]),
        ("Lê Quỳnh Diễm", "Lê, Quỳnh Diễm", None, vec![2]),
    ]
    .into_iter()
    .map(|(name, sort_name, orcid, affiliations)| Contributor {
        name: name.to_owned(),
        sort_name: sort_name.to_owned(),
        orcid: orcid.map(ToOwned::to_owned),
        ror: None,
        affiliations,
        role: None,
    })
    .collect()
}

fn exports(names: &[&str]) -> Vec<Link> {
    names
        .iter()
        .map(|name| {
            let format = name.to_lowercase().replace(' ', "-");
            Link::new(*name, format!("/records/{ID}?format={format}"))
        })
        .collect()
}

/// A record with no more than it must have.
fn bare() -> Landing {
    let mut bare = full();
    bare.access.state = AccessState::MetadataOnly;
    bare.files = Files::new(0, 0, true, Vec::new(), None);
    bare.creators.truncate(1);
    if let Some(person) = bare.creators.first_mut() {
        person.affiliations.clear();
        person.ror = Some("01ggx4157".to_owned());
    }
    (bare.doi, bare.concept_doi) = (None, None);
    (bare.version, bare.copyright, bare.coverage) = (None, None, None);
    bare.citation.version = None;
    bare.other_titles.clear();
    bare.licences.clear();
    bare.contributors.clear();
    bare.affiliations.clear();
    bare.communities.clear();
    bare.descriptions.clear();
    bare.translations.clear();
    bare.snippets.clear();
    bare.related.clear();
    bare.funding.clear();
    bare.subjects.clear();
    bare.languages.clear();
    bare.dates.clear();
    bare.references.clear();
    bare
}
