//! Examples of the deposit pages. The data is invented.

use super::{controls::Task, view::*};
use crate::{
    files,
    pages::{
        folders::FolderLevel,
        parts::{Choice, FieldProblem, Text},
    },
    web::render::View,
};

fn draft() -> Draft {
    Draft {
        id: "k3f9a-2bq71".to_owned(),
        title: "Chất lượng nước mặt Đồng bằng sông Cửu Long".to_owned(),
        revision: 4,
        doi: None,
        published: false,
        after_version: None,
        saved: Some("14:02".to_owned()),
        tasks: Task::ALL
            .into_iter()
            .zip([State::Done, State::Attention, State::Todo])
            .map(|(task, state)| TaskState {
                code: task.code(),
                state,
            })
            .collect(),
    }
}

fn fresh() -> Draft {
    Draft {
        title: String::new(),
        doi: Some("10.5072/k3f9a-2bq71".to_owned()),
        after_version: Some("2".to_owned()),
        saved: None,
        ..draft()
    }
}

fn editing() -> Draft {
    Draft {
        published: true,
        ..fresh()
    }
}

fn checks() -> Vec<Check> {
    let check = |level, message: &str, field: &str| Check {
        level,
        message: message.to_owned(),
        task: Task::Describe.code(),
        field: field.to_owned(),
    };
    vec![
        check(
            Level::Problem,
            "Cần ít nhất một tác giả.",
            "creators.0.family_name",
        ),
        check(
            Level::Warning,
            "Nên có mô tả bằng tiếng Anh.",
            "description.en",
        ),
        check(Level::Fine, "Có giấy phép.", ""),
    ]
}

impl View for Start {
    const TEMPLATE: &'static str = "pages/deposit/start.html";

    fn samples() -> Vec<Self> {
        let empty = Self {
            title: String::new(),
            problems: Vec::new(),
        };
        let wrong = Self {
            title: "\"><script>alert(1)</script>".to_owned(),
            problems: vec![FieldProblem::at("title", "Tiêu đề dài quá 500 ký tự.")],
        };
        vec![empty, wrong]
    }
}

impl View for Tasks {
    const TEMPLATE: &'static str = "pages/deposit/tasks.html";

    fn samples() -> Vec<Self> {
        [draft(), fresh(), editing()]
            .into_iter()
            .map(|draft| Self {
                draft,
                checklist: checks(),
            })
            .collect()
    }
}

impl View for DraftFiles {
    const TEMPLATE: &'static str = "pages/deposit/files.html";

    fn samples() -> Vec<Self> {
        let file = |key: &str, complete| DraftFile {
            key: key.to_owned(),
            bytes: 12_480,
            complete,
            sha256: complete.then(|| "d7a8fbb307d7809469ca9abcb0082e4f".repeat(2)),
            unpackable: complete,
            state: (!complete).then(|| "đang tải: 12 kB trên 40 kB".to_owned()),
        };
        let some = Self {
            draft: draft(),
            enabled: true,
            files: vec![file("du_lieu/tram.csv", true), file("anh.tif", false)],
            level: None,
            here: String::new(),
            count: 2,
            bytes: 24_960,
            can_import: false,
            frozen: false,
            max_files: 10_000,
            max_bytes: 50_000_000_000,
            quotas: vec![QuotaRow {
                whose: "Bộ dữ liệu này".to_owned(),
                used: 24_960,
                most: 100_000_000_000,
            }],
            fetch: Fetch::default(),
            busy: true,
            problems: vec![FieldProblem::at("file", "Tên tệp không được chứa “..”.")],
        };
        let none = Self {
            draft: fresh(),
            files: Vec::new(),
            count: 0,
            bytes: 0,
            can_import: true,
            problems: Vec::new(),
            ..some.clone()
        };
        let off = Self {
            enabled: false,
            ..none.clone()
        };
        let frozen = Self {
            draft: editing(),
            frozen: true,
            problems: Vec::new(),
            ..some.clone()
        };
        let here = "du_lieu".parse().ok();
        let level = files::Level {
            count: 1_284,
            bytes: 5_136_000_000,
            folders: vec![files::Folder {
                name: "tram_01".to_owned(),
                count: 12,
                bytes: 48_000_000,
            }],
            page: 2,
            last: 26,
            ..files::Level::default()
        };
        let many = Self {
            level: Some(FolderLevel::new(
                "/uploads/k3f9a-2bq71/files",
                "page",
                here.as_ref(),
                &level,
            )),
            here: "?folder=du_lieu".to_owned(),
            count: 1_284,
            ..some.clone()
        };
        vec![some, none, off, frozen, many]
    }
}

fn relations(chosen: &str) -> Vec<Choice> {
    [
        ("iscitedby", "Được trích dẫn bởi"),
        ("ispartof", "Là phần của"),
    ]
    .into_iter()
    .map(|(value, label)| Choice::new(value, label, value == chosen))
    .collect()
}

impl View for Describe {
    const TEMPLATE: &'static str = "pages/deposit/describe.html";

    fn samples() -> Vec<Self> {
        let full = Self {
            draft: draft(),
            title: Bilingual {
                vi: "Chất lượng nước mặt".to_owned(),
                en: "Surface water quality".to_owned(),
            },
            description: Bilingual {
                vi: "\nHai dòng\nđầu tiên".to_owned(),
                en: String::new(),
            },
            creators: vec![
                CreatorRow {
                    family_name: "Đặng".to_owned(),
                    given_name: "Thị Ngọc Thịnh".to_owned(),
                    identifier: "0000-0002-1825-0098".to_owned(),
                    affiliation: "Viện Nghiên cứu Nước".to_owned(),
                    organisation: false,
                },
                CreatorRow {
                    organisation: true,
                    family_name: "Viện Minh hoạ".to_owned(),
                    ..CreatorRow::default()
                },
                CreatorRow::default(),
            ],
            resource_types: vec![
                Choice::new("dataset", "Bộ dữ liệu", true),
                Choice::new("software", "Phần mềm", false),
            ],
            publication_date: "2026-03-12".to_owned(),
            licences: vec![
                Choice::new("cc-by-4.0", "CC BY 4.0", true),
                Choice::new("cc0-1.0", "CC0 1.0", false),
            ],
            keywords: "độ mặn\nMê Công".to_owned(),
            languages: vec![
                Choice::new("vie", "Tiếng Việt", true),
                Choice::new("eng", "Tiếng Anh", false),
            ],
            publisher: "Kho dữ liệu nghiên cứu".to_owned(),
            version: "3".to_owned(),
            related: vec![RelatedRow {
                identifier: "10.1234/example.2026".to_owned(),
                relations: relations("iscitedby"),
            }],
            funding: vec![FundingRow {
                funder: "Quỹ minh hoạ".to_owned(),
                award_number: "105.08-2020.01".to_owned(),
                award_title: String::new(),
            }],
            problems: vec![
                FieldProblem::at("creators.0.identifier", "Số kiểm tra của ORCID không đúng."),
                FieldProblem::at("creators.2.family_name", "Thiếu họ của tác giả."),
                FieldProblem::at("resource_type", "Chọn loại tài nguyên."),
                FieldProblem::at("languages", "Chọn ngôn ngữ."),
                FieldProblem::at("", "Bản nháp đã được sửa ở nơi khác."),
            ],
        };
        let empty = Self {
            draft: fresh(),
            title: Bilingual::default(),
            description: Bilingual::default(),
            creators: vec![CreatorRow::default()],
            related: Vec::new(),
            funding: Vec::new(),
            problems: Vec::new(),
            ..full.clone()
        };
        vec![full, empty]
    }
}

impl View for AccessForm {
    const TEMPLATE: &'static str = "pages/deposit/access.html";

    fn samples() -> Vec<Self> {
        let open = Self {
            draft: draft(),
            access: "open".to_owned(),
            embargo_until: String::new(),
            embargo_reason: String::new(),
            problems: Vec::new(),
        };
        let wrong = Self {
            access: "embargoed".to_owned(),
            embargo_until: "2020-01-01".to_owned(),
            problems: vec![FieldProblem::at("embargo_until", "Ngày phải ở tương lai.")],
            ..open.clone()
        };
        vec![open, wrong]
    }
}

impl View for Publish {
    const TEMPLATE: &'static str = "pages/deposit/publish.html";

    fn samples() -> Vec<Self> {
        let answer = |label: &str, values: Vec<Text>, field: &str| Answer {
            label: label.to_owned(),
            values,
            task: Task::Describe.code(),
            field: field.to_owned(),
        };
        let title = vec![
            Text::new("vi", "Chất lượng nước mặt"),
            Text::new("en", "Surface water quality"),
        ];
        let blocked = Self {
            draft: draft(),
            answers: vec![
                answer("Tiêu đề", title, "title.vi"),
                answer("Tác giả", Vec::new(), "creators.0.family_name"),
            ],
            files: 0,
            bytes: 0,
            checks: checks().into_iter().take(2).collect(),
            ready: false,
            problems: Vec::new(),
        };
        let warned = Self {
            files: 2,
            bytes: 24_960,
            checks: checks().into_iter().skip(1).take(1).collect(),
            ready: true,
            problems: vec![FieldProblem::at(
                "confirm",
                "Hãy xác nhận trước khi công bố.",
            )],
            ..blocked.clone()
        };
        let ready = Self {
            draft: editing(),
            checks: Vec::new(),
            problems: Vec::new(),
            ..warned.clone()
        };
        vec![blocked, warned, ready]
    }
}
