//! The person or program that acts on stored data, and the note that it leaves.

use std::fmt;

use serde::Serialize;

use super::terminal_text::is_unsafe;

/// Characters of a name in an actor.
const MAX_NAME: usize = 100;
/// Characters of a note.
pub const MAX_NOTE: usize = 500;

/// Who acts, as the audit log, outcomes and timelines name it: `cli:alice@db1`, `token:dashboard`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Actor(String);

impl Actor {
    /// A user of the operating system of a host.
    pub fn command_line(user: &str, host: &str) -> Self {
        Self(format!("cli:{}@{}", printable(user), printable(host)))
    }

    /// The name of an API token.
    pub fn token(name: &str) -> Self {
        Self(format!("token:{}", printable(name)))
    }

    /// A user whom an authenticating proxy names to the console.
    pub fn user(name: &str) -> Self {
        Self(format!("user:{}", printable(name)))
    }

    /// A program that calls the Rust API.
    pub fn program() -> Self {
        Self("program".to_owned())
    }

    /// As stored.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn printable(name: &str) -> String {
    let characters = name.chars().take(MAX_NAME);
    characters.map(|c| if is_unsafe(c) { '?' } else { c }).collect()
}

/// The statement of an admin why something is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ActionNote(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    #[error("is empty")]
    Empty,
    #[error("has more than {MAX_NOTE} characters")]
    TooLong,
    #[error("has a control character")]
    ControlCharacter,
}

impl ActionNote {
    /// Trims a note.
    ///
    /// # Errors
    /// It is empty, longer than [`MAX_NOTE`] characters, or has control characters.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let text = text.trim();
        if text.is_empty() {
            Err(NoteError::Empty)
        } else if text.chars().count() > MAX_NOTE {
            Err(NoteError::TooLong)
        } else if text.chars().any(is_unsafe) {
            Err(NoteError::ControlCharacter)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An actor with its note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acting {
    pub actor: Actor,
    pub note: Option<ActionNote>,
}

impl Acting {
    pub fn new(actor: Actor, note: Option<ActionNote>) -> Self {
        Self { actor, note }
    }
}

impl fmt::Display for Acting {
    /// As in outcomes: `by cli:alice@db1: the relay was repaired`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by {}", self.actor)?;
        match &self.note {
            Some(note) => write!(f, ": {}", note.as_str()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
