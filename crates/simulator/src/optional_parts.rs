//! The parts of a document that are shown only if the call asks for them by a query parameter, as Avinode does.

use serde_json::Value;

/// Removes the parts that the query of a call does not ask for.
pub fn remove_unasked(document: &mut Value, query: &str) {
    let asks = |name: &str| query.split('&').any(|parameter| parameter == format!("{name}=true"));
    if let Value::Array(documents) = document {
        for document in documents {
            remove_unasked(document, query);
        }
        return;
    }
    if !asks("timestamps") {
        remove_everywhere(document, "updatedOn");
    }
    if !asks("sellermessagelinks") {
        remove(&mut document["links"], "tripmsgs");
    }
    if let Some(lifts) = document.get_mut("sellerLift").and_then(Value::as_array_mut) {
        for lift in lifts {
            for (parameter, part) in [
                ("latestquote", "latestQuote"),
                ("taildetails", "aircraftTail"),
                ("typedetails", "aircraftType"),
            ] {
                if !asks(parameter) {
                    remove(lift, part);
                }
            }
        }
    }
}

fn remove(object: &mut Value, name: &str) {
    if let Value::Object(object) = object {
        object.remove(name);
    }
}

fn remove_everywhere(value: &mut Value, name: &str) {
    remove(value, name);
    match value {
        Value::Object(object) => object.values_mut().for_each(|part| remove_everywhere(part, name)),
        Value::Array(items) => items.iter_mut().for_each(|item| remove_everywhere(item, name)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
