//! Signed notes (C2SP `signed-note`), their keys, and cosignatures (C2SP `tlog-cosignature`, `cosignature/v1`).
//! Ed25519 only. Pure: keys come from the caller, and so does the time.

use std::{fmt, fmt::Write, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256 as Hasher};

/// Most bytes of a note that is read.
pub const MOST_BYTES: usize = 64 << 10;
/// Most signatures of a note that is read (the specification asks for at least 16).
const MOST_SIGNATURES: usize = 64;

/// What signature lines begin with.
const DASH: &str = "\u{2014} ";

/// What a signature says, by the specification's number of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A log signs its own checkpoint.
    Log = 1,
    /// A witness says that it saw the log grow and not change.
    Cosignature = 4,
}

/// Why a note or key cannot be used; a sentence for operators.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadNote(pub &'static str);

/// A public key with its name: what a verifier is configured with (`name+id+base64`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    purpose: Purpose,
    key: VerifyingKey,
}

/// A private key with its name.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
    verifier: VerifierKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.verifier)
    }
}

/// Is it usable as a key's name, and as a log's origin? No spaces, no plus, nothing that is not shown.
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && !name
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

impl VerifierKey {
    fn new(name: &str, purpose: Purpose, key: VerifyingKey) -> Result<Self, BadNote> {
        if !is_name(name) {
            return Err(BadNote("a key's name has no spaces and no plus sign"));
        }
        if key.is_weak() {
            return Err(BadNote("the key is a weak one"));
        }
        let mut hasher = Hasher::new();
        hasher.update(name.as_bytes());
        hasher.update([b'\n', purpose as u8]);
        hasher.update(key.as_bytes());
        let digest = hasher.finalize();
        Ok(Self {
            name: name.to_owned(),
            id: u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]),
            purpose,
            key,
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn purpose(&self) -> Purpose {
        self.purpose
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.purpose as u8];
        bytes.extend(self.key.as_bytes());
        write!(
            f,
            "{}+{:08x}+{}",
            self.name,
            self.id,
            STANDARD.encode(bytes)
        )
    }
}

impl FromStr for VerifierKey {
    type Err = BadNote;

    fn from_str(text: &str) -> Result<Self, BadNote> {
        let wrong = BadNote("a verifier key reads name+id+base64");
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong);
        };
        let bytes = STANDARD.decode(key).map_err(|_| wrong.clone())?;
        let (kind, key) = bytes.split_first().ok_or(wrong.clone())?;
        let purpose = match kind {
            1 => Purpose::Log,
            4 => Purpose::Cosignature,
            _ => return Err(BadNote("only Ed25519 keys (types 1 and 4) are understood")),
        };
        let key: [u8; 32] = key.try_into().map_err(|_| wrong.clone())?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| wrong.clone())?;
        let found = Self::new(name, purpose, key)?;
        if id.len() != 8 || format!("{:08x}", found.id) != id {
            return Err(BadNote(
                "the id of the verifier key does not fit its name and key",
            ));
        }
        Ok(found)
    }
}

impl Signer {
    pub fn new(name: &str, purpose: Purpose, key: SigningKey) -> Result<Self, BadNote> {
        let verifier = VerifierKey::new(name, purpose, key.verifying_key())?;
        Ok(Self { key, verifier })
    }

    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signature line for a text. `seconds` since 1970 is in a cosignature and in no other.
    pub fn sign(&self, text: &str, seconds: u64) -> String {
        let mut bytes = self.verifier.id.to_be_bytes().to_vec();
        match self.verifier.purpose {
            Purpose::Log => bytes.extend(self.key.sign(text.as_bytes()).to_bytes()),
            Purpose::Cosignature => {
                bytes.extend(seconds.to_be_bytes());
                let message = cosigned(text, seconds);
                bytes.extend(self.key.sign(message.as_bytes()).to_bytes());
            }
        }
        format!("{DASH}{} {}\n", self.verifier.name, STANDARD.encode(bytes))
    }
}

/// What a cosigner signs.
fn cosigned(text: &str, seconds: u64) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

/// A note as it was read; nothing of it is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// With its final newline.
    pub text: String,
    signatures: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    name: String,
    id: u32,
    bytes: Vec<u8>,
}

/// What became of a key's signature on a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// That key did not sign.
    Absent,
    /// A signature that says it is of that key and is not: the note is to be refused.
    Wrong,
    /// Signed; a cosignature says when (seconds since 1970).
    Signed(u64),
}

impl Note {
    /// Takes a note apart.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadNote> {
        if bytes.len() > MOST_BYTES {
            return Err(BadNote("the note is too long"));
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| BadNote("the note is not UTF-8"))?;
        if whole.chars().any(|c| c < ' ' && c != '\n') {
            return Err(BadNote("the note has control characters"));
        }
        let end = whole
            .rfind("\n\n")
            .ok_or(BadNote("the note has no signatures"))?;
        let (text, lines) = (&whole[..=end], &whole[end + 2..]);
        Ok(Self {
            text: text.to_owned(),
            signatures: signature_lines(lines)?,
        })
    }

    /// Did this key sign it? Signatures of others are not looked at.
    pub fn verify(&self, key: &VerifierKey) -> Verdict {
        let mut seen = Verdict::Absent;
        for line in &self.signatures {
            if line.name == key.name && line.id == key.id {
                match line.seconds(&self.text, key) {
                    Some(seconds) => seen = Verdict::Signed(seconds),
                    None => return Verdict::Wrong,
                }
            }
        }
        seen
    }

    /// The line of a key's signature, as it is to be kept.
    pub fn line_of(&self, key: &VerifierKey) -> Option<String> {
        let line = self
            .signatures
            .iter()
            .find(|l| l.name == key.name && l.id == key.id)?;
        let mut bytes = line.id.to_be_bytes().to_vec();
        bytes.extend(&line.bytes);
        Some(format!("{DASH}{} {}\n", line.name, STANDARD.encode(bytes)))
    }
}

impl Line {
    /// When it was signed (0 where a signature does not say), if the signature holds.
    fn seconds(&self, text: &str, key: &VerifierKey) -> Option<u64> {
        let (message, signature, seconds) = match key.purpose {
            Purpose::Log => (text.to_owned(), self.bytes.as_slice(), 0),
            Purpose::Cosignature => {
                let (stamp, signature) = self.bytes.split_first_chunk::<8>()?;
                let seconds = u64::from_be_bytes(*stamp);
                if seconds > i64::MAX as u64 {
                    return None;
                }
                (cosigned(text, seconds), signature, seconds)
            }
        };
        let signature = Signature::from_slice(signature).ok()?;
        key.key
            .verify_strict(message.as_bytes(), &signature)
            .ok()
            .map(|()| seconds)
    }
}

fn signature_lines(text: &str) -> Result<Vec<Line>, BadNote> {
    let wrong = BadNote("a signature line is malformed");
    let Some(text) = text.strip_suffix('\n') else {
        return Err(wrong);
    };
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let (name, signature) = line
            .strip_prefix(DASH)
            .and_then(|l| l.split_once(' '))
            .ok_or(wrong.clone())?;
        let bytes = STANDARD.decode(signature).map_err(|_| wrong.clone())?;
        let (id, bytes) = bytes.split_first_chunk::<4>().ok_or(wrong.clone())?;
        if !is_name(name) || bytes.is_empty() {
            return Err(wrong);
        }
        lines.push(Line {
            name: name.to_owned(),
            id: u32::from_be_bytes(*id),
            bytes: bytes.to_vec(),
        });
        if lines.len() > MOST_SIGNATURES {
            return Err(BadNote("the note has too many signatures"));
        }
    }
    Ok(lines)
}

/// A note of a text and its signature lines.
pub fn put_together<'a>(text: &str, lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = format!("{text}\n");
    for line in lines {
        let _ = write!(out, "{line}");
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signer(name: &str, purpose: Purpose, seed: u8) -> Signer {
        Signer::new(name, purpose, SigningKey::from_bytes(&[seed; 32])).unwrap()
    }

    #[test]
    fn the_example_of_the_specification_is_verified() {
        let key: VerifierKey =
            "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
                .parse()
                .unwrap();
        let text = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
        let note = Note::parse(text.as_bytes()).unwrap();
        assert_eq!(note.text, "This is an example message.\n");
        assert_eq!(note.verify(&key), Verdict::Signed(0));
        let forged = text.replace("example message", "other message");
        let note = Note::parse(forged.as_bytes()).unwrap();
        assert_eq!(note.verify(&key), Verdict::Wrong);
    }

    #[test]
    fn a_note_is_signed_by_its_log_and_its_witness() {
        let log = signer("kho.example/ledger", Purpose::Log, 1);
        let witness = signer("witness.example/w", Purpose::Cosignature, 2);
        let text = "kho.example/ledger\n3\nAAAA\n";
        let whole = put_together(
            text,
            [
                log.sign(text, 0).as_str(),
                witness.sign(text, 1_795_507_200).as_str(),
            ],
        );
        let note = Note::parse(whole.as_bytes()).unwrap();
        assert_eq!(note.verify(log.verifier()), Verdict::Signed(0));
        assert_eq!(
            note.verify(witness.verifier()),
            Verdict::Signed(1_795_507_200)
        );
        let stranger = signer("witness.example/w", Purpose::Cosignature, 3);
        assert_eq!(note.verify(stranger.verifier()), Verdict::Absent);
        // The same key under another purpose or name is another key.
        let renamed = signer("witness.example/other", Purpose::Cosignature, 2);
        assert_eq!(note.verify(renamed.verifier()), Verdict::Absent);
        let line = note.line_of(witness.verifier()).unwrap();
        assert!(whole.ends_with(&line));
        let vkey = witness.verifier().to_string();
        assert_eq!(&vkey.parse::<VerifierKey>().unwrap(), witness.verifier());
    }

    #[test]
    fn what_is_no_note_or_key_is_refused() {
        for wrong in [
            "",
            "text\n",
            "text\n\n",
            "text\n\n\u{2014} name\n",
            "text\n\n\u{2014} name AAAA\n",
            "text\n\n\u{2014} na+me AAAAAAAAAAAA\n",
            "text\n\n\u{2014} name AAAAAAAAAAAA",
            "text\r\n\n\u{2014} name AAAAAAAAAAAA\n",
            "text\n\n- name AAAAAAAAAAAA\n",
        ] {
            assert!(Note::parse(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
        for wrong in [
            "",
            "a+b",
            "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/fob+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530d903a+AQ==",
        ] {
            assert!(wrong.parse::<VerifierKey>().is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_readers(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,80}") {
            let _ = Note::parse(&bytes);
            let _ = Note::parse(format!("{text}\n\n\u{2014} {text}\n").as_bytes());
            let _ = text.parse::<VerifierKey>();
        }
    }
}
