//! `/uploads/new`: begins a deposit. Nothing is made until the form is sent.

use axum::{body::Body, http::StatusCode, response::Response};
use serde_json::{Value, json};

use super::{
    form::{self, Values},
    view::{Bilingual, Start},
};
use crate::{
    access,
    deposit::{self, NewDraft},
    error::{Error, Result},
    pages::{parts::FieldProblem, sent::Sent, shell::Visit},
    text::{Locale, say_problem},
};

pub async fn form(visit: Visit) -> Response {
    let result = ask(&visit);
    visit.finish(result).await
}

fn ask(visit: &Visit) -> Result<Response> {
    access::require_depositor(visit.ctx())?;
    visit.page(&Start {
        title: String::new(),
        problems: Vec::new(),
    })
}

pub async fn create(visit: Visit, body: Body) -> Response {
    let result = make(&visit, body).await;
    visit.finish(result).await
}

async fn make(visit: &Visit, body: Body) -> Result<Response> {
    access::require_depositor(visit.ctx())?;
    let sent = Sent::proven(visit, body).await?;
    let title = sent.text("title");
    let new = NewDraft {
        metadata: begin(visit, title),
        ..NewDraft::default()
    };
    match deposit::create(visit.ctx(), new, None).await {
        Ok(draft) => Ok(visit.see_other(&format!("/uploads/{}", draft.row.id))),
        Err(Error::TooLarge(problem)) => {
            let told = FieldProblem::at("title", say_problem(visit.locale(), &problem));
            let page = Start {
                title: title.to_owned(),
                problems: vec![told],
            };
            visit.page_as(StatusCode::PAYLOAD_TOO_LARGE, &page)
        }
        Err(e) => Err(e),
    }
}

/// What most deposits say; all of it can be changed.
fn begin(visit: &Visit, title: &str) -> Value {
    let title = match visit.locale() {
        Locale::Vi => Bilingual {
            vi: title.to_owned(),
            en: String::new(),
        },
        Locale::En => Bilingual {
            vi: String::new(),
            en: title.to_owned(),
        },
    };
    let values = Values {
        title,
        resource_type: "dataset".to_owned(),
        publication_date: visit.ctx().today().to_string(),
        publisher: visit.env().config.repository_name.clone(),
        ..Values::default()
    };
    form::write(&json!({}), &values, None)
}
