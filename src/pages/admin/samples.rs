//! Examples of the administrator's pages. The data is invented.

use super::view::*;
use crate::web::render::View;

impl View for Storage {
    const TEMPLATE: &'static str = "pages/admin/storage.html";

    fn samples() -> Vec<Self> {
        let row = |said: &str, job: Option<&str>| Row {
            said: said.to_owned(),
            about: "k3f9a-2bq71".to_owned(),
            detail: "3c0/ff4/240/urn%3akho%3a…/v1/content/files/đo.csv: sha256".to_owned(),
            at: "2026-11-24 08:00 UTC".to_owned(),
            job: job.map(ToOwned::to_owned),
        };
        let fact = |name, value: &str| Fact {
            name,
            value: value.to_owned(),
        };
        let section = |name, level, rows| Section {
            name,
            level,
            facts: vec![fact("files", "12"), fact("bytes", "3,4 GB")],
            rows,
        };
        vec![Self {
            sections: vec![
                section("files", "good", Vec::new()),
                section(
                    "fixity",
                    "alert",
                    vec![row("Nội dung tệp đã thay đổi", None)],
                ),
                section("jobs", "warning", vec![row("Đăng ký DOI", Some("7"))]),
                section("unfinished", "good", Vec::new()),
                section("index", "good", Vec::new()),
                section("database", "good", Vec::new()),
            ],
        }]
    }
}
