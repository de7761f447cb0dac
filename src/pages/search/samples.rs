//! Examples of the search page and of found records. The data is invented.

use super::{
    address::Address,
    view::{Facet, FacetValue, Hit, Search, Years},
};
use crate::{
    pages::parts::{Link, Segment},
    web::render::View,
};

impl View for Search {
    const TEMPLATE: &'static str = "pages/search.html";

    fn samples() -> Vec<Self> {
        let address = Address::parse("q=do+man&subject=thuy-van&year=2026&page=3");
        let mut found = Self::new(&address, 1_284);
        found.read_as = Some("độ mặn".to_owned());
        found.hits = hits();
        found.chosen = vec![
            Link::new("Thuỷ văn", address.toggled("subject", "thuy-van").url()),
            Link::new("2026", address.toggled("year", "2026").url()),
        ];
        found.facets = vec![
            facet(
                &address,
                "subject",
                &[("Thuỷ văn", 214), ("Nông nghiệp", 87)],
            ),
            facet(
                &address,
                "type",
                &[
                    ("Bộ dữ liệu", 1_203),
                    ("Phần mềm", 81),
                    ("Ảnh", 40),
                    ("Mô hình", 30),
                    ("Bài báo", 20),
                    ("Báo cáo", 10),
                    ("Video", 9),
                    ("Âm thanh", 3),
                    ("Bản đồ", 2),
                    ("Khác", 1),
                ],
            ),
        ];
        found.years = Years::new(
            &address,
            &[(2026, 40), (2025, 31), (2024, 12), (2022, 3), (2015, 1)],
        );
        let address = Address::parse("q=%C4%91o+m%E1%BA%B7nn");
        let mut nothing = Self::new(&address, 0);
        nothing.problem = Some("Truy vấn quá dài.".to_owned());
        nothing.instead = vec![Link::new("do man", address.asking("do man").url())];
        vec![found, nothing, Self::new(&Address::default(), 0)]
    }
}

fn facet(address: &Address, name: &'static str, values: &[(&str, u64)]) -> Facet {
    Facet {
        name,
        values: values
            .iter()
            .map(|(label, count)| {
                let value = if *label == "Thuỷ văn" {
                    "thuy-van"
                } else {
                    label
                };
                FacetValue {
                    label: (*label).to_owned(),
                    count: *count,
                    chosen: address.has(name, value),
                    url: address.toggled(name, value).url(),
                }
            })
            .collect(),
    }
}

/// Three found records.
pub fn hits() -> Vec<Hit> {
    let piece = |text: &str, hit| Segment {
        text: text.to_owned(),
        hit,
    };
    let first = Hit {
        id: "k3f9a-2bq71".to_owned(),
        title: vec![
            piece("Quan trắc ", false),
            piece("độ mặn", true),
            piece(" Đồng bằng sông Cửu Long, 2015–2025", false),
        ],
        lang: "vi".to_owned(),
        creators: vec![
            "Đặng Thị Ngọc Thịnh".to_owned(),
            "Nguyễn Hữu Cẩn".to_owned(),
        ],
        more_creators: 4,
        excerpt: vec![
            piece("…hợp nhất 1.284.336 bản ghi đo ", false),
            piece("độ mặn", true),
            piece(
                ", pH, ôxy hoà tan, nitơ tổng và phốt pho tổng tại 214 trạm quan trắc ở 13 tỉnh, đã chuẩn hoá đơn vị và gắn cờ kiểm soát chất lượng theo từng giá trị…",
                false,
            ),
        ],
        excerpt_lang: "vi".to_owned(),
        resource_type: "Bộ dữ liệu".to_owned(),
        access: "open".to_owned(),
        licence: Some("CC BY 4.0".to_owned()),
        published: "2026-03-12".to_owned(),
        version: Some("3".to_owned()),
        files: 5,
        bytes: 412_000_000,
        formats: vec!["CSV".to_owned(), "Parquet".to_owned()],
    };
    let mut second = first.clone();
    second.title = vec![piece("Rice yield trials in the Red River Delta", false)];
    "en".clone_into(&mut second.lang);
    "embargoed".clone_into(&mut second.access);
    "2024".clone_into(&mut second.published);
    let third = Hit {
        creators: vec!["Viện Minh hoạ".to_owned()],
        more_creators: 0,
        excerpt: Vec::new(),
        access: "metadata-only".to_owned(),
        licence: None,
        version: None,
        files: 0,
        bytes: 0,
        formats: Vec::new(),
        ..first.clone()
    };
    vec![first, second, third]
}
