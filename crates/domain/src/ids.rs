//! Ids, checked when they are parsed: in one normal form, never empty and never longer than a column.
//!
//! A trip has two ids at Avinode (a *resource id* and a *short id*); everything else has one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest id accepted, in bytes. Avinode's own are under 30.
pub const MAX_ID_BYTES: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Empty, or white space only.
    #[error("the id is empty")]
    Empty,
    #[error("the id is {0} bytes long; the limit is {MAX_ID_BYTES}")]
    TooLong(usize),
    /// No id of Avinode's contains one, and Postgres text refuses NUL.
    #[error("the id contains a control character")]
    ControlCharacter,
}

fn checked(text: &str) -> Result<&str, IdError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > MAX_ID_BYTES {
        return Err(IdError::TooLong(text.len()));
    }
    if text.chars().any(char::is_control) {
        return Err(IdError::ControlCharacter);
    }
    Ok(text)
}

/// Declares the type of an id, without its `parse`.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        text_id!($(#[$doc])* $name);

        impl $name {
            /// Trims and checks a text: not empty, at most [`MAX_ID_BYTES`], no control characters.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                checked(text).map(|text| Self(text.to_owned()))
            }
        }
    };
}

id!(
    /// Avinode's id of one seller's quote, for example `aquote-386512791`.
    QuoteId
);
id!(
    /// Avinode's id of one RFQ, for example `arfq-12345678`.
    RfqId
);
impl RfqId {
    /// The form in which RFQ ids are compared: lower case, however a session spells it. The SQL function
    /// `avinode_ingest.normal_rfq_id(text)` is the same rule; a test compares the two.
    pub fn normalized(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

id!(
    /// Avinode's id of a chat or seller message, for example `asellermsg-1000000007`.
    MessageId
);
id!(
    /// The id of a full event (`eventId`): a second event with the same id is a duplicate.
    EventId
);
id!(
    /// The id of a resource of any kind, as in a thin notification; the case is kept. The rules have id types of their own;
    /// this one identifies a resource to fetch.
    ///
    /// Documented as `[a-zA-Z]+-[\d]+(-[^-]+)?`, but not checked for it: an id of a new shape must not lose a notification.
    /// Code that puts an id into a URL checks its shape.
    ResourceId
);

text_id!(
    /// A trip's id in its normal form: `atrip-64956150` (resource id) or `A1B2C3` (short id).
    ///
    /// All digits is a resource id without its prefix, never a short id; a resource id is lower case, a short id upper case.
    /// The SQL function `avinode_ingest.normal_trip_id(text)` is the same rule; a test compares the two.
    TripId
);

impl TripId {
    /// Parses any spelling (bare digits, lower-case short id, surrounding white space) into the normal form.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let text = checked(text)?;
        let normal = if text.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("atrip-{text}")
        } else if text.contains('-') {
            text.to_ascii_lowercase()
        } else {
            text.to_ascii_uppercase()
        };
        // Checked again with the prefix, so that parsing a normal form gives the same normal form.
        checked(&normal)?;
        Ok(Self(normal))
    }
}

#[cfg(test)]
mod tests;
