//! `/uploads/{id}/access`: who may have the files, and from when.

use axum::{body::Body, extract::Path, http::StatusCode, response::Response};
use serde_json::{Map, Value, json};

use super::{
    controls::Task,
    draft::{Saved, address, conflict, load, malformed_of, problems_of, said, save, view},
    view::AccessForm,
};
use crate::{
    deposit,
    error::Result,
    pages::{parts::FieldProblem, sent::Sent, shell::Visit},
};

/// What the controls say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Values {
    /// `open`, `embargoed`, `restricted`
    access: String,
    until: String,
    reason: String,
}

/// What the page shows of the access section as it was sent.
fn shown(raw: &Value) -> Values {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let embargo = &raw["embargo"];
    let closed = |part: &Value| !part.is_null() && part != "public";
    let access = if embargo["active"] == true {
        "embargoed"
    } else if closed(&raw["files"]) || closed(&raw["record"]) {
        "restricted"
    } else {
        "open"
    };
    Values {
        access: access.to_owned(),
        until: text(&embargo["until"]),
        reason: text(&embargo["reason"]),
    }
}

/// The section with what was changed. A record that was hidden through the API stays so until somebody
/// chooses to open it.
fn written(raw: &Value, typed: &Values) -> Value {
    let before = shown(raw);
    if before == *typed {
        return raw.clone();
    }
    let mut out = raw.as_object().cloned().unwrap_or_default();
    let mut embargo = Map::new();
    let files = if typed.access == "open" {
        "public"
    } else {
        "restricted"
    };
    if typed.access == "open" {
        out.insert("record".to_owned(), "public".into());
    }
    out.insert("files".to_owned(), files.into());
    if typed.access == "embargoed" {
        embargo.insert("active".to_owned(), true.into());
        for (key, text) in [("until", &typed.until), ("reason", &typed.reason)] {
            if !text.trim().is_empty() {
                embargo.insert(key.to_owned(), text.trim().into());
            }
        }
    }
    let embargo = if embargo.is_empty() {
        json!({"active": false})
    } else {
        embargo.into()
    };
    out.insert("embargo".to_owned(), embargo);
    Value::Object(out)
}

pub async fn form(visit: Visit, Path(id): Path<String>) -> Response {
    let result = show(&visit, &id).await;
    visit.finish(result).await
}

async fn show(visit: &Visit, id: &str) -> Result<Response> {
    let (_, draft) = load(visit, id).await?;
    let problems = malformed_of(visit, &draft, Task::Access);
    let values = shown(&said(&draft).access);
    visit.page(&page(visit, &draft, values, problems))
}

pub async fn send(visit: Visit, Path(id): Path<String>, body: Body) -> Response {
    let result = keep(&visit, &id, body).await;
    visit.finish(result).await
}

async fn keep(visit: &Visit, id: &str, body: Body) -> Result<Response> {
    let (id, before) = load(visit, id).await?;
    let sent = Sent::proven(visit, body).await?;
    let typed = Values {
        access: sent.text("access").to_owned(),
        until: sent.text("embargo_until").to_owned(),
        reason: sent.text("embargo_reason").to_owned(),
    };
    if !matches!(typed.access.as_str(), "open" | "embargoed" | "restricted") {
        let told = FieldProblem::at("access", visit.say("access-choose", &[]));
        let again = page(visit, &before, typed, vec![told]);
        return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &again);
    }
    let kept = before.clone();
    let mut new = said(&before);
    new.access = written(&new.access, &typed);
    match save(visit, &id, before, sent.revision(), new).await? {
        Saved::Yes(draft) => {
            if sent.text("do") != "continue" {
                let here = address(&id, "access");
                return Ok(visit.see_other(&format!("{here}?saved=1")));
            }
            let problems = problems_of(visit, &draft, Task::Access);
            if problems.is_empty() {
                return Ok(visit.see_other(&address(&id, "publish")));
            }
            let again = page(visit, &draft, typed, problems);
            visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &again)
        }
        Saved::Overtaken(now) => overtaken(visit, &now, typed),
        Saved::Refused(status, problem) => {
            visit.page_as(status, &page(visit, &kept, typed, vec![problem]))
        }
    }
}

/// As on the page "describe": what was typed stays, what is saved now stands beside it.
fn overtaken(visit: &Visit, now: &deposit::Draft, typed: Values) -> Result<Response> {
    let saved = shown(&said(now).access);
    let mut problems = vec![FieldProblem::at("", visit.say("conflict-lead", &[]))];
    let choice = visit.say(&format!("access-choose-{}", saved.access), &[]);
    for (control, key, was, is, words) in [
        (
            "access",
            "access-files",
            &saved.access,
            &typed.access,
            &choice,
        ),
        (
            "embargo_until",
            "embargo-until",
            &saved.until,
            &typed.until,
            &saved.until,
        ),
        (
            "embargo_reason",
            "embargo-reason",
            &saved.reason,
            &typed.reason,
            &saved.reason,
        ),
    ] {
        if was != is {
            let told = conflict(visit, &visit.say(key, &[]), words);
            problems.push(FieldProblem::at(control, told));
        }
    }
    visit.page_as(StatusCode::CONFLICT, &page(visit, now, typed, problems))
}

fn page(
    visit: &Visit,
    draft: &deposit::Draft,
    values: Values,
    problems: Vec<FieldProblem>,
) -> AccessForm {
    AccessForm {
        draft: view(visit, draft),
        access: values.access,
        embargo_until: values.until,
        embargo_reason: values.reason,
        problems,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_page_changes_nothing() {
        for raw in [
            json!({}),
            json!({"record": "restricted"}),
            json!({"files": "restricted", "embargo": {"active": true, "until": "2030-01-01"}}),
            json!({"files": "nonsense", "embargo": {"active": false, "until": "2020-01-01"}}),
        ] {
            assert_eq!(written(&raw, &shown(&raw)), raw);
        }
    }

    #[test]
    fn each_choice_is_a_section_without_problems() {
        let typed = |access: &str| Values {
            access: access.to_owned(),
            until: "2031-05-01".to_owned(),
            reason: " bài báo ".to_owned(),
        };
        let embargo = written(&json!({}), &typed("embargoed"));
        assert_eq!(
            embargo,
            json!({"files": "restricted", "embargo": {"active": true, "until": "2031-05-01", "reason": "bài báo"}})
        );
        for (access, files) in [("open", "public"), ("restricted", "restricted")] {
            let section = written(&embargo, &typed(access));
            assert_eq!(section["files"], files);
            assert_eq!(section["embargo"], json!({"active": false}));
            assert_eq!(crate::metadata::read_access(&section).1, []);
        }
        assert_eq!(
            written(&json!({"record": "restricted"}), &typed("open"))["record"],
            "public"
        );
    }
}
