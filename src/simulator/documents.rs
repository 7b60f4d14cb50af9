//! The documents: each resource as Avinode's API shows it, by the names of fields that its pages and its integrators'
//! code give (`data` of the envelope).

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value, json};

use super::action::is_of_the_buyer;
use super::scenario::LatestQuote;
use super::world::{
    LiftAnswer, MessageContent, ResourceTimestamps, SimulatedLift, SimulatedMessage, SimulatedQuote, SimulatedRfq,
    SimulatedTrip, SimulatedWorld,
};

/// The document of a resource, if it is there. `kind` is `rfqs`, `tripmsgs`, `quotes` or `trips`, `base` the API's URL.
pub fn document(world: &SimulatedWorld, kind: &str, id: &str, base: &str) -> Option<Value> {
    let mut document = match kind {
        "rfqs" => rfq(world, id, world.rfqs.get(id)?, base),
        "tripmsgs" => message(world, id, world.messages.get(id)?, base)?,
        "quotes" => quote(world, world.quotes.get(id)?, base),
        "trips" => {
            let (short, known) = world.trips.iter().find(|(_, trip)| trip.id == id)?;
            // A trip that nobody has asked for is not there yet.
            (!known.rfqs.is_empty()).then(|| trip(world, short, known, base))?
        }
        _ => return None,
    };
    if let (Value::Object(document), Value::Object(link)) = (&mut document, link(kind, id, base)) {
        document.extend(link);
    }
    Some(document)
}

fn rfq(world: &SimulatedWorld, id: &str, rfq: &SimulatedRfq, base: &str) -> Value {
    let trip = world.trips.get(&rfq.trip).map(|trip| link("trips", &trip.id, base));
    let messages = world.messages.iter().filter(|(_, message)| message.rfq == id);
    let mut document = json!({
        "tripId": rfq.trip,
        "canceled": rfq.canceled,
        "buyerCompany": {"id": "acompany-900", "displayName": "Example Charter Brokers"},
        "buyerAccount": {"id": "aaccount-901", "displayName": "Example Broker"},
        "sellerCompany": seller(&rfq.operator),
        "segments": [{
            "startAirport": {"icao": "KTEB"},
            "endAirport": {"icao": "KPBI"},
            "paxCount": 4,
        }],
        "sellerLift": rfq.lifts.iter().map(|lift| sellers_lift(world, lift, base)).collect::<Vec<_>>(),
        "links": {
            "trips": trip.into_iter().collect::<Vec<_>>(),
            "tripmsgs": messages.map(|(message, _)| link("tripmsgs", message, base)).collect::<Vec<_>>(),
        },
    });
    stamp(world, &mut document, rfq.stamps);
    document
}

fn sellers_lift(world: &SimulatedWorld, lift: &SimulatedLift, base: &str) -> Value {
    let own = lift.quote.as_deref();
    // Where a link is all there is, it is the only one: with several it could not be told which is the operator's.
    let linked = match (own, world.latest_quote) {
        (Some(own), LatestQuote::Link) => vec![own],
        _ => lift.automatic.iter().map(String::as_str).chain(own).collect(),
    };
    let (number, words) = status(lift.answer);
    let mut shown = json!({
        "id": lift.id,
        "aircraftType": "Light jet",
        "aircraftTail": "N000EX",
        "maxPax": 7,
        "sourcingStatus": number,
        "sourcingDisplayStatus": words,
        "links": {"quotes": linked.iter().map(|id| link("quotes", id, base)).collect::<Vec<_>>()},
    });
    shown["latestQuote"] = match (own, world.latest_quote) {
        (Some(own), LatestQuote::Whole) => world
            .quotes
            .get(own)
            .map_or(Value::Null, |quote| priced(world, own, quote)),
        (Some(own), LatestQuote::Id) => json!({"id": own}),
        _ => Value::Null,
    };
    shown
}

fn message(world: &SimulatedWorld, id: &str, message: &SimulatedMessage, base: &str) -> Option<Value> {
    let rfq = world.rfqs.get(&message.rfq)?;
    let mut document = json!({"links": {"rfqs": [link("rfqs", &message.rfq, base)]}});
    match &message.brings {
        MessageContent::Quote(quote) => {
            let lift = rfq.lifts.iter().find(|lift| lift.quote.as_ref() == Some(quote))?;
            document["sellerQuote"] = priced(world, quote, world.quotes.get(quote)?);
            document["lift"] = json!([{
                "id": lift.id,
                "aircraftType": "Light jet",
                "links": {"quotes": [link("quotes", quote, base)]},
            }]);
            document["sellerCompany"] = seller(&rfq.operator);
        }
        MessageContent::Decline(reason) => {
            let (number, words) = status(LiftAnswer::Declined);
            let lifts = rfq.lifts.iter().filter(|lift| lift.answer == LiftAnswer::Declined);
            let declined =
                |lift: &SimulatedLift| json!({"id": lift.id, "sourcingStatus": number, "sourcingDisplayStatus": words});
            document["declineReason"] = json!(reason);
            document["lift"] = lifts.map(declined).collect();
            document["sellerCompany"] = seller(&rfq.operator);
        }
        MessageContent::Text(text) => {
            document["content"] = json!(text);
            if !is_of_the_buyer(id) {
                document["sellerCompany"] = seller(&rfq.operator);
            }
        }
    }
    stamp(world, &mut document, message.stamps);
    Some(document)
}

fn quote(world: &SimulatedWorld, quote: &SimulatedQuote, base: &str) -> Value {
    let mut document = json!({
        "sellerPrice": money(quote.price, &quote.currency),
        "sellerPriceWithoutCommission": money(quote.price, &quote.currency),
        "sellerMessage": "Subject to availability",
        "lift": {"aircraftType": "Light jet"},
        "links": {"rfqs": [link("rfqs", &quote.rfq, base)]},
    });
    stamp(world, &mut document, quote.stamps);
    document
}

fn trip(world: &SimulatedWorld, short: &str, trip: &SimulatedTrip, base: &str) -> Value {
    let of_it = |rfq: &str| world.rfqs.get(rfq).is_some_and(|rfq| rfq.trip == short);
    let messages = world.messages.iter().filter(|(_, message)| of_it(&message.rfq));
    json!({
        "tripId": short,
        "rfqs": trip.rfqs.iter().map(|rfq| link("rfqs", rfq, base)).collect::<Vec<_>>(),
        "links": {"tripmsgs": messages.map(|(message, _)| link("tripmsgs", message, base)).collect::<Vec<_>>()},
    })
}

/// A quote within another document: its id, its own stamps, its price.
fn priced(world: &SimulatedWorld, id: &str, quote: &SimulatedQuote) -> Value {
    let mut shown = json!({"id": id, "sellerPrice": money(quote.price, &quote.currency)});
    stamp(world, &mut shown, quote.stamps);
    shown
}

/// A price as a JSON number with its last digit: 18500.50.
fn money(price: Decimal, currency: &str) -> Value {
    let number: Option<Number> = format!("{price:.2}").parse().ok();
    json!({"price": number, "currency": currency})
}

fn seller(operator: &str) -> Value {
    json!({"displayName": operator})
}

fn status(answer: LiftAnswer) -> (u8, &'static str) {
    match answer {
        LiftAnswer::Unanswered => (1, "Unanswered"),
        LiftAnswer::Accepted => (2, "Accepted"),
        LiftAnswer::Declined => (3, "Declined"),
    }
}

fn stamp(world: &SimulatedWorld, document: &mut Value, stamps: ResourceTimestamps) {
    document["createdOn"] = json!(moment(stamps.created));
    if world.updated_on {
        document["updatedOn"] = json!(moment(stamps.updated));
    }
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// `{id, href, type}`, as every reference is written.
fn link(kind: &str, id: &str, base: &str) -> Value {
    let mut link = Map::new();
    link.insert("id".to_owned(), json!(id));
    link.insert("href".to_owned(), json!(format!("{base}/{kind}/{id}")));
    link.insert("type".to_owned(), json!(kind));
    Value::Object(link)
}
