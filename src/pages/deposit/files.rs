//! `/uploads/{id}/files`: the files of a draft without a script. One form carries any number of files; each
//! goes the way of the REST door (announce, receive, confirm) while the next is still on the wire, so memory
//! does not grow with them. With a script the page calls that door itself (`static/js/upload.js`).

use axum::{
    body::Body,
    extract::{FromRequest, Multipart, Path, Request, multipart::Field},
    http::{StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use futures::{Stream, StreamExt};

use super::{
    controls::Task,
    draft::{Saved, address, load, parse, problems_of, said, save, view},
    view::{DraftFile, DraftFiles, Fetch, QuotaRow},
};
use crate::{
    deposit::{self, FileStatus},
    error::{Error, Kind, Problem, Result},
    files::{
        self, Incoming, NewFile,
        intake::{self, Intake, Kind as Work, State},
        quota,
    },
    ids::{FileKey, RecordId},
    pages::{folders::FolderLevel, parts::FieldProblem, sent::Sent, shell::Visit},
    text::{self, say_problem},
};

/// Most bytes of a control that is not a file.
const MOST_TEXT: usize = 4_096;

pub async fn form(visit: Visit, Path(id): Path<String>) -> Response {
    let result = show(&visit, &id).await;
    visit.finish(result).await
}

async fn show(visit: &Visit, id: &str) -> Result<Response> {
    let (_, draft) = load(visit, id).await?;
    // That there are none yet is no fault; that one stopped half-way is worth saying.
    let mut problems = Vec::new();
    if draft.problems.iter().any(|p| p.code == "files-pending") {
        problems = problems_of(visit, &draft, Task::Files);
    }
    visit.page(&page(visit, &draft, problems).await?)
}

pub async fn send(visit: Visit, Path(id): Path<String>, request: Request) -> Response {
    let result = act(&visit, &id, request).await;
    visit.finish(result).await
}

async fn act(visit: &Visit, id: &str, request: Request) -> Result<Response> {
    let id = parse(visit, id)?;
    let uploads = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("multipart/form-data"));
    if uploads {
        upload(visit, &id, request).await
    } else {
        press(visit, &id, request.into_body()).await
    }
}

/// A button: remove a file, take over those of the version before, deposit without or with files.
async fn press(visit: &Visit, id: &RecordId, body: Body) -> Result<Response> {
    let sent = Sent::proven(visit, body).await?;
    let here = here(folder(visit).as_ref());
    let done = Ok(visit.see_other(&format!("{}{here}", address(id, "files"))));
    if let Some(key) = sent.all("remove").next() {
        let key: FileKey = key.parse().map_err(|_| Error::not_found(Kind::File, key))?;
        return match files::remove(visit.ctx(), id, &key).await {
            // Pressed twice: it is gone, as was asked.
            Ok(())
            | Err(Error::NotFound {
                kind: Kind::File, ..
            }) => done,
            Err(e) => Err(e),
        };
    }
    if let Some(key) = sent.all("unpack").next() {
        let key: FileKey = key.parse().map_err(|_| Error::not_found(Kind::File, key))?;
        return match intake::unpack(visit.ctx(), id, &key).await {
            Ok(()) => done,
            Err(Error::Conflict(p) | Error::BadRequest(p)) => {
                let told = FieldProblem::at("", say_problem(visit.locale(), &p));
                again(visit, id, vec![told]).await
            }
            Err(e) => Err(e),
        };
    }
    match sent.text("do") {
        "import" => {
            files::import_previous(visit.ctx(), id).await?;
            done
        }
        "fetch" => fetch(visit, id, sent.text("url"), sent.text("key")).await,
        choice @ ("enable" | "disable") => {
            let before = deposit::read(visit.ctx(), id).await?;
            let mut new = said(&before);
            new.files_enabled = Some(choice == "enable");
            match save(visit, id, before, sent.revision(), new).await? {
                Saved::Yes(_) => done,
                Saved::Overtaken(now) => {
                    let told = FieldProblem::at("", visit.say("conflict-again", &[]));
                    visit.page_as(StatusCode::CONFLICT, &page(visit, &now, vec![told]).await?)
                }
                Saved::Refused(..) => Err(Error::bad_request("form-expired")),
            }
        }
        // The form of uploads with nothing in it, sent by a browser that knows no multipart.
        _ => {
            again(
                visit,
                id,
                vec![FieldProblem::at("file", visit.say("upload-none", &[]))],
            )
            .await
        }
    }
}

/// Has a file fetched; what was typed is shown again with what is wrong with it.
async fn fetch(visit: &Visit, id: &RecordId, url: &str, name: &str) -> Result<Response> {
    let (url, name) = (url.trim(), name.trim());
    let key = if name.is_empty() {
        intake::name_of(url)
    } else {
        name.parse().map_err(|e| Error::malformed("key", e))
    };
    let asked = match key {
        Ok(key) => intake::fetch(visit.ctx(), id, &key, url).await,
        Err(e) => Err(e),
    };
    let problem = match asked {
        Ok(()) => return Ok(visit.see_other(&address(id, "files"))),
        Err(Error::BadRequest(p) | Error::Conflict(p) | Error::TooLarge(p)) => p,
        Err(Error::Invalid(all)) if !all.is_empty() => all[0].clone(),
        Err(e) => return Err(e),
    };
    let control = if problem.code.starts_with("file-key") || problem.path.ends_with("key") {
        "key"
    } else {
        "url"
    };
    let told = FieldProblem::at(control, say_problem(visit.locale(), &problem));
    let draft = deposit::read(visit.ctx(), id).await?;
    let mut page = page(visit, &draft, vec![told]).await?;
    page.fetch = Fetch {
        url: url.to_owned(),
        key: name.to_owned(),
    };
    visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

async fn upload(visit: &Visit, id: &RecordId, request: Request) -> Result<Response> {
    // Asked before a byte is read: somebody else's draft takes none.
    let draft = deposit::read(visit.ctx(), id).await?;
    if draft.row.published {
        return Err(Error::conflict("files-frozen"));
    }
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| Error::bad_request("upload-cut-off"))?;
    let mut proven = false;
    let mut received = 0_u64;
    let mut problems = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|_| cut_off())? {
        match field.name().unwrap_or_default() {
            "csrf_token" => {
                let token = short_text(field).await?;
                visit.caller.check_form(&token)?;
                proven = true;
            }
            "file" => {
                // The proof stands before the files in the form, so that strangers' bytes are not taken.
                if !proven {
                    return Err(Error::bad_request("form-expired"));
                }
                match one(visit, id, field).await {
                    Ok(counted) => received += u64::from(counted),
                    Err(Told::Problem(told)) => problems.push(told),
                    Err(Told::Error(e)) => return Err(e),
                }
            }
            _ => {}
        }
    }
    if !proven {
        return Err(Error::bad_request("form-expired"));
    }
    if received == 0 && problems.is_empty() {
        problems.push(FieldProblem::at("file", visit.say("upload-none", &[])));
    }
    if problems.is_empty() {
        Ok(visit.see_other(&address(id, "files")))
    } else {
        again(visit, id, problems).await
    }
}

/// What is wrong with one file is told beside the others; what is wrong with the request ends it.
enum Told {
    Problem(FieldProblem),
    Error(Error),
}

/// Takes one file. False: the control was left empty.
async fn one(visit: &Visit, id: &RecordId, field: Field<'_>) -> std::result::Result<bool, Told> {
    let name = field.file_name().unwrap_or_default().to_owned();
    if name.is_empty() {
        return Ok(false);
    }
    let told = |problem: &Problem| {
        let sentence = say_problem(visit.locale(), problem);
        Told::Problem(FieldProblem::at("file", format!("{name}: {sentence}")))
    };
    let tell = |e: Error| match &e {
        Error::Invalid(problems) => problems.first().map_or(Told::Error(cut_off()), told),
        Error::TooLarge(p) | Error::Conflict(p) => told(p),
        _ => Told::Error(e),
    };
    let key: FileKey = name
        .parse()
        .map_err(|e| tell(Error::malformed("file", e)))?;
    let new = NewFile {
        key: key.clone(),
        metadata: serde_json::Value::Null,
    };
    let ctx = visit.ctx();
    files::start(ctx, id, vec![new]).await.map_err(tell)?;
    let incoming = Incoming {
        body: bytes_of(field),
        length: None,
    };
    if let Err(e) = files::receive(ctx, id, &key, incoming).await {
        if matches!(e, Error::TooLarge(_)) {
            // It would only wait for bytes that must not come.
            files::remove(ctx, id, &key).await.map_err(Told::Error)?;
        }
        return Err(tell(e));
    }
    files::commit(ctx, id, &key).await.map_err(tell)?;
    Ok(true)
}

fn bytes_of(field: Field<'_>) -> impl Stream<Item = Result<Bytes>> + Unpin + '_ {
    field.map(|part| part.map_err(|_| cut_off()))
}

fn cut_off() -> Error {
    Error::bad_request("upload-cut-off")
}

async fn short_text(mut field: Field<'_>) -> Result<String> {
    let mut out = Vec::new();
    while let Some(part) = field.chunk().await.map_err(|_| cut_off())? {
        out.extend_from_slice(&part);
        if out.len() > MOST_TEXT {
            return Err(cut_off());
        }
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

async fn again(visit: &Visit, id: &RecordId, problems: Vec<FieldProblem>) -> Result<Response> {
    let draft = deposit::read(visit.ctx(), id).await?;
    visit.page_as(
        StatusCode::UNPROCESSABLE_ENTITY,
        &page(visit, &draft, problems).await?,
    )
}

/// Most files that are listed at once; more are shown a level of their folders at a time.
const PER_PAGE: u64 = 100;

/// The folder of the address. One that cannot be is none: a page of work is not refused for that.
fn folder(visit: &Visit) -> Option<FileKey> {
    visit.parameter("folder")?.parse().ok()
}

fn here(folder: Option<&FileKey>) -> String {
    folder.map_or_else(String::new, |f| {
        let folder: String = url::form_urlencoded::byte_serialize(f.as_str().as_bytes()).collect();
        format!("?folder={folder}")
    })
}

async fn page(
    visit: &Visit,
    draft: &deposit::Draft,
    problems: Vec<FieldProblem>,
) -> Result<DraftFiles> {
    let config = &visit.env().config;
    let folder = folder(visit);
    let (mut shown, mut level) = (Vec::new(), None);
    let work = intake::list(visit.ctx(), &draft_id(draft)?).await?;
    let row = |key: String, bytes, complete, sha256| {
        let state = work.iter().find(|w| w.key == key);
        let state = state.and_then(|w| told(visit, w));
        DraftFile {
            unpackable: complete && key.parse().is_ok_and(|key| intake::can_unpack(&key)),
            key,
            bytes,
            complete,
            sha256,
            state,
        }
    };
    if draft.weight.files <= PER_PAGE && folder.is_none() {
        shown.extend(draft.files.iter().map(|f| {
            row(
                f.key.clone(),
                f.size.unwrap_or(0),
                f.status == FileStatus::Completed,
                f.sha256.map(crate::ids::Sha256::to_hex),
            )
        }));
    } else {
        let number = visit.parameter("page").and_then(|n| n.parse().ok());
        let (of, number) = (files::Of::Draft(&draft.row.id), number.unwrap_or(1));
        let found = files::level(visit.ctx(), of, folder.as_ref(), number, PER_PAGE).await?;
        let at = format!("/uploads/{}/files", draft.row.id);
        level = Some(FolderLevel::new(&at, "page", folder.as_ref(), &found));
        shown.extend(
            found
                .files
                .into_iter()
                .map(|f| row(f.key, f.size.unwrap_or(0), f.completed, f.sha256)),
        );
    }
    Ok(DraftFiles {
        draft: view(visit, draft),
        enabled: draft.row.files_enabled,
        count: draft.weight.files,
        bytes: draft.weight.bytes,
        files: shown,
        level,
        here: here(folder.as_ref()),
        can_import: !draft.row.published && draft.parent.versions > 0 && draft.row.files_enabled,
        frozen: draft.row.published,
        max_files: config.max_files,
        max_bytes: config.max_file_size,
        quotas: room(visit, draft).await?,
        fetch: Fetch::default(),
        busy: work
            .iter()
            .any(|w| matches!(w.state, State::Waiting | State::Running)),
        problems,
    })
}

fn draft_id(draft: &deposit::Draft) -> Result<RecordId> {
    draft
        .row
        .id
        .parse()
        .map_err(|e| Error::internal("a stored id does not parse", e))
}

/// What is being done with a file, or why it was not done.
fn told(visit: &Visit, work: &Intake) -> Option<String> {
    let bytes = |n| text::bytes(visit.locale(), n);
    match (work.state, work.kind) {
        (State::Done, _) => None,
        (State::Failed, _) => {
            let why = work.problem.as_ref();
            let why = why.map_or_else(String::new, |p| say_problem(visit.locale(), p));
            Some(visit.say("intake-failed", &[("why", &why)]))
        }
        (State::Waiting, _) => Some(visit.say("intake-waiting", &[])),
        (State::Running, Work::Unpack) => Some(visit.say("intake-unpacking", &[])),
        (State::Running, Work::Fetch) => {
            let received = bytes(work.received);
            Some(match work.total {
                Some(total) => visit.say(
                    "intake-fetching",
                    &[("received", &received), ("total", &bytes(total))],
                ),
                None => visit.say("intake-fetching-unknown", &[("received", &received)]),
            })
        }
    }
}

/// The bounds of what may be stored, and how much is.
async fn room(visit: &Visit, draft: &deposit::Draft) -> Result<Vec<QuotaRow>> {
    let all = quota::of_draft(visit.ctx(), &draft_id(draft)?).await?;
    let bounded = all.into_iter().filter_map(|q| {
        let key = format!("quota-whose-{}", q.scope.name());
        let row = |most| QuotaRow {
            whose: visit.say(&key, &[("subject", &q.subject)]),
            used: q.used,
            most,
        };
        q.most.map(row)
    });
    Ok(bounded.collect())
}
