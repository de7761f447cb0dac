//! Examples of the account pages and of the page about the repository. The data is invented.

use super::view::*;
use crate::{
    pages::parts::{Choice, FieldProblem, Link, Pager},
    web::render::View,
};

impl View for Login {
    const TEMPLATE: &'static str = "pages/account/login.html";

    fn samples() -> Vec<Self> {
        let plain = Self {
            email: String::new(),
            next: String::new(),
            problems: Vec::new(),
            demo_accounts: Vec::new(),
        };
        let wrong = Self {
            email: "a@example.org".to_owned(),
            next: "/vi/uploads/new".to_owned(),
            problems: vec![FieldProblem::at("email", "Email hoặc mật khẩu không đúng.")],
            demo_accounts: vec![DemoAccount {
                email: "demo@example.org".to_owned(),
                password: "demo-demo".to_owned(),
                role: "depositor".to_owned(),
            }],
        };
        vec![plain, wrong]
    }
}

impl View for Setup {
    const TEMPLATE: &'static str = "pages/account/setup.html";

    fn samples() -> Vec<Self> {
        let plain = Self {
            token: "secret".to_owned(),
            name: String::new(),
            email: String::new(),
            min_password: 12,
            problems: Vec::new(),
        };
        let mut wrong = plain.clone();
        "Trần Văn Minh".clone_into(&mut wrong.name);
        wrong.problems = vec![FieldProblem::at("password", "Mật khẩu quá ngắn.")];
        vec![plain, wrong]
    }
}

impl View for Mine {
    const TEMPLATE: &'static str = "pages/account/records.html";

    fn samples() -> Vec<Self> {
        let row = |state, title: &str| MineRow {
            id: "k3f9a-2bq71".to_owned(),
            title: title.to_owned(),
            lang: "vi".to_owned(),
            url: "/uploads/k3f9a-2bq71".to_owned(),
            state,
            version: Some("2".to_owned()),
            doi: Some("10.5072/k3f9a-2bq71".to_owned()),
            updated: "2026-03-12".to_owned(),
            files: 5,
            bytes: 412_000_000,
        };
        let drafts = Self {
            tab: Tab::Drafts,
            drafts: 3,
            published: 41,
            rows: vec![
                row("new", ""),
                row("version", "Chất lượng nước mặt"),
                row("edit", "Lúa"),
            ],
            pager: None,
        };
        let states = [
            "open",
            "embargoed",
            "restricted",
            "metadata-only",
            "withdrawn",
        ];
        let published = Self {
            tab: Tab::Published,
            rows: states
                .map(|s| row(s, "Chất lượng nước mặt Đồng bằng sông Cửu Long"))
                .into(),
            pager: Pager::new(2, 3, |n| format!("/me/records?show=published&page={n}")),
            ..drafts.clone()
        };
        let none = Self {
            drafts: 0,
            published: 0,
            rows: Vec::new(),
            ..drafts.clone()
        };
        let none_published = Self {
            tab: Tab::Published,
            ..none.clone()
        };
        vec![drafts, published, none, none_published]
    }
}

impl View for Tokens {
    const TEMPLATE: &'static str = "pages/account/tokens.html";

    fn samples() -> Vec<Self> {
        let row = |expires: Option<&str>, expired| TokenRow {
            id: "1".to_owned(),
            name: "Máy đo trạm Bến Tre".to_owned(),
            scopes: vec!["deposit:write".to_owned(), "deposit:actions".to_owned()],
            created: "2026-03-12".to_owned(),
            expires: expires.map(ToOwned::to_owned),
            last_used: expires.map(ToOwned::to_owned),
            expired,
        };
        let full = Self {
            tokens: vec![row(None, false), row(Some("2026-05-01"), true)],
            created: Some(Created {
                name: "Sổ tay".to_owned(),
                secret: "kho_2f6c1b0d9e8a7f6c5b4a39281706f5e4d3c2b1a0".to_owned(),
            }),
            name: String::new(),
            scopes: vec![
                Choice::new("deposit:write", "Tạo và sửa bản nháp", true),
                Choice::new("deposit:actions", "Công bố", false),
            ],
            expires: vec![
                Choice::new("30", "30 ngày", true),
                Choice::new("365", "1 năm", false),
            ],
            problems: Vec::new(),
        };
        let wrong = Self {
            tokens: Vec::new(),
            created: None,
            problems: vec![FieldProblem::at("name", "Đặt tên cho mã.")],
            ..full.clone()
        };
        vec![full, wrong]
    }
}

impl View for About {
    const TEMPLATE: &'static str = "pages/about.html";

    fn samples() -> Vec<Self> {
        let test = Self {
            admin_email: None,
            doi_prefix: "10.5072".to_owned(),
            test_doi: true,
            max_files: 10_000,
            max_bytes: 50_000_000_000,
            formats: vec![
                Link::new("BibTeX", "bibtex"),
                Link::new("DataCite XML", "datacite-xml"),
            ],
            example: None,
        };
        let live = Self {
            admin_email: Some("kho@example.org".to_owned()),
            test_doi: false,
            example: Some("k3f9a-2bq71".to_owned()),
            ..test.clone()
        };
        vec![test, live]
    }
}
