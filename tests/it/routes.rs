//! Who may call what: one row a route, one status a kind of caller. The rows are held against the API's own
//! description and against the router, so that a route without a row fails.

use std::collections::BTreeSet;

use kho::ctx::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, described, each};

/// What stands behind `{id}`; made anew for every call, so that no call sees another's traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Nothing,
    /// A complete draft of the owner with the file `a.csv`.
    Draft,
    /// The same, its file announced and nothing more.
    Announced,
    /// The same, its file sent and not confirmed.
    Sent,
    /// A draft of the owner, and an upload by tus that began and has no bytes yet.
    Uploading,
    /// The same, with a reserved DOI.
    Reserved,
    /// A published record of the owner with the file `a.csv`.
    Record,
    /// The draft of that record's next version.
    Next,
}
use Stage::*;

struct Row {
    method: Method,
    path: &'static str,
    stage: Stage,
    body: Option<fn() -> Value>,
    /// anonymous, stranger, owner, curator, admin
    expected: [u16; 5],
}

const WHO: [&str; 5] = ["anonymous", "stranger", "owner", "curator", "admin"];

fn table() -> Vec<Row> {
    let row = |method: &str, path, stage, body, expected| Row {
        method: method.parse().unwrap(),
        path,
        stage,
        body,
        expected,
    };
    let none: Option<fn() -> Value> = None;
    let draft: Option<fn() -> Value> = Some(|| json!({ "metadata": described("Sửa") }));
    let keys: Option<fn() -> Value> = Some(|| json!([{ "key": "b.csv" }]));
    let token: Option<fn() -> Value> = Some(|| json!({ "name": "t" }));
    let reason: Option<fn() -> Value> = Some(|| json!({ "removal_reason": { "id": "retracted" } }));
    let quota: Option<fn() -> Value> = Some(|| json!({ "quota_size": 1_000_000 }));
    let everybody = [200; 5];
    let signed_in = [401, 200, 200, 200, 200];
    // A draft of somebody else is not there; for a curator it is.
    let theirs = |status| [401, 404, status, status, status];
    // A published record is there for all, and not everybody's to change.
    let keepers = |status| [401, 403, status, status, status];
    let admins = |status| [401, 403, 403, 403, status];
    // With a token nobody is signed in as a person.
    let in_person = [401, 403, 403, 403, 403];
    let content = "/api/records/{id}/draft/files/{key}/content";
    vec![
        row("GET", "/api/records", Record, none, everybody),
        row(
            "POST",
            "/api/records",
            Nothing,
            draft,
            [401, 201, 201, 201, 201],
        ),
        row("GET", "/api/records/{id}", Record, none, everybody),
        row("GET", "/api/records/{id}/versions", Record, none, everybody),
        row(
            "POST",
            "/api/records/{id}/versions",
            Record,
            none,
            keepers(201),
        ),
        row(
            "GET",
            "/api/records/{id}/versions/latest",
            Record,
            none,
            [301; 5],
        ),
        row(
            "DELETE",
            "/api/records/{id}/delete",
            Record,
            reason,
            admins(204),
        ),
        row(
            "POST",
            "/api/records/{id}/restore",
            Record,
            none,
            admins(200),
        ),
        row("GET", "/api/records/{id}/ledger", Record, none, everybody),
        row("GET", "/api/ledger/consistency", Record, none, [400; 5]),
        row("GET", "/api/ledger/witnesses", Nothing, none, everybody),
        row("GET", "/ledger/checkpoint", Nothing, none, everybody),
        row("GET", "/ledger/tile/{path}", Record, none, everybody),
        // Nobody's signature is not a witness's, whoever sends it.
        row("POST", "/ledger/add-cosignature", Nothing, none, [400; 5]),
        row("GET", "/api/records/{id}/files", Record, none, everybody),
        row(
            "GET",
            "/api/records/{id}/files-archive",
            Record,
            none,
            everybody,
        ),
        row(
            "GET",
            "/api/records/{id}/files/{key}/content",
            Record,
            none,
            everybody,
        ),
        row("GET", "/api/records/{id}/draft", Draft, none, theirs(200)),
        row("PUT", "/api/records/{id}/draft", Draft, draft, theirs(200)),
        row(
            "POST",
            "/api/records/{id}/draft",
            Record,
            none,
            keepers(201),
        ),
        row(
            "DELETE",
            "/api/records/{id}/draft",
            Draft,
            none,
            theirs(204),
        ),
        row(
            "POST",
            "/api/records/{id}/draft/actions/publish",
            Draft,
            none,
            theirs(202),
        ),
        row(
            "POST",
            "/api/records/{id}/draft/actions/files-import",
            Next,
            none,
            theirs(201),
        ),
        row(
            "POST",
            "/api/records/{id}/draft/pids/doi",
            Draft,
            none,
            theirs(201),
        ),
        row(
            "DELETE",
            "/api/records/{id}/draft/pids/doi",
            Reserved,
            none,
            theirs(200),
        ),
        row(
            "GET",
            "/api/records/{id}/draft/files",
            Draft,
            none,
            theirs(200),
        ),
        row(
            "POST",
            "/api/records/{id}/draft/files",
            Draft,
            keys,
            theirs(201),
        ),
        row(
            "DELETE",
            "/api/records/{id}/draft/files",
            Draft,
            none,
            theirs(204),
        ),
        row(
            "GET",
            "/api/records/{id}/draft/files/{key}",
            Draft,
            none,
            theirs(200),
        ),
        row("GET", content, Draft, none, theirs(200)),
        row("PUT", content, Announced, draft, theirs(200)),
        row(
            "POST",
            "/api/records/{id}/draft/files/{key}/commit",
            Sent,
            none,
            theirs(200),
        ),
        row(
            "DELETE",
            "/api/records/{id}/draft/files/{key}",
            Draft,
            none,
            theirs(204),
        ),
        row("OPTIONS", "/api/uploads", Nothing, none, [204; 5]),
        row("POST", "/api/uploads", Uploading, none, theirs(201)),
        row("HEAD", "/api/uploads/{id}", Uploading, none, theirs(200)),
        row("PATCH", "/api/uploads/{id}", Uploading, none, theirs(204)),
        row("DELETE", "/api/uploads/{id}", Uploading, none, theirs(204)),
        row("GET", "/api/admin/storage", Nothing, none, admins(200)),
        row(
            "GET",
            "/api/records/{id}/draft/quota",
            Draft,
            none,
            theirs(200),
        ),
        row("GET", "/api/user/quota", Nothing, none, signed_in),
        row("GET", "/api/quotas", Nothing, none, admins(200)),
        row(
            "GET",
            "/api/quotas/{scope}/{subject}",
            Nothing,
            none,
            admins(200),
        ),
        row(
            "PUT",
            "/api/quotas/{scope}/{subject}",
            Nothing,
            quota,
            admins(200),
        ),
        row(
            "DELETE",
            "/api/quotas/{scope}/{subject}",
            Nothing,
            none,
            admins(204),
        ),
        row("GET", "/api/user/records", Draft, none, signed_in),
        row("GET", "/api/user/tokens", Nothing, none, signed_in),
        row("POST", "/api/user/tokens", Nothing, token, in_person),
        row("DELETE", "/api/user/tokens/{id}", Nothing, none, in_person),
        row("GET", "/api/vocabularies", Nothing, none, everybody),
        row("GET", "/api/vocabularies/{type}", Nothing, none, everybody),
        row(
            "GET",
            "/api/vocabularies/{type}/{id}",
            Nothing,
            none,
            everybody,
        ),
        row("GET", "/api/openapi.json", Nothing, none, everybody),
    ]
}

#[test]
fn every_route_answers_everybody_as_the_table_says() {
    each(async |app| {
        let mut tokens = vec![None];
        for (name, role) in [
            ("stranger", Role::Depositor),
            ("owner", Role::Depositor),
            ("curator", Role::Curator),
            ("admin", Role::Admin),
        ] {
            tokens.push(Some(app.account_as(name, role).await));
        }
        let owner = tokens[2].clone().unwrap();
        let mut wrong = Vec::new();
        for row in table() {
            for (who, (token, expected)) in tokens.iter().zip(row.expected).enumerate() {
                let path = stage(app, &owner, row.stage, row.path).await;
                let client = match token {
                    Some(token) => app.as_(token),
                    None => app.anyone(),
                };
                let mut request = client.request(row.method.clone(), &path);
                if let Some(body) = row.body {
                    request = request.json(&body());
                }
                if let Some((_, record)) = path.split_once("?record=") {
                    request = tus(request, record);
                }
                let answer = client.send(request).await;
                if answer.status != expected {
                    wrong.push(format!(
                        "{} {} by {}: {} instead of {expected}",
                        row.method, row.path, WHO[who], answer.status
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

/// The headers that every call of tus may carry.
fn tus(request: reqwest::RequestBuilder, record: &str) -> reqwest::RequestBuilder {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let metadata = format!(
        "record {},key {}",
        BASE64_STANDARD.encode(record),
        BASE64_STANDARD.encode("b.csv")
    );
    request
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Metadata", metadata)
        .header("Upload-Length", "3")
        .header("Upload-Offset", "0")
        .header("Content-Type", "application/offset+octet-stream")
}

/// Makes what a call is about and gives its path.
async fn stage(app: &TestApp, owner: &str, stage: Stage, path: &str) -> String {
    let client = app.as_(owner);
    let mut id = "1".to_owned();
    if stage != Nothing {
        id = client.draft(described("Bảng quyền")).await;
    }
    if matches!(stage, Announced | Sent) {
        let files = format!("/api/records/{id}/draft/files");
        client
            .post_json(&files, &json!([{ "key": "a.csv" }]))
            .await
            .is(201);
    }
    if stage == Sent {
        let content = format!("/api/records/{id}/draft/files/a.csv/content");
        client.put(&content, "a").await.is(200);
    }
    if matches!(stage, Draft | Record | Next) {
        client.upload(&id, "a.csv", "a").await;
    }
    if stage == Uploading {
        if path == "/api/uploads" {
            return format!("{path}?record={id}");
        }
        let begin = client.request(Method::POST, "/api/uploads");
        let begun = client.send(tus(begin, &id)).await.is(201);
        return format!("{}?record={id}", begun.header("location"));
    }
    if stage == Reserved {
        client
            .post(&format!("/api/records/{id}/draft/pids/doi"))
            .await
            .is(201);
    }
    if matches!(stage, Record | Next) {
        client.publish(&id).await;
    }
    if stage == Next {
        let next = client
            .post(&format!("/api/records/{id}/versions"))
            .await
            .is(201);
        next.json()["id"].as_str().unwrap().clone_into(&mut id);
    }
    if path.contains("ledger") {
        kho::ledger::integrate(&app.env).await.unwrap();
    }
    if path.starts_with("/api/vocabularies") {
        return path
            .replace("{type}", "resourcetypes")
            .replace("{id}", "dataset");
    }
    path.replace("{id}", &id)
        .replace("{key}", "a.csv")
        .replace("{path}", "0/000.p/1")
        .replace("{scope}/{subject}", "community/hai-duong")
}

#[test]
fn every_route_that_is_described_has_a_row() {
    let described = serde_json::to_value(kho::api::description()).unwrap();
    let rows: BTreeSet<(String, String)> = table()
        .iter()
        .map(|row| (row.method.to_string(), row.path.to_owned()))
        .collect();
    let mut missing = Vec::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            if !rows.contains(&(method.to_uppercase(), path.clone())) {
                missing.push(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "no row in the table:\n{}",
        missing.join("\n")
    );
}

/// What the router serves and the description does not mention would escape the test above.
#[test]
fn every_path_of_the_router_has_a_row() {
    let source = include_str!("../../src/api/mod.rs");
    let rows = table();
    let mut seen = 0;
    for piece in source.split(".route(").skip(1) {
        let path = piece.split('"').nth(1).unwrap();
        if path == "/api/{*rest}" {
            continue; // where nothing is
        }
        seen += 1;
        let fixed = |path: &str| -> Vec<String> {
            let parts = path.trim_end_matches('/').split('/');
            let parts = parts.map(|p| if p.starts_with('{') { "{}" } else { p });
            parts.map(ToOwned::to_owned).collect()
        };
        let found = rows.iter().any(|row| match path.split_once("/{*") {
            Some((before, _)) => {
                fixed(row.path).starts_with(&fixed(before)) && row.path.len() > before.len()
            }
            None => fixed(row.path) == fixed(path),
        });
        assert!(found, "{path} has no row in the table");
    }
    assert!(
        seen > 20,
        "the router is written differently now: mend this test"
    );
}
