//! How callers prove who they are: tokens with scopes and an end, cookies with a proof that the page meant it.

use reqwest::Method;
use serde_json::json;

use crate::app::{DAY, described, each};

#[test]
fn a_token_does_what_its_scopes_say() {
    each(async |app| {
        let all = app.account("lan").await;
        let read = app.token("lan", &["read"]).await;
        let write = app.token("lan", &["deposit:write"]).await;
        let act = app.token("lan", &["deposit:actions"]).await;
        let id = app.as_(&all).draft(described("Phạm vi")).await;
        app.as_(&all).upload(&id, "a.csv", "a").await;
        let at = format!("/api/records/{id}/draft");
        let body = json!({"metadata": described("Phạm vi")});
        for token in [&read, &write, &act] {
            app.as_(token).get(&at).await.is(200);
        }
        for (token, create, replace) in [(&read, 403, 403), (&act, 403, 403), (&write, 201, 200)] {
            app.as_(token)
                .post_json("/api/records", &body)
                .await
                .is(create);
            app.as_(token).put_json(&at, &body).await.is(replace);
        }
        let publish = format!("{at}/actions/publish");
        app.as_(&read).post(&publish).await.is(403);
        app.as_(&write).post(&publish).await.is(403);
        app.as_(&act).post(&publish).await.is(202);
    });
}

#[test]
fn a_wrong_or_ended_token_is_an_error_and_not_an_anonymous_call() {
    each(async |app| {
        app.account("lan").await;
        let short = app.token_for("lan", &[], Some(2)).await;
        app.as_(&short).get("/api/records").await.is(200);
        for wrong in ["", "kho_", "kho_wrong", "x", &"k".repeat(5_000)] {
            let refused = app.as_(wrong).get("/api/records").await.is(401);
            assert_eq!(refused.header("www-authenticate"), "Bearer");
        }
        let anyone = app.anyone();
        let basic = anyone
            .get_with("/api/records", "authorization", "Basic bGFuOngK")
            .await;
        basic.is(401);
        app.pass(2 * DAY);
        app.as_(&short).get("/api/records").await.is(401);
    });
}

#[test]
fn a_cookie_alone_changes_nothing() {
    each(async |app| {
        app.account("lan").await;
        let (cookie, csrf) = app.browser("lan").await;
        let anyone = app.anyone();
        let call = async |headers: &[(&str, &str)]| {
            let mut request = anyone.request(Method::POST, "/api/records");
            request = request.header("cookie", &cookie).json(&json!({}));
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            anyone.send(request).await
        };
        anyone
            .get_with("/api/user/records", "cookie", &cookie)
            .await
            .is(200);
        call(&[]).await.is(400);
        call(&[("x-csrftoken", "wrong")]).await.is(400);
        call(&[("x-csrftoken", &csrf), ("sec-fetch-site", "cross-site")])
            .await
            .is(400);
        call(&[
            ("x-csrftoken", &csrf),
            ("origin", "https://elsewhere.example"),
        ])
        .await
        .is(400);
        call(&[("x-csrftoken", &csrf), ("origin", &app.url)])
            .await
            .is(201);
        call(&[("x-csrftoken", &csrf), ("sec-fetch-site", "same-origin")])
            .await
            .is(201);
        app.pass(15 * DAY);
        anyone
            .get_with("/api/user/records", "cookie", &cookie)
            .await
            .is(401);
    });
}

#[test]
fn tokens_are_made_and_ended_in_person_only() {
    each(async |app| {
        let token = app.account("lan").await;
        app.account("binh").await;
        let at = "/api/user/tokens";
        let (cookie, csrf) = app.browser("lan").await;
        let (other, other_csrf) = app.browser("binh").await;
        let anyone = app.anyone();
        let call =
            async |method: Method, path: &str, who: (&str, &str), body: serde_json::Value| {
                let request = anyone.request(method, path).header("cookie", who.0);
                anyone
                    .send(request.header("x-csrftoken", who.1).json(&body))
                    .await
            };
        let lan = (cookie.as_str(), csrf.as_str());
        let binh = (other.as_str(), other_csrf.as_str());
        app.as_(&token)
            .post_json(at, &json!({"name": "x"}))
            .await
            .is(403);
        anyone.post_json(at, &json!({"name": "x"})).await.is(401);
        for wrong in [
            json!({}),
            json!({"name": "x", "scopes": ["root"]}),
            json!({"name": "x", "days": 0}),
        ] {
            call(Method::POST, at, lan, wrong).await.is(400);
        }
        let body = json!({"name": "máy tính", "scopes": ["read"], "days": 30});
        let made = call(Method::POST, at, lan, body).await.is(201).json();
        let secret = made["token"].as_str().unwrap();
        app.as_(secret).get("/api/user/records").await.is(200);
        let listed = app.as_(&token).get(at).await.is(200);
        assert_eq!(listed.json()["hits"]["total"], 2);
        assert!(!String::from_utf8_lossy(&listed.body).contains(secret));
        let one = format!("{at}/{}", made["id"].as_str().unwrap());
        call(Method::DELETE, &one, binh, json!({})).await.is(404);
        call(Method::DELETE, &one, lan, json!({})).await.is(204);
        app.as_(secret).get("/api/user/records").await.is(401);
    });
}
