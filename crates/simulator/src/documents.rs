//! The documents of the API: the `data` of the envelope, with the field names of Avinode's pages and of the code of integrators.

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;
use serde_json::{Number, Value, json};

use super::action::is_by_buyer;
use super::scenario::LatestQuote;
use super::world::{
    LiftAnswer, MessageContent, ResourceTimestamps, SimulatedLift, SimulatedMessage, SimulatedQuote, SimulatedRfq,
    SimulatedTrip, SimulatedWorld,
};

/// Returns the document of a resource, if the resource exists. `kind` is `rfqs`, `tripmsgs`, `quotes` or `trips`; `base` is the URL
/// of the API. By a trip's short id there is the trip, and the list of its RFQs.
pub fn document(world: &SimulatedWorld, kind: &str, id: &str, base: &str) -> Option<Value> {
    if let Some(trip) = world.trips.get(id) {
        return match kind {
            "trips" => document(world, kind, &trip.id, base),
            // The newest first: the first one is not the one that a caller looks for.
            "rfqs" => trip
                .rfqs
                .iter()
                .rev()
                .map(|rfq| document(world, kind, rfq, base))
                .collect(),
            _ => None,
        };
    }
    let mut document = match kind {
        "rfqs" => rfq(world, id, world.rfqs.get(id)?, base),
        "tripmsgs" => message(world, id, world.messages.get(id)?, base)?,
        "quotes" => quote(world, world.quotes.get(id)?, base),
        "trips" => {
            let (short, found) = world.trips.iter().find(|(_, trip)| trip.id == id)?;
            // A trip exists once an RFQ for it is sent.
            (!found.rfqs.is_empty()).then(|| trip(world, short, found, base))?
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
        "sellerLift": rfq.lifts.iter().map(|lift| seller_lift(world, lift, base)).collect::<Vec<_>>(),
        "links": {
            "trips": trip.into_iter().collect::<Vec<_>>(),
            "tripmsgs": messages.map(|(message, _)| link("tripmsgs", message, base)).collect::<Vec<_>>(),
        },
    });
    add_timestamps(world, &mut document, rfq.timestamps);
    document
}

fn seller_lift(world: &SimulatedWorld, lift: &SimulatedLift, base: &str) -> Value {
    let own = lift.quote.as_deref();
    let linked = lift.automatic.iter().map(String::as_str).chain(own);
    let (number, name) = status(lift.answer);
    let mut document = json!({
        "id": lift.id,
        "aircraftType": "Light jet",
        "aircraftTail": "N000EX",
        "maxPax": 7,
        "sourcingStatus": number,
        "sourcingDisplayStatus": name,
        "links": {"quotes": linked.map(|id| link("quotes", id, base)).collect::<Vec<_>>()},
    });
    document["latestQuote"] = match (own, world.latest_quote) {
        (Some(own), LatestQuote::Whole) => world
            .quotes
            .get(own)
            .map_or(Value::Null, |quote| embedded_quote(world, own, quote)),
        (Some(own), LatestQuote::Id) => json!({"id": own}),
        _ => Value::Null,
    };
    document
}

fn message(world: &SimulatedWorld, id: &str, message: &SimulatedMessage, base: &str) -> Option<Value> {
    let rfq = world.rfqs.get(&message.rfq)?;
    let mut document = json!({"links": {"rfqs": [link("rfqs", &message.rfq, base)]}});
    match &message.content {
        MessageContent::Quote(quote) => {
            let lift = rfq.lifts.iter().find(|lift| lift.quote.as_ref() == Some(quote))?;
            document["sellerQuote"] = embedded_quote(world, quote, world.quotes.get(quote)?);
            document["lift"] = json!([{
                "id": lift.id,
                "aircraftType": "Light jet",
                "links": {"quotes": [link("quotes", quote, base)]},
            }]);
            document["sellerCompany"] = seller(&rfq.operator);
        }
        MessageContent::Decline(reason) => {
            let (number, name) = status(LiftAnswer::Declined);
            let lifts = rfq.lifts.iter().filter(|lift| lift.answer == LiftAnswer::Declined);
            let declined =
                |lift: &SimulatedLift| json!({"id": lift.id, "sourcingStatus": number, "sourcingDisplayStatus": name});
            document["declineReason"] = json!(reason);
            document["lift"] = lifts.map(declined).collect();
            document["sellerCompany"] = seller(&rfq.operator);
        }
        MessageContent::Text(text) => {
            document["content"] = json!(text);
            if !is_by_buyer(id) {
                document["sellerCompany"] = seller(&rfq.operator);
            }
        }
    }
    add_timestamps(world, &mut document, message.timestamps);
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
    // Shown only where it is true.
    if quote.message.is_none() {
        document["avinodeGenerated"] = json!(true);
    }
    add_timestamps(world, &mut document, quote.timestamps);
    document
}

fn trip(world: &SimulatedWorld, short: &str, trip: &SimulatedTrip, base: &str) -> Value {
    let is_of_trip = |rfq: &str| world.rfqs.get(rfq).is_some_and(|rfq| rfq.trip == short);
    let messages = world.messages.iter().filter(|(_, message)| is_of_trip(&message.rfq));
    json!({
        "tripId": short,
        "rfqs": trip.rfqs.iter().map(|rfq| link("rfqs", rfq, base)).collect::<Vec<_>>(),
        "links": {"tripmsgs": messages.map(|(message, _)| link("tripmsgs", message, base)).collect::<Vec<_>>()},
    })
}

/// A quote inside another document.
fn embedded_quote(world: &SimulatedWorld, id: &str, quote: &SimulatedQuote) -> Value {
    let mut document = json!({"id": id, "sellerPrice": money(quote.price, &quote.currency)});
    add_timestamps(world, &mut document, quote.timestamps);
    document
}

/// A price as a JSON number with two decimals: 18500.50.
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

fn add_timestamps(world: &SimulatedWorld, document: &mut Value, timestamps: ResourceTimestamps) {
    document["createdOn"] = json!(timestamp(timestamps.created));
    if world.updated_on {
        document["updatedOn"] = json!(timestamp(timestamps.updated));
    }
}

fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// `{id, href, type}`, the form of every reference.
fn link(kind: &str, id: &str, base: &str) -> Value {
    json!({"id": id, "href": format!("{base}/{kind}/{id}"), "type": kind})
}
