//! Fixtures: directories of bodies to send, in a fixed order, with placeholders for times relative to now.
//!
//! Placeholders are replaced in the bytes, not in parsed JSON: a fixture must reach the endpoint as it was written, and some are
//! deliberately odd.

use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// The default of the placeholder `{{avinode}}`.
pub const SANDBOX: &str = "https://sandbox.avinode.com/api";
/// The file of the manifest, which is not a fixture.
pub const MANIFEST: &str = "manifest.json";

#[derive(Debug, thiserror::Error)]
pub enum FixtureError {
    #[error("could not read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("there is no *.json file in {}", .0.display())]
    Empty(PathBuf),
    #[error("{}: unknown placeholder {{{{{placeholder}}}}}; known are {{{{now}}}} and such as {{{{now-30m}}}} or \
             {{{{now+2h}}}} (s, m, h, d), and {{{{avinode}}}}", path.display())]
    Placeholder {
        path: PathBuf,
        /// The text between the braces.
        placeholder: String,
    },
    #[error("{} is not a manifest of fixtures", path.display())]
    Manifest { path: PathBuf, source: serde_json::Error },
}

impl FixtureError {
    /// For `map_err`.
    pub fn read(path: &Path) -> impl Fn(io::Error) -> Self + Copy {
        move |source| Self::Read {
            path: path.to_owned(),
            source,
        }
    }
}

/// A body to send, as it is in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixture {
    pub path: PathBuf,
    /// The file's bytes, with placeholders.
    pub template: Vec<u8>,
}

impl Fixture {
    /// Reads a file of any name.
    pub fn read(path: &Path) -> Result<Self, FixtureError> {
        let template = std::fs::read(path).map_err(FixtureError::read(path))?;
        Ok(Self {
            path: path.to_owned(),
            template,
        })
    }

    /// Returns the name of the file's directory.
    pub fn scenario(&self) -> Option<&str> {
        self.path.parent()?.file_name()?.to_str()
    }

    /// Returns the body with every placeholder replaced: times in UTC with milliseconds, `{{avinode}}` by the URL of the sandbox.
    pub fn body(&self, now: DateTime<Utc>) -> Result<Vec<u8>, FixtureError> {
        self.body_of(now, SANDBOX)
    }

    /// Returns the body with resources of another API, for example of a simulator.
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

/// Where packages put the fixtures.
const INSTALLED: &str = "/usr/share/avinode-ingest/fixtures";

/// `fixtures` in the working directory, or else the fixtures of the installed package.
pub fn default_folder() -> PathBuf {
    let here = PathBuf::from("fixtures");
    let installed = PathBuf::from(INSTALLED);
    match !here.is_dir() && installed.is_dir() {
        true => installed,
        false => here,
    }
}

/// Reads these files, and the `*.json` files of these directories and their subdirectories, in the given order and by name within
/// a directory. Skips manifests and hidden files, and follows no links to directories.
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
    let unreadable = FixtureError::read(folder);
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

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}

/// Parses `now`, `now-30m`, `now+2h`.
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
