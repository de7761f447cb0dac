//! The signed-in pages, used as a person without scripts uses them: only through forms that are on the page.

mod account;
mod deposit;
mod forms;

use kho::{
    ctx::Role,
    people::account::{NewAccount, create},
    text::Locale,
};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::{
    app::TestApp,
    browser::{Browser, Page},
};

const PASSWORD: &str = "một câu dễ nhớ";

async fn account_of(app: &TestApp, name: &str) {
    let new = NewAccount {
        email: format!("{name}@example.org"),
        name: name.to_owned(),
        role: Role::Depositor,
        password: Some(PASSWORD.to_owned()),
        locale: Locale::Vi,
    };
    create(&app.env, new).await.unwrap();
}

async fn sign_in(browser: &Browser, name: &str, lang: &str) -> Page {
    let page = browser.get(&format!("/{lang}/login")).await.expect(200);
    let form = page
        .form("/login")
        .set("email", &format!("{name}@example.org"))
        .set("password", PASSWORD);
    browser.send(&form).await.expect(200)
}

async fn member(app: &TestApp, name: &str, lang: &str) -> Browser {
    account_of(app, name).await;
    let browser = Browser::new(&app.url);
    let page = sign_in(&browser, name, lang).await;
    assert_eq!(page.at, format!("/{lang}/me/records"));
    browser
}

/// Begins a draft and gives its address, `/vi/uploads/k3f9a-2bq71`.
async fn begin(browser: &Browser, lang: &str, title: &str) -> String {
    let start = browser
        .get(&format!("/{lang}/uploads/new"))
        .await
        .expect(200);
    let page = browser
        .send(&start.form("/uploads/new").set("title", title))
        .await;
    page.expect(200).at
}

async fn read(browser: &Browser, path: &str) -> Value {
    let response = browser.request(Method::GET, path).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    response.json().await.unwrap()
}

/// A small record, published by forms.
async fn publish_one(browser: &Browser, lang: &str) -> String {
    let draft = begin(browser, lang, "Mưa ở trạm Láng").await;
    let page = browser.get(&format!("{draft}/files")).await;
    browser
        .send_files(&page.form("/files"), &[("a.csv", b"a\n1\n")])
        .await
        .expect(200);
    let form = browser
        .get(&format!("{draft}/describe"))
        .await
        .form("/describe");
    let form = form
        .set("creators.0.family_name", "Lê")
        .press("do", "continue");
    browser.send(&form).await.expect(200);
    let form = browser
        .get(&format!("{draft}/publish"))
        .await
        .form("/publish");
    browser.send(&form.choose("confirm", "yes")).await;
    draft.rsplit('/').next().unwrap().to_owned()
}

fn part(name: &str) -> reqwest::multipart::Part {
    reqwest::multipart::Part::bytes(b"x".to_vec()).file_name(name.to_owned())
}
