//! Fixtures: folders of bodies to send, in a fixed order, and the moments in them that are relative to now.
//!
//! The placeholders are replaced in the bytes, not in parsed JSON: a fixture must reach the endpoint as it was written,
//! and some are there because they are odd.

use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::manifest::MANIFEST;

/// What `{{avinode}}` stands for.
pub const SANDBOX: &str = "https://sandbox.avinode.com/api";

/// Why fixtures cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FixtureError {
    /// A file or folder cannot be read.
    #[error("could not read {}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No `*.json` file is there.
    #[error("there is no *.json file in {}", .0.display())]
    Empty(PathBuf),
    /// Something between `{{` and `}}` that is no moment.
    #[error("{}: unknown placeholder {{{{{placeholder}}}}}; known are {{{{now}}}} and such as {{{{now-30m}}}} or \
             {{{{now+2h}}}} (s, m, h, d), and {{{{avinode}}}}", path.display())]
    Placeholder {
        /// The file it stands in.
        path: PathBuf,
        /// What stands between the braces.
        placeholder: String,
    },
    /// The manifest is not one.
    #[error("{} is not a manifest of fixtures", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// One body to send, as it is written in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixture {
    /// The file.
    pub path: PathBuf,
    /// Its bytes, placeholders and all.
    pub template: Vec<u8>,
}

impl Fixture {
    /// Reads one file, whatever its name.
    pub fn read(path: &Path) -> Result<Self, FixtureError> {
        let template = std::fs::read(path).map_err(|source| FixtureError::Read {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            template,
        })
    }

    /// The name of the folder that the file is in: the scenario.
    pub fn scenario(&self) -> Option<&str> {
        self.path.parent()?.file_name()?.to_str()
    }

    /// The body to send: every placeholder replaced by the moment it means, in UTC with milliseconds, and `{{avinode}}` by
    /// the URL of the sandbox's API.
    pub fn body(&self, now: DateTime<Utc>) -> Result<Vec<u8>, FixtureError> {
        self.body_of(now, SANDBOX)
    }

    /// The same with resources of another API, for example of a simulator's.
    pub fn body_of(&self, now: DateTime<Utc>, avinode: &str) -> Result<Vec<u8>, FixtureError> {
        let unknown = |placeholder: &[u8]| FixtureError::Placeholder {
            path: self.path.clone(),
            placeholder: String::from_utf8_lossy(placeholder).chars().take(40).collect(),
        };
        let mut body = Vec::with_capacity(self.template.len());
        let mut rest = self.template.as_slice();
        while let Some(start) = find(rest, b"{{") {
            let inside = &rest[start + 2..];
            let end = find(inside, b"}}").ok_or_else(|| unknown(inside))?;
            body.extend_from_slice(&rest[..start]);
            match &inside[..end] {
                b"avinode" => body.extend_from_slice(avinode.as_bytes()),
                placeholder => {
                    let moment = moment(placeholder, now).ok_or_else(|| unknown(placeholder))?;
                    body.extend_from_slice(moment.to_rfc3339_opts(SecondsFormat::Millis, true).as_bytes());
                }
            }
            rest = &inside[end + 2..];
        }
        body.extend_from_slice(rest);
        Ok(body)
    }
}

/// Reads the `*.json` files of these folders, and of the folders in them, and these files, in the order given and by
/// name within a folder. Manifests and hidden files are left out; links to folders are not followed.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Fixture>, FixtureError> {
    let mut fixtures = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = fixtures.len();
            read_folder(path, &mut fixtures)?;
            if fixtures.len() == before {
                return Err(FixtureError::Empty(path.clone()));
            }
        } else {
            fixtures.push(Fixture::read(path)?);
        }
    }
    Ok(fixtures)
}

fn read_folder(folder: &Path, fixtures: &mut Vec<Fixture>) -> Result<(), FixtureError> {
    let unreadable = |source| FixtureError::Read {
        path: folder.to_owned(),
        source,
    };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if entry.file_type().map_err(unreadable)?.is_dir() {
            if !hidden {
                read_folder(&path, fixtures)?;
            }
        } else if !hidden && entry.file_name() != MANIFEST && path.extension().is_some_and(|ending| ending == "json") {
            fixtures.push(Fixture::read(&path)?);
        }
    }
    Ok(())
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// The moment that `now`, `now-30m`, `now+2h` and the like mean.
fn moment(placeholder: &[u8], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let shift = std::str::from_utf8(placeholder).ok()?.strip_prefix("now")?;
    if shift.is_empty() {
        return Some(now);
    }
    let (count, unit) = shift.split_at_checked(shift.len() - 1)?;
    let digits = count.strip_prefix(['+', '-'])?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: i64 = count.parse().ok()?;
    now.checked_add_signed(match unit {
        "s" => TimeDelta::try_seconds(count)?,
        "m" => TimeDelta::try_minutes(count)?,
        "h" => TimeDelta::try_hours(count)?,
        "d" => TimeDelta::try_days(count)?,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
