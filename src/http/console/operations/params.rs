//! Parameters of a query or a form. A browser sends the empty fields of a form as well, which the filters of the API refuse: here they
//! are left out. What is left is parsed by the types of the API.

use axum::extract::Query;
use hyper::Uri;
use serde::de::DeserializeOwned;
use url::form_urlencoded::{self, Serializer};

use crate::http::v1::problem::ApiProblem;
use crate::http::v1::query::invalid;

/// Names and values in their order. No value is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads text of the form `a=1&b=2`.
    pub fn read(encoded: &str) -> Self {
        form_urlencoded::parse(encoded.as_bytes()).into_owned().collect()
    }

    /// The first value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut named = self.iter().filter(|(it, _)| *it == name);
        named.next().map(|(_, value)| value)
    }

    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        let others = self.0.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        Self(others.cloned().collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ApiProblem> {
        let uri: Result<Uri, _> = format!("/?{}", self.encoded()).parse();
        let uri = uri.map_err(|_| ApiProblem::field("query", "is too long"))?;
        match Query::try_from_uri(&uri) {
            Ok(Query(value)) => Ok(value),
            Err(rejection) => Err(invalid(&rejection)),
        }
    }

    pub fn encoded(&self) -> String {
        Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

impl FromIterator<(String, String)> for Params {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }
}

#[cfg(test)]
mod tests;
