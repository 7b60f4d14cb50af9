//! Looking for things where they were seen, in whatever shape they come: an object or a list of one, an id as text, as a number,
//! in an object, or at the end of a link.

use std::borrow::Cow;

use serde_json::Value;

use crate::avinode::json::text_at;
use crate::avinode::resource::{Resource, ResourceKind};
use crate::avinode::resource_id::ResourceId;
use crate::avinode::{money, sanitize, timestamp};
use crate::domain::event::{Money, Party};
use crate::domain::ids::{IdError, RfqId};

/// The thing itself, or the first of a list of things.
pub(super) fn one(value: &Value) -> &Value {
    match value {
        Value::Array(items) => items.iter().find(|item| !item.is_null()).unwrap_or(&Value::Null),
        single => single,
    }
}

/// All of a list; a thing by itself is a list of one, and null is none.
pub(super) fn many(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(items) => items,
        single => std::slice::from_ref(single),
    }
}

/// The text under one of these keys, the first that has any.
pub(super) fn text<'v>(value: &'v Value, keys: &[&str]) -> Option<Cow<'v, str>> {
    keys.iter().find_map(|key| text_at(value, &[key]))
}

/// The id of a thing: itself, its `id`, or the end of its `href`. One that cannot be kept is none.
pub(super) fn id<Id>(thing: &Value, parse: fn(&str) -> Result<Id, IdError>) -> Option<Id> {
    let thing = one(thing);
    let said = text_at(thing, &[]).or_else(|| text_at(thing, &["id"]));
    let said = said.or_else(|| {
        let href = text_at(thing, &["href"])?;
        let path = href.split(['?', '#']).next()?.trim_end_matches('/');
        Some(Cow::Owned(path.rsplit_once('/')?.1.to_owned()))
    })?;
    parse(&said).ok()
}

/// The ids of things, each once, in their order.
pub(super) fn ids<'v, Id: PartialEq>(
    things: impl IntoIterator<Item = &'v Value>,
    parse: fn(&str) -> Result<Id, IdError>,
) -> Vec<Id> {
    let mut found = Vec::new();
    for thing in things {
        if let Some(id) = id(thing, parse)
            && !found.contains(&id)
        {
            found.push(id);
        }
    }
    found
}

/// What a document links under one of these names, in `links` or beside it.
pub(super) fn linked<'v>(value: &'v Value, names: &[&'static str]) -> impl Iterator<Item = &'v Value> {
    let links = one(&value["links"]);
    let lists: Vec<&Value> = names.iter().flat_map(|name| [&links[name], &value[name]]).collect();
    lists.into_iter().flat_map(many)
}

/// The resources that a document links under these names; an id that tells its kind is believed before the list's name.
pub(super) fn resources<'v>(
    kind: ResourceKind,
    things: impl IntoIterator<Item = &'v Value>,
) -> impl Iterator<Item = Resource> {
    let ids = ids(things, ResourceId::parse);
    ids.into_iter()
        .map(move |id| Resource::by_id(&id).unwrap_or(Resource { kind, id }))
}

/// The resource of a kind and an id.
pub(super) fn resource(kind: ResourceKind, id: &str) -> Option<Resource> {
    let id = ResourceId::parse(id).ok()?;
    Some(Resource { kind, id })
}

/// The RFQs that a message, a quote or a lift links.
pub(super) fn requests(data: &Value) -> Vec<RfqId> {
    ids(linked(data, &["rfqs", "rfq", "rfqId"]), RfqId::parse)
}

/// Whether something stands there: an object with anything in it, or a text.
pub(super) fn is_something(value: &Value) -> bool {
    let holds = |inside: &serde_json::Map<String, Value>| inside.values().any(|value| !value.is_null());
    text_at(value, &[]).is_some() || value.as_object().is_some_and(holds)
}

/// Whether a flag is set, also as text.
pub(super) fn is_set(value: &Value, keys: &[&str]) -> bool {
    keys.iter().any(|key| match &value[key] {
        Value::Bool(set) => *set,
        other => text_at(other, &[]).is_some_and(|text| text.eq_ignore_ascii_case("true")),
    })
}

/// A seller's price: `sellerPrice{price,currency}`, the same written flat, or as relays have it (`totalPrice{amount,currency}`).
/// The one without commission is another price, and is not taken for it.
pub(super) fn price(quote: &Value) -> Option<Money> {
    let inside = |name: &str, amount: &str| money::price(one(&quote[name]), amount);
    inside("sellerPrice", "price")
        .or_else(|| inside("sellerPrice", "amount"))
        .or_else(|| money::price(quote, "sellerPrice"))
        .or_else(|| inside("totalPrice", "amount"))
}

/// A name to show: a text, or what an object calls itself.
pub(super) fn name(thing: &Value) -> Option<String> {
    let thing = one(thing);
    sanitize::shown_at(thing, &[]).or_else(|| {
        ["displayName", "companyName", "name", "type", "model"]
            .iter()
            .find_map(|key| sanitize::shown_at(thing, &[key]))
    })
}

/// Who it was: the first of these properties that says anything, a company before its people.
pub(super) fn operator(data: &Value, keys: &[&str]) -> Party {
    let of = |key: &&str| {
        let who = one(&data[key]);
        let id = ["companyId", "id"].iter().find_map(|key| text_at(who, &[key]));
        let who = Party {
            id: id.and_then(|id| Some(ResourceId::parse(&id).ok()?.to_string())),
            name: name(who),
        };
        (who != Party::default()).then_some(who)
    };
    keys.iter().find_map(of).unwrap_or_default()
}

/// Until when a quote stands.
pub(super) fn valid_until(quote: &Value) -> Option<chrono::DateTime<chrono::Utc>> {
    text_at(quote, &["validUntil"]).and_then(|text| timestamp::lenient(&text))
}
