//! Lenient accessors of a document's parts: an object or a list of one, an id as text, as a number, in an object, or at the
//! end of a link.

use std::borrow::Cow;

use serde_json::Value;

use crate::json::text_at;
use crate::quote_price::{IN_DOCUMENTS, QuotePrice};
use crate::resource::{Resource, ResourceKind};
use crate::{json, sanitize, timestamp};
use ingest_domain::event::{Money, Party};
use ingest_domain::ids::{IdError, ResourceId, RfqId};

/// The value itself, or the first item of a list.
pub(super) fn one(value: &Value) -> &Value {
    match value {
        Value::Array(items) => items.iter().find(|item| !item.is_null()).unwrap_or(&Value::Null),
        single => single,
    }
}

/// The items of a list; a single value is a list of one, and null an empty list.
pub(super) fn many(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(items) => items,
        single => std::slice::from_ref(single),
    }
}

/// The first non-empty text under one of these keys.
pub(super) fn text<'v>(value: &'v Value, keys: &[&str]) -> Option<Cow<'v, str>> {
    keys.iter().find_map(|key| text_at(value, &[key]))
}

/// The id of an object: the value itself, its `id`, or the end of its `href`. An invalid id is `None`.
pub(super) fn id<Id>(value: &Value, parse: fn(&str) -> Result<Id, IdError>) -> Option<Id> {
    let value = one(value);
    // A fractional number is no id, in whatever place.
    if fraction(value).is_some() {
        return None;
    }
    let text = text_at(value, &[]).or_else(|| text_at(value, &["id"]));
    let text = text.or_else(|| {
        let href = text_at(value, &["href"])?;
        let path = href.split(['?', '#']).next()?.trim_end_matches('/');
        Some(Cow::Owned(path.rsplit_once('/')?.1.to_owned()))
    })?;
    parse(&text).ok()
}

/// The number in the place of an id, or of an object's `id`, if it has a fraction or an exponent.
pub(super) fn fraction(value: &Value) -> Option<String> {
    let value = one(value);
    json::fractional_at(value, &[]).or_else(|| json::fractional_at(value, &["id"]))
}

/// The ids of several objects, each once, in their order.
pub(super) fn ids<'v, Id: PartialEq>(
    values: impl IntoIterator<Item = &'v Value>,
    parse: fn(&str) -> Result<Id, IdError>,
) -> Vec<Id> {
    let mut found = Vec::new();
    for value in values {
        if let Some(id) = id(value, parse)
            && !found.contains(&id)
        {
            found.push(id);
        }
    }
    found
}

/// The objects that a document links under one of these names, in `links` or beside it.
pub(super) fn linked<'v>(value: &'v Value, names: &[&'static str]) -> impl Iterator<Item = &'v Value> {
    let links = one(&value["links"]);
    let lists: Vec<&Value> = names.iter().flat_map(|name| [&links[name], &value[name]]).collect();
    lists.into_iter().flat_map(many)
}

/// The resources of linked objects. The kind is that of the id's prefix, and `kind` for an id without a known prefix.
pub(super) fn resources<'v>(
    kind: ResourceKind,
    values: impl IntoIterator<Item = &'v Value>,
) -> impl Iterator<Item = Resource> {
    let ids = ids(values, ResourceId::parse);
    ids.into_iter()
        .map(move |id| Resource::by_id(&id).unwrap_or(Resource { kind, id }))
}

/// The only item; several are ambiguous.
pub(super) fn only<T: Clone>(items: &[T]) -> Option<T> {
    match items {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// The RFQs that a message, a quote or a lift links.
pub(super) fn rfqs(data: &Value) -> Vec<RfqId> {
    ids(linked(data, &["rfqs", "rfq", "rfqId"]), RfqId::parse)
}

/// True for a non-empty text, and for an object with a value that is not null.
pub(super) fn is_something(value: &Value) -> bool {
    let has_value = |object: &serde_json::Map<String, Value>| object.values().any(|value| !value.is_null());
    text_at(value, &[]).is_some() || value.as_object().is_some_and(has_value)
}

/// True if one of these flags is set, also as text.
pub(super) fn is_set(value: &Value, keys: &[&str]) -> bool {
    keys.iter().any(|key| match &value[key] {
        Value::Bool(set) => *set,
        other => text_at(other, &[]).is_some_and(|text| text.eq_ignore_ascii_case("true")),
    })
}

/// True for a quote that Avinode generated.
pub(super) fn is_generated(quote: &Value) -> bool {
    is_set(quote, &["avinodeGenerated"])
}

/// A seller's price, and a price that was sent and not understood, as text.
pub(super) fn price(quote: &Value) -> (Option<Money>, Option<String>) {
    let QuotePrice { price, unread } = QuotePrice::read(quote, &IN_DOCUMENTS);
    (price, unread.map(|unread| unread.to_string()))
}

/// A display name: a text, or one of an object's name properties.
pub(super) fn name(value: &Value) -> Option<String> {
    let value = one(value);
    sanitize::printable_at(value, &[]).or_else(|| {
        ["displayName", "companyName", "name", "type", "model"]
            .iter()
            .find_map(|key| sanitize::printable_at(value, &[key]))
    })
}

/// The party in the first of these properties that names one; a company's id before a person's.
pub(super) fn party(data: &Value, keys: &[&str]) -> Party {
    let at_key = |key: &&str| {
        let value = one(&data[key]);
        let id = ["companyId", "id"].iter().find_map(|key| text_at(value, &[key]));
        let party = Party {
            id: id.and_then(|id| Some(ResourceId::parse(&id).ok()?.to_string())),
            name: name(value),
        };
        (party != Party::default()).then_some(party)
    };
    keys.iter().find_map(at_key).unwrap_or_default()
}

pub(super) fn valid_until(quote: &Value) -> Option<chrono::DateTime<chrono::Utc>> {
    text_at(quote, &["validUntil"]).and_then(|text| timestamp::end_of_validity(&text))
}
