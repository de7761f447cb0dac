//! `/uploads/{id}`: the task list with the checklist; and what is done with a draft as a whole: reserve or
//! release its DOI, discard it. Also the two ways from a published version to a draft.

use axum::{body::Body, extract::Path, response::Response};

use super::{
    draft::{address, checks, load, parse, view},
    view::Tasks,
};
use crate::{
    deposit,
    error::{Error, Kind, Result},
    ids::RecordId,
    pages::{sent::Sent, shell::Visit},
    web::render::NoticeKind,
};

pub async fn list(visit: Visit, Path(id): Path<String>) -> Response {
    let result = show(&visit, &id).await;
    visit.finish(result).await
}

async fn show(visit: &Visit, id: &str) -> Result<Response> {
    let (_, draft) = load(visit, id).await?;
    visit.page(&Tasks {
        draft: view(visit, &draft),
        checklist: checks(visit, &draft, true),
    })
}

pub async fn reserve_doi(mut visit: Visit, Path(id): Path<String>, body: Body) -> Response {
    let result = reserve(&mut visit, &id, body).await;
    visit.finish(result).await
}

async fn reserve(visit: &mut Visit, id: &str, body: Body) -> Result<Response> {
    let id = parse(visit, id)?;
    Sent::proven(visit, body).await?;
    match deposit::reserve_doi(visit.ctx(), &id).await {
        // Pressed twice: it has one, as was asked.
        Ok(_) | Err(Error::Invalid(_)) => Ok(visit.see_other(&address(&id, ""))),
        Err(e) => Err(e),
    }
}

pub async fn release_doi(visit: Visit, Path(id): Path<String>, body: Body) -> Response {
    let result = release(&visit, &id, body).await;
    visit.finish(result).await
}

async fn release(visit: &Visit, id: &str, body: Body) -> Result<Response> {
    let id = parse(visit, id)?;
    Sent::proven(visit, body).await?;
    match deposit::release_doi(visit.ctx(), &id).await {
        Ok(_)
        | Err(Error::NotFound {
            kind: Kind::Doi, ..
        }) => Ok(visit.see_other(&address(&id, ""))),
        Err(e) => Err(e),
    }
}

pub async fn discard(mut visit: Visit, Path(id): Path<String>, body: Body) -> Response {
    let result = throw_away(&mut visit, &id, body).await;
    visit.finish(result).await
}

async fn throw_away(visit: &mut Visit, id: &str, body: Body) -> Result<Response> {
    let (id, draft) = load(visit, id).await?;
    Sent::proven(visit, body).await?;
    deposit::discard(visit.ctx(), &id).await?;
    visit.leave_notice(NoticeKind::Done, "notice-discarded");
    let to = if draft.row.published {
        format!("/records/{id}")
    } else {
        "/me/records".to_owned()
    };
    Ok(visit.see_other(&to))
}

/// From the landing page: correct the description of a published version.
pub async fn edit(visit: Visit, Path(id): Path<String>, body: Body) -> Response {
    let result = from_record(&visit, &id, body, true).await;
    visit.finish(result).await
}

/// From the landing page: begin the next version.
pub async fn new_version(visit: Visit, Path(id): Path<String>, body: Body) -> Response {
    let result = from_record(&visit, &id, body, false).await;
    visit.finish(result).await
}

async fn from_record(visit: &Visit, id: &str, body: Body, edit: bool) -> Result<Response> {
    visit.ctx().require_person()?;
    let id: RecordId = id.parse().map_err(|_| Error::not_found(Kind::Record, id))?;
    Sent::proven(visit, body).await?;
    let draft = if edit {
        deposit::edit_published(visit.ctx(), &id).await?
    } else {
        deposit::new_version(visit.ctx(), &id).await?
    };
    Ok(visit.see_other(&format!("/uploads/{}", draft.row.id)))
}
