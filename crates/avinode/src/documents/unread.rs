//! The parts of a document that were sent and not understood, found after it was parsed: the parsers return what they
//! understand, and each property is judged here by the same functions.

use serde_json::Value;

use super::json_access;
use super::timestamps::{CREATED, UPDATED};
use crate::quote_price::{IN_DOCUMENTS, QuotePrice};
use crate::resource::ResourceKind;
use crate::timestamp;
use crate::unread_property::{self, UnreadProperty};

/// Returns the unread parts of a document: its timestamps, and the parts of the quotes that it shows.
pub(super) fn parts(kind: ResourceKind, data: &Value) -> Vec<UnreadProperty> {
    let mut found = Vec::new();
    add_timestamps(&mut found, data, "data");
    match kind {
        ResourceKind::TripMessages => {
            let quote = json_access::one(&data["sellerQuote"]);
            add_timestamps(&mut found, quote, "data.sellerQuote");
            add_quote(&mut found, quote, "data.sellerQuote");
        }
        ResourceKind::Quotes => add_quote(&mut found, data, "data"),
        ResourceKind::Rfqs => {
            for (number, lift) in json_access::many(&data["sellerLift"]).iter().enumerate() {
                let quote = json_access::one(&lift["latestQuote"]);
                let name = format!("data.sellerLift[{number}].latestQuote");
                add_timestamps(&mut found, quote, &name);
                add_quote(&mut found, quote, &name);
            }
        }
        ResourceKind::Trips => {}
    }
    found
}

fn add_timestamps(found: &mut Vec<UnreadProperty>, object: &Value, name: &str) {
    let keys = CREATED.iter().chain(&UPDATED);
    let unread = keys.filter_map(|key| timestamp::unread(object, key, timestamp::lenient));
    unread_property::add(found, unread.map(|it| it.within(name)));
}

fn add_quote(found: &mut Vec<UnreadProperty>, quote: &Value, name: &str) {
    let price = QuotePrice::read(quote, &IN_DOCUMENTS).unread;
    let until = timestamp::unread(quote, "validUntil", timestamp::end_of_validity);
    unread_property::add(found, price.into_iter().chain(until).map(|it| it.within(name)));
}
