//! Resumption tokens: all that is needed to go on, so that the server remembers nothing and a token never
//! expires (OAI-PMH 2.0 section 3.5).
//!
//! A token is text in URL-safe base64 with a checksum behind it. The checksum tells a cut or mistyped token from
//! a whole one; it is no secret, because a forged token reads only what anybody may ask for.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::{
    catalog::{Place, Walk},
    oai::request::{self, List},
};

/// Marks the form, so that a later one can be told from it.
const FORM: &str = "1";
/// Bytes of checksum.
const CHECK: usize = 6;
/// Longer than any token of ours, with the longest name a set may have.
const LONGEST: usize = 1_024;

/// The token that goes on after `after`.
pub fn encode(list: &List, after: Place) -> String {
    let until = list
        .walk
        .until
        .map_or_else(|| "-".to_owned(), |until| until.to_string());
    let text = format!(
        "{FORM} {} {} {} {} {until} {}",
        if list.payloads { "r" } else { "i" },
        request::prefix(list.format),
        after.stamp,
        after.seq,
        list.walk.set.as_deref().unwrap_or_default(),
    );
    let mut bytes = text.into_bytes();
    let check = check(&bytes);
    bytes.extend(check);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What a token says; none when it is not one of ours, whole.
pub fn decode(token: &str) -> Option<List> {
    if token.len() > LONGEST {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (text, sum) = bytes.split_at_checked(bytes.len().checked_sub(CHECK)?)?;
    if sum != check(text) {
        return None;
    }
    let mut parts = std::str::from_utf8(text).ok()?.split(' ');
    let mut next = || parts.next();
    if next()? != FORM {
        return None;
    }
    let payloads = match next()? {
        "r" => true,
        "i" => false,
        _ => return None,
    };
    let format = request::format(next()?)?;
    let after = Place {
        stamp: next()?.parse().ok()?,
        seq: next()?.parse().ok()?,
    };
    let until = match next()? {
        "-" => None,
        second => Some(second.parse().ok()?),
    };
    let set = match next()? {
        "" => None,
        spec if request::is_set_spec(spec) => Some(spec.to_owned()),
        _ => return None,
    };
    if next().is_some() {
        return None;
    }
    Some(List {
        payloads,
        format,
        walk: Walk { set, until, after },
    })
}

fn check(text: &[u8]) -> [u8; CHECK] {
    let digest = Sha256::digest(text);
    std::array::from_fn(|i| digest[i])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::Format;

    fn any_list() -> impl Strategy<Value = (List, Place)> {
        let set = prop::option::of("[A-Za-z0-9_.!~*'()-]{1,40}(:[a-z]{1,5})?");
        let place = (any::<i64>(), any::<i64>()).prop_map(|(stamp, seq)| Place { stamp, seq });
        (
            any::<bool>(),
            prop::sample::select(Format::ALL.to_vec()),
            set,
            prop::option::of(any::<i64>()),
            place,
        )
            .prop_map(|(payloads, format, set, until, after)| {
                (
                    List {
                        payloads,
                        format,
                        walk: Walk {
                            set,
                            until,
                            after: Place::default(),
                        },
                    },
                    after,
                )
            })
    }

    proptest! {
        #[test]
        fn a_token_says_what_it_was_made_of((list, after) in any_list()) {
            let token = encode(&list, after);
            prop_assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            let expected = List { walk: Walk { after, ..list.walk.clone() }, ..list };
            prop_assert_eq!(decode(&token), Some(expected));
        }

        #[test]
        fn no_text_is_a_token_by_chance(text in "\\PC{0,200}") {
            prop_assert_eq!(decode(&text), None);
        }

        #[test]
        fn a_cut_or_changed_token_is_none_of_ours((list, after) in any_list(), at: prop::sample::Index, with in "[A-Za-z0-9_-]") {
            let token = encode(&list, after);
            let at = at.index(token.len());
            prop_assert_eq!(decode(&token[..at]), None);
            let changed = format!("{}{with}{}", &token[..at], &token[at + 1..]);
            if changed != token {
                prop_assert_eq!(decode(&changed), None);
            }
        }

        #[test]
        fn a_forged_text_with_a_right_checksum_is_read_or_refused(text in "1 [ri] [a-z_]{0,12} [0-9-]{0,25} [0-9]{0,25} [0-9-]{0,25} \\PC{0,20}") {
            let mut bytes = text.into_bytes();
            let sum = check(&bytes);
            bytes.extend(sum);
            let _ = decode(&URL_SAFE_NO_PAD.encode(bytes));
        }
    }
}
