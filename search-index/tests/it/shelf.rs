//! An index in a temporary folder, filled with a line.

use search_index::{Document, Index, PUBLIC, Person, Request, Response};

pub struct Shelf {
    pub folder: tempfile::TempDir,
    pub index: Index,
}

impl Shelf {
    pub fn with(documents: &[Document]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        let shelf = Self { folder, index };
        shelf.add(documents, 1);
        shelf
    }

    pub fn add(&self, documents: &[Document], cursor: u64) {
        let mut batch = self.index.begin().unwrap();
        batch.upsert(documents).unwrap();
        batch.commit(cursor).unwrap();
    }

    pub fn search(&self, text: &str) -> Response {
        self.index.search(&request(text)).unwrap()
    }

    pub fn ids(&self, text: &str) -> Vec<String> {
        ids(&self.search(text))
    }
}

pub fn request(text: &str) -> Request {
    Request {
        text: text.to_owned(),
        ..Request::default()
    }
}

pub fn ids(response: &Response) -> Vec<String> {
    response.hits.iter().map(|hit| hit.id.clone()).collect()
}

/// A public, latest version with a title.
pub fn titled(id: &str, title: &str) -> Document {
    Document {
        id: id.to_owned(),
        parent_id: format!("p-{id}"),
        version_index: 1,
        is_latest: true,
        readers: vec![PUBLIC.to_owned()],
        titles: vec![title.to_owned()],
        resource_type: "dataset".to_owned(),
        access_status: "open".to_owned(),
        ..Document::default()
    }
}

pub fn person(name: &str) -> Person {
    Person {
        name: name.to_owned(),
        ..Person::default()
    }
}
