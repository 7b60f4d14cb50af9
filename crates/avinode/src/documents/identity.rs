//! Finds the requested resource in `data`. Another resource's document is never applied: it may be the answer to another call,
//! or one item of a list.

use serde_json::Value;

use super::json_access;
use crate::parse_error::{ParseError, quoted};
use crate::resource::{Resource, ResourceKind};
use ingest_domain::ids::{ResourceId, TripId};

/// Returns the object of the requested resource.
///
/// # Errors
/// `data` is neither an object nor a list with an item of the requested id, or an object with another id.
pub(super) fn find<'v>(resource: &Resource, data: &'v Value) -> Result<&'v Value, ParseError> {
    let object = match data {
        Value::Array(items) => {
            let is_requested = |item: &&Value| own_id(item).is_some_and(|id| is_same(resource, &id, item));
            items.iter().find(is_requested).ok_or_else(|| ParseError::NotInList {
                resource: resource.to_string(),
                items: items.len(),
            })?
        }
        single => single,
    };
    if !object.is_object() {
        return Err(ParseError::NoDocument(resource.to_string()));
    }
    match own_id(object) {
        Some(id) if !is_same(resource, &id, object) => Err(ParseError::OtherDocument {
            resource: resource.to_string(),
            found: quoted(&id),
        }),
        None if object["data"].is_object() || object["data"].is_array() => Err(ParseError::NestedData("document")),
        _ => Ok(object),
    }
}

/// The document's `id`, or the end of its `href`. An id that is no text and no number is none.
fn own_id(object: &Value) -> Option<String> {
    let id: Option<ResourceId> = json_access::id(object, ResourceId::parse);
    id.filter(|_| object.is_object()).map(|id| id.to_string())
}

/// True for the requested id in any spelling: with or without its word, and in any case. A trip may be requested by its short id;
/// its own document then has the resource id, and shows the short one.
fn is_same(resource: &Resource, id: &str, object: &Value) -> bool {
    let requested = resource.id.as_str();
    let number = |id: &str| match id.split_once('-') {
        Some((_, number)) => number.to_owned(),
        None => id.to_owned(),
    };
    let is_bare = |id: &str| id.bytes().all(|byte| byte.is_ascii_digit());
    if requested.eq_ignore_ascii_case(id) || ((is_bare(id) || is_bare(requested)) && number(requested) == number(id)) {
        return true;
    }
    if resource.kind != ResourceKind::Trips || requested.contains('-') {
        return false;
    }
    let short = TripId::parse(requested).ok();
    let is_requested = |value: &Value| short.is_some() && json_access::id(value, TripId::parse) == short;
    is_requested(&object["tripId"])
        || json_access::linked(object, &["rfqs", "rfq"]).any(|rfq| is_requested(&rfq["tripId"]))
}
