//! The text by which a person is found in stored material.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Shorter texts are in too much that is about others.
const MIN_CHARS: usize = 3;
/// Far more than a name, an address or a number has.
const MAX_CHARS: usize = 200;

/// A text without white space around it, compared without case. Never printed: logs and the audit log have its digest.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonText {
    lower: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PersonTextError {
    #[error(
        "the text has {0} characters; at least {MIN_CHARS} are needed, because a shorter one is in too much that is about others"
    )]
    TooShort(usize),
    #[error("the text has {0} characters; the limit is {MAX_CHARS}")]
    TooLong(usize),
}

impl PersonText {
    pub fn parse(text: &str) -> Result<Self, PersonTextError> {
        let lower = text.trim().to_lowercase();
        match lower.chars().count() {
            short if short < MIN_CHARS => Err(PersonTextError::TooShort(short)),
            long if long > MAX_CHARS => Err(PersonTextError::TooLong(long)),
            _ => Ok(Self { lower }),
        }
    }

    pub fn is_in(&self, text: &str) -> bool {
        text.to_lowercase().contains(&self.lower)
    }

    /// SHA-256 of the text in lower case, in hex.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(&self.lower))
    }
}

impl fmt::Debug for PersonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonText({})", self.digest())
    }
}
