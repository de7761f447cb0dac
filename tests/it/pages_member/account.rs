//! Signing in and out, the first administrator, tokens.

use kho::{
    ctx::Role,
    people::{account, setup},
    text::{Locale, say},
};
use reqwest::StatusCode;

use super::{PASSWORD, account_of, member};
use crate::{app::each, browser::Browser};

#[test]
fn a_wrong_password_and_an_unknown_account_look_the_same_and_tire() {
    each(async |app| {
        account_of(app, "lan").await;
        let mut answers = Vec::new();
        for email in ["lan@example.org", "nobody@example.org"] {
            let browser = Browser::new(&app.url);
            let page = browser
                .get("/en/login?next=/en/uploads/new")
                .await
                .expect(200);
            let form = page
                .form("/login")
                .set("email", email)
                .set("password", "not the password");
            let page = browser.send(&form).await.expect(422);
            assert_eq!(page.value("email").as_deref(), Some(email));
            assert_eq!(page.value("next").as_deref(), Some("/en/uploads/new"));
            assert_eq!(page.value("password").as_deref(), Some(""));
            page.says(&say(Locale::En, "login-wrong", &[]));
            answers.push(page.text());

            for _ in 1..10 {
                browser.send(&form).await.expect(422);
            }
            let tired = browser
                .send(&form.clone().set("password", PASSWORD))
                .await
                .expect(429);
            assert!(tired.headers.contains_key("retry-after"));
            answers.push(tired.text().split("Try again").next().unwrap().to_owned());
        }
        assert_eq!(answers[0], answers[2]);
        assert_eq!(answers[1], answers[3]);
    });
}

#[test]
fn sign_in_leads_back_and_nowhere_else_and_sign_out_ends_it() {
    each(async |app| {
        account_of(app, "lan").await;
        let browser = Browser::new(&app.url);
        let page = browser.get("/en/me/tokens").await.expect(200);
        assert!(page.at.starts_with("/en/login?next="), "{}", page.at);
        let form = page
            .form("/login")
            .set("email", " LAN@example.org")
            .set("password", PASSWORD);
        let page = browser.send(&form).await.expect(200);
        assert_eq!(page.at, "/en/me/tokens");
        // Signed in already: the page of signing in leads on.
        assert_eq!(browser.get("/en/login").await.at, "/en/me/records");
        let out = browser.send(&page.form("/logout")).await;
        assert_eq!(out.at, "/en");
        assert!(browser.get("/en/me/tokens").await.at.contains("/login"));
        for evil in ["https://evil.example/", "//evil.example", "/\\evil.example"] {
            let browser = Browser::new(&app.url);
            let page = browser.get("/vi/login").await;
            let form = page
                .form("/login")
                .set("next", evil)
                .set("email", "lan@example.org")
                .set("password", PASSWORD);
            assert_eq!(browser.send(&form).await.at, "/vi/me/records", "{evil}");
        }
    });
}

#[test]
fn the_setup_link_makes_one_administrator() {
    each(async |app| {
        let key = setup::invite(&app.env).await.unwrap().unwrap();
        let browser = Browser::new(&app.url);
        browser.get("/vi/setup?key=wrong").await.expect(404);
        browser.get("/vi/setup").await.expect(404);
        let path = format!("/vi/setup?key={key}");
        let page = browser.get(&path).await.expect(200);
        let form = page
            .form("/setup")
            .set("name", "Minh")
            .set("email", "minh")
            .set("password", "ngắn");
        let page = browser
            .send(&form.clone().set("password_again", "khác"))
            .await
            .expect(422);
        for wrong in ["email", "password", "password_again"] {
            assert!(
                page.html.contains(&format!("<a href=\"#{wrong}\">")),
                "{wrong}"
            );
        }
        assert_eq!(page.value("name").as_deref(), Some("Minh"));
        assert_eq!(page.value("password").as_deref(), Some(""));
        let form = form
            .set("email", "minh@example.org")
            .set("password", PASSWORD)
            .set("password_again", PASSWORD);
        let page = browser.send(&form).await.expect(200);
        assert_eq!(page.at, "/vi/me/records");
        page.says(&say(Locale::Vi, "notice-set-up", &[]));
        assert!(!browser.get("/vi/me/records").await.text().contains(&say(
            Locale::Vi,
            "notice-set-up",
            &[]
        )));
        let made = account::by_email(&app.env, "minh@example.org")
            .await
            .unwrap();
        assert_eq!(made.role, Role::Admin);
        // Used up, for anybody.
        let other = Browser::new(&app.url);
        other.get(&path).await.expect(404);
    });
}

#[test]
fn a_token_is_shown_once_works_and_is_revoked() {
    each(async |app| {
        let browser = member(app, "lan", "vi").await;
        let page = browser.get("/vi/me/tokens").await.expect(200);
        let mut none = page.form("/me/tokens").set("name", "Máy đo");
        none.fields.retain(|(n, _)| n != "scopes");
        let page = browser.send(&none).await.expect(422);
        page.says(&say(Locale::Vi, "problem-token-scopes-none", &[]));
        let form = page.form("/me/tokens").only("scopes", "deposit:write");
        assert_eq!(
            form.fields.iter().find(|(n, _)| n == "name").unwrap().1,
            "Máy đo"
        );
        let page = browser.send(&form).await.expect(201);
        let secret = page
            .html
            .split("id=\"secret\">")
            .nth(1)
            .unwrap()
            .split('<')
            .next()
            .unwrap()
            .to_owned();
        assert!(secret.starts_with("kho_"));
        let again = browser.get("/vi/me/tokens").await.expect(200);
        assert!(again.text().contains("Máy đo") && !again.html.contains(&secret));

        let api = reqwest::Client::new();
        let own = format!("{}/api/user/records", app.url);
        let ask = || api.get(&own).bearer_auth(&secret).send();
        assert_eq!(ask().await.unwrap().status(), StatusCode::OK);
        // A token is no way to more tokens.
        let page = api
            .get(format!("{}/vi/me/tokens", app.url))
            .bearer_auth(&secret)
            .send()
            .await
            .unwrap();
        assert_eq!(page.status(), StatusCode::FORBIDDEN);

        let other = member(app, "minh", "vi").await;
        let mut theirs = again.form("/revoke");
        theirs.fields = other.get("/vi/me/tokens").await.form("/me/tokens").fields;
        other.send(&theirs).await.expect(404);
        assert_eq!(ask().await.unwrap().status(), StatusCode::OK);
        browser
            .send(&again.form("/revoke"))
            .await
            .expect(200)
            .says(&say(Locale::Vi, "tokens-none", &[]));
        assert_eq!(ask().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    });
}
