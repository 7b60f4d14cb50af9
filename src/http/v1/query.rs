//! The query string: each parameter once, each known, each with a value that fits; what is wrong is told all at once.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::problem::{ApiProblem, FieldError};
use crate::domain::chat_session::page::{DEFAULT_LIMIT, MAX_LIMIT, PageRequest};
use crate::sessions::error::SessionError;

/// Parameters that are still to be taken, and what was wrong with those that were.
#[derive(Debug)]
pub struct QueryParams {
    left: BTreeMap<String, Vec<String>>,
    errors: Vec<FieldError>,
}

impl QueryParams {
    /// Reads a query string.
    pub fn read(query: Option<&str>) -> Self {
        let mut left: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            left.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        Self {
            left,
            errors: Vec::new(),
        }
    }

    /// Takes a parameter; an error of `parse` is the rest of a sentence that begins with the parameter's name.
    pub fn take<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let values = self.left.remove(name)?;
        let parsed = match values.as_slice() {
            [value] => parse(value),
            _ => Err("is given more than once".to_owned()),
        };
        parsed.map_err(|why| self.refuse(name, &why)).ok()
    }

    /// Takes a parameter that is a word of a type.
    pub fn parsed<T: FromStr>(&mut self, name: &str, what: &str) -> Option<T> {
        self.take(name, |value| value.parse().map_err(|_| format!("is not {what}")))
    }

    /// Takes a parameter that `sessions` checks.
    pub fn checked<T>(&mut self, name: &str, check: impl FnOnce(&str) -> Result<T, SessionError>) -> Option<T> {
        self.take(name, |value| {
            check(value).map_err(|error| match error {
                SessionError::Refused { why, .. } => why,
                other => other.to_string(),
            })
        })
    }

    /// Takes `limit` and `cursor`.
    pub fn page<P>(&mut self, cursor: impl FnOnce(&str) -> Option<P>) -> PageRequest<P> {
        let after = self.take("cursor", |value| {
            cursor(value).ok_or_else(|| "is not one that this list gave".to_owned())
        });
        let limit = self.take("limit", |value| {
            let limit = value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
            limit.ok_or_else(|| format!("is not a whole number from 1 to {MAX_LIMIT}"))
        });
        PageRequest {
            after,
            limit: limit.unwrap_or(DEFAULT_LIMIT),
        }
    }

    /// Refuses what was wrong, and what nobody took.
    ///
    /// # Errors
    /// There was any of it.
    pub fn finish(mut self) -> Result<(), ApiProblem> {
        for name in std::mem::take(&mut self.left).into_keys() {
            self.refuse(&name, "is not a parameter of this list");
        }
        match self.errors.is_empty() {
            true => Ok(()),
            false => Err(ApiProblem::Invalid(self.errors)),
        }
    }

    fn refuse(&mut self, name: &str, why: &str) {
        self.errors.push(FieldError {
            field: name.to_owned(),
            detail: format!("{name} {why}"),
        });
    }
}
