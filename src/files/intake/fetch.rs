//! Asks for a file to be fetched from a URL, the dialect's transfer `F`.

use super::{Kind, ask};
use crate::{
    access::{self, Action},
    ctx::Ctx,
    error::{Error, Problem, Result},
    files::{
        NewFile, lock_files, receive::refuse_completed, row, start::announce, upload::supersede,
    },
    ids::{FileKey, RecordId},
    jobs::{self, Job},
};

/// Announces the file and leaves the rest to a job. The URL is looked at now, as far as that goes without
/// asking anybody, and again, with the address it leads to, when it is fetched.
pub async fn fetch(ctx: &Ctx, id: &RecordId, key: &FileKey, url: &str) -> Result<()> {
    // Who may not write here learns nothing about what our network would answer.
    access::load_draft(ctx, ctx.env.db.read(), id, Action::Edit).await?;
    let url = ctx.env.http.parse(url)?;
    let tx = ctx.env.db.begin().await?;
    let loaded = lock_files(ctx, &tx, id).await?;
    let file = NewFile {
        key: key.clone(),
        metadata: serde_json::Value::Null,
    };
    announce(ctx, &tx, &loaded, id, vec![file]).await?;
    refuse_completed(&row(&tx, id, key).await?)?;
    supersede(ctx, &tx, id, key).await?;
    ask(ctx, &tx, id, key.as_str(), Kind::Fetch, Some(url.into())).await?;
    let job = Job::Intake {
        draft: id.clone(),
        key: key.clone(),
    };
    jobs::enqueue(ctx, &tx, &job).await?;
    tx.commit().await?;
    ctx.env.work.notify_one();
    Ok(())
}

/// A name for what a URL leads to, when the person gave none: its last segment.
pub fn name_of(url: &str) -> Result<FileKey> {
    let nameless = || Error::BadRequest(Problem::new("fetch-name", "key"));
    let url = url::Url::parse(url).map_err(|_| nameless())?;
    let last = url
        .path_segments()
        .and_then(|mut all| all.rfind(|s| !s.is_empty()))
        .ok_or_else(nameless)?;
    // `…/files/a.zip/content` and the like: the file is the segment before.
    let last = match (last, url.path_segments()) {
        ("content" | "download", Some(all)) => {
            all.filter(|s| !s.is_empty()).rev().nth(1).unwrap_or(last)
        }
        _ => last,
    };
    percent_encoding::percent_decode_str(last)
        .decode_utf8()
        .ok()
        .and_then(|name| name.parse().ok())
        .ok_or_else(nameless)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_as_its_url_ends() {
        for (url, name) in [
            (
                "https://a.vn/x/d%E1%BB%AF%20li%E1%BB%87u.csv?sig=1#x",
                "dữ liệu.csv",
            ),
            (
                "https://zenodo.org/api/records/1/files/a.zip/content",
                "a.zip",
            ),
            ("https://a.vn/b/", "b"),
        ] {
            assert_eq!(name_of(url).unwrap().as_str(), name);
        }
        for bad in [
            "https://a.vn/",
            "https://a.vn",
            "x",
            "https://a.vn/%2e%2e%2fx",
            "https://a.vn/%ff",
        ] {
            assert!(name_of(bad).is_err(), "{bad}");
        }
    }
}
