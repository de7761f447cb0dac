//! Where objects stand: extension 0003, hashed n-tuple trees with the object id as the last folder, and
//! what declares the root.
//!
//! The first nine digits of `sha256(id)` as three folders of three, then the id, percent-encoded:
//! `300/f50/5b8/urn%3akho%3ak3f9a-2bq71`. No folder gets more than 4,096 entries before there are billions of
//! objects, and somebody who knows the id of a record finds it by name.

use std::fmt::Write;

use sha2::{Digest, Sha256 as Sha256Hasher};

use super::{ObjectId, parse_path};
use crate::{error::Result, ids::Sha256, store::object::ContentPath};

pub const ROOT_DECLARATION: &str = "0=ocfl_1.1";
pub const ROOT_LAYOUT: &str = "ocfl_layout.json";
pub const OBJECT_DECLARATION: &str = "0=ocfl_object_1.1";
/// The content of [`OBJECT_DECLARATION`] (OCFL 3.2).
pub const OBJECT_DECLARATION_TEXT: &str = "ocfl_object_1.1\n";

/// The files of the storage root, in the order to write them.
pub const ROOT_FILES: [(&str, &str); 4] = [
    (
        "extensions/0003-hash-and-id-n-tuple-storage-layout/config.json",
        r#"{
  "extensionName": "0003-hash-and-id-n-tuple-storage-layout",
  "digestAlgorithm": "sha256",
  "tupleSize": 3,
  "numberOfTuples": 3
}
"#,
    ),
    (
        ROOT_LAYOUT,
        r#"{
  "extension": "0003-hash-and-id-n-tuple-storage-layout",
  "description": "Three folders of three hexadecimal digits of the object id's SHA-256, then the id, percent-encoded."
}
"#,
    ),
    ("README.txt", README),
    (ROOT_DECLARATION, "ocfl_1.1\n"),
];

const README: &str = "\
This folder is an archive of research data. It follows the Oxford Common File
Layout 1.1 (https://ocfl.io/1.1/spec/) and can be read without any program.

Each dataset is a folder that holds a file named 0=ocfl_object_1.1. In it,
inventory.json lists every version of the dataset: for each version, \"state\"
gives the names of its files by SHA-256, and \"manifest\" says where the bytes
with that SHA-256 are. record.json in each version describes the dataset.
Please do not change, rename or remove anything by hand.

Thư mục này là kho lưu trữ dữ liệu nghiên cứu, theo chuẩn Oxford Common File
Layout 1.1 (https://ocfl.io/1.1/spec/), đọc được mà không cần phần mềm nào.

Mỗi bộ dữ liệu là một thư mục có tệp 0=ocfl_object_1.1. Trong đó inventory.json
liệt kê mọi phiên bản: \"state\" cho biết tên các tệp theo mã SHA-256,
\"manifest\" cho biết nơi lưu nội dung có mã đó. Tệp record.json trong mỗi phiên
bản mô tả bộ dữ liệu. Vui lòng không tự sửa, đổi tên hay xóa gì trong thư mục này.
";

/// The folder of an object.
pub fn object_root(id: &ObjectId) -> Result<ContentPath> {
    let digest = digest(id).to_hex();
    let tuples = format!("{}/{}/{}", &digest[..3], &digest[3..6], &digest[6..9]);
    let mut name = String::new();
    for byte in id.as_str().bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            _ => {
                let _ = write!(name, "%{byte:02x}");
            }
        }
    }
    if name.len() > MAX_NAME {
        name.truncate(MAX_NAME);
        name = format!("{name}-{digest}");
    }
    parse_path(&format!("{tuples}/{name}"))
}

/// Longer encoded ids are cut and get their digest behind.
const MAX_NAME: usize = 100;

/// What the layout hashes an id to; also names its lock and its note.
pub fn digest(id: &ObjectId) -> Sha256 {
    Sha256(Sha256Hasher::digest(id.as_str().as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_stand_where_the_extension_says() {
        // The extension's own examples, with its default parameters.
        let long = "abcdefghij".repeat(26);
        let cut = "abcdefghij".repeat(10);
        for (id, root) in [
            ("object-01", "3c0/ff4/240/object-01".to_owned()),
            (
                "..hor/rib:le-$id",
                "487/326/d8c/%2e%2ehor%2frib%3ale-%24id".to_owned(),
            ),
            (
                &long,
                format!(
                    "55b/432/806/{cut}-55b432806f4e270da0cf23815ed338742179002153cd8d896f23b3e2d8a14359"
                ),
            ),
        ] {
            assert_eq!(
                object_root(&ObjectId::from_inventory(id)).unwrap().as_str(),
                root
            );
        }
    }
}
