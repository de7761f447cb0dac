//! The text of a checkpoint (C2SP `tlog-checkpoint`): which log, how many leaves, which root. Pure.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::note::{BadNote, is_name};
use crate::ids::Sha256;

/// What a log says of itself at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub origin: String,
    /// Leaves.
    pub size: u64,
    pub root: Sha256,
}

impl fmt::Display for Checkpoint {
    /// The text that is signed: three lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = STANDARD.encode(self.root.0);
        write!(f, "{}\n{}\n{root}\n", self.origin, self.size)
    }
}

impl FromStr for Checkpoint {
    type Err = BadNote;

    /// Reads the text of a note. Extension lines are allowed by the specification and ignored, as it says.
    fn from_str(text: &str) -> Result<Self, BadNote> {
        let wrong = BadNote("a checkpoint is an origin, a size and a root, a line each");
        let text = text.strip_suffix('\n').ok_or(wrong.clone())?;
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(wrong);
        };
        if !is_name(origin) || lines.any(str::is_empty) {
            return Err(wrong);
        }
        let plain =
            size.bytes().all(|b| b.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
        let number = size.parse::<u64>().ok().filter(|n| plain && *n < 1 << 62);
        let bytes = STANDARD.decode(root).map_err(|_| wrong.clone())?;
        Ok(Self {
            origin: origin.to_owned(),
            size: number.ok_or(wrong.clone())?,
            root: Sha256(bytes.try_into().map_err(|_| wrong)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_read() {
        let text =
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let read: Checkpoint = text.parse().unwrap();
        assert_eq!(read.origin, "example.com/behind-the-sofa");
        assert_eq!(read.size, 20_852_163);
        assert_eq!(read.to_string(), text);
        let extended = format!("{text}extension\n");
        assert_eq!(extended.parse::<Checkpoint>().unwrap(), read);
        for wrong in [
            text.trim_end().to_owned(),
            text.replace("2085", "02085"),
            text.replace("2085", "+2085"),
            text.replace("CsUY", "CsU"),
            text.replace("example.com", "example com"),
            format!("{text}\n"),
            "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n".to_owned(),
        ] {
            assert!(wrong.parse::<Checkpoint>().is_err(), "{wrong:?}");
        }
    }
}
