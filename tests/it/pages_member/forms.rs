//! Forms that are not ours, or not this browser's.

use kho::text::{Locale, say};
use reqwest::{Method, StatusCode};

use super::{PASSWORD, begin, member, part, publish_one};
use crate::{
    app::each,
    browser::{Browser, Page},
};

#[test]
fn a_form_that_is_not_ours_changes_nothing() {
    each(async |app| {
        let browser = member(app, "lan", "vi").await;
        let id = publish_one(&browser, "vi").await;
        let draft = begin(&browser, "vi", "Bản nháp").await;
        let drafts = |page: &Page| page.text().matches("Bản nháp").count();
        let before = browser.get("/vi/me/records").await;
        let tokens = browser.get("/vi/me/tokens").await.form("/me/tokens");
        let paths = [
            "/vi/uploads/new".to_owned(),
            format!("{draft}/files"),
            format!("{draft}/describe"),
            format!("{draft}/access"),
            format!("{draft}/publish"),
            format!("{draft}/doi"),
            format!("{draft}/doi/release"),
            format!("{draft}/discard"),
            format!("/vi/records/{id}/edit"),
            format!("/vi/records/{id}/versions"),
            "/vi/me/tokens".to_owned(),
            "/vi/me/tokens/1/revoke".to_owned(),
            "/vi/logout".to_owned(),
        ];
        for path in &paths {
            for token in [None, Some("x"), Some("")] {
                let mut fields = vec![
                    ("title", "x"),
                    ("do", "disable"),
                    ("confirm", "yes"),
                    ("revision", "1"),
                ];
                fields.extend(token.map(|t| ("csrf_token", t)));
                let sent = browser
                    .request(Method::POST, path)
                    .form(&fields)
                    .send()
                    .await
                    .unwrap();
                assert_eq!(sent.status(), StatusCode::BAD_REQUEST, "{path}");
            }
            // Another site's page, with the right token (it leaked, say): the browser tells where it came from.
            let token = tokens.fields[0].1.clone();
            let sent = browser
                .request(Method::POST, path)
                .header("sec-fetch-site", "cross-site")
                .form(&[("csrf_token", token.as_str())])
                .send()
                .await
                .unwrap();
            assert_eq!(sent.status(), StatusCode::BAD_REQUEST, "{path}");
        }
        // A file before its proof, and without one.
        for parts in [
            reqwest::multipart::Form::new()
                .part("file", part("a.txt"))
                .text("csrf_token", tokens.fields[0].1.clone()),
            reqwest::multipart::Form::new()
                .text("csrf_token", "x")
                .part("file", part("a.txt")),
        ] {
            let sent = browser
                .request(Method::POST, &format!("{draft}/files"))
                .multipart(parts)
                .send()
                .await
                .unwrap();
            assert_eq!(sent.status(), StatusCode::BAD_REQUEST);
        }
        let after = browser.get("/vi/me/records").await.expect(200);
        assert_eq!(drafts(&before), drafts(&after));
        assert!(
            !browser
                .get(&format!("{draft}/files"))
                .await
                .text()
                .contains("a.txt")
        );
        assert!(browser.get("/vi/me/tokens").await.text().contains(&say(
            Locale::Vi,
            "tokens-none",
            &[]
        )));
        // Nor does sign-in work without the cookie of its page.
        let stranger = Browser::new(&app.url);
        let fields = [
            ("email", "lan@example.org"),
            ("password", PASSWORD),
            ("csrf_token", "x"),
        ];
        let page = stranger
            .request(Method::POST, "/vi/login")
            .form(&fields)
            .send()
            .await
            .unwrap();
        assert_eq!(page.status(), StatusCode::BAD_REQUEST);
        assert!(stranger.get("/vi/me/records").await.at.contains("/login"));
    });
}
