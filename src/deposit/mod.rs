//! Drafts: a version while it is being written. Create, read, replace, discard; edit a published version,
//! begin a new one; reserve a DOI.
//!
//! A draft may be incomplete: saving always succeeds and answers with everything that is still wrong
//! (`Draft::problems`), computed by the same pure function that publishing will ask. Not here: its files'
//! bytes (`files`), making it public (`publish`).

mod create;
mod discard;
mod edit;
mod list;
mod read;
mod replace;
mod reserve;

pub use self::{
    create::{NewDraft, Once, create},
    discard::discard,
    edit::{edit_published, new_version},
    list::{OwnDraft, own, weights},
    read::{Draft, File, FileStatus, assemble, read},
    replace::replace,
    reserve::{release_doi, reserve_doi},
};
pub(crate) use self::{
    discard::{discard_staged, discard_uploads, remove as remove_draft, remove_file_rows},
    edit::import,
    read::file_rows,
};
