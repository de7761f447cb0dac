//! `/admin/storage`: how things stand, and trying a failed job again.

use axum::{body::Body, extract::Path, response::Response};

use super::view::{Fact, Row, Section, Storage};
use crate::{
    condition::{self, Value},
    ctx::moment,
    error::{Error, Kind, Result},
    pages::{sent::Sent, shell::Visit},
    text,
    web::render::NoticeKind,
};

pub async fn show(visit: Visit) -> Response {
    let result = page(&visit).await;
    visit.finish(result).await
}

async fn page(visit: &Visit) -> Result<Response> {
    let sections = condition::sections(visit.ctx()).await?;
    let sections = sections
        .into_iter()
        .map(|section| Section {
            name: section.name,
            level: section.level.name(),
            facts: section
                .facts
                .into_iter()
                .map(|fact| Fact {
                    name: fact.name,
                    value: value(visit, &fact.value),
                })
                .collect(),
            rows: section
                .rows
                .into_iter()
                .map(|row| Row {
                    said: visit.say(&row.code, &[]),
                    about: row.about,
                    detail: row.detail,
                    at: if row.at > 0 {
                        at(row.at)
                    } else {
                        String::new()
                    },
                    job: row.job.map(|id| id.to_string()),
                })
                .collect(),
        })
        .collect();
    visit.page(&Storage { sections })
}

fn value(visit: &Visit, value: &Value) -> String {
    match value {
        Value::Number(n) => text::number(visit.locale(), *n),
        Value::Bytes(n) => text::bytes(visit.locale(), *n),
        Value::Moment(micros) => at(*micros),
        Value::Text(text) => text.clone(),
        Value::Never => visit.say("storage-never", &[]),
    }
}

fn at(micros: i64) -> String {
    moment(micros).format("%Y-%m-%d %H:%M UTC").to_string()
}

pub async fn retry(mut visit: Visit, Path(id): Path<String>, body: Body) -> Response {
    let result = again(&mut visit, &id, body).await;
    visit.finish(result).await
}

async fn again(visit: &mut Visit, id: &str, body: Body) -> Result<Response> {
    Sent::proven(visit, body).await?;
    let number = id.parse().map_err(|_| Error::not_found(Kind::Page, id))?;
    condition::retry(visit.ctx(), number).await?;
    visit.leave_notice(NoticeKind::Done, "notice-job-queued");
    Ok(visit.see_other("/admin/storage"))
}
