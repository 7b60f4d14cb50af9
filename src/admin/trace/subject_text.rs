//! The subject of a delivery in one line.

use crate::store::admin::trace::deliveries::TracedDelivery;

/// The kind and the ids of a delivery that a job has read.
pub(super) fn subject(delivery: &TracedDelivery) -> Option<String> {
    let kind = delivery.kind.as_deref()?;
    let kind = if kind == "other" { "no event" } else { kind };
    let lists = [("RFQ", &delivery.rfqs), ("quote", &delivery.quotes)];
    let lists = lists.into_iter().filter(|(_, ids)| !ids.is_empty());
    let ids = [("event", &delivery.event_id), ("trip", &delivery.trip)];
    let ids = ids
        .into_iter()
        .filter_map(|(what, id)| Some(format!("{what} {}", id.as_ref()?)));
    let named: Vec<String> = ids
        .chain(lists.map(|(what, ids)| format!("{what} {}", ids.join(" "))))
        .collect();
    Some(match named.is_empty() {
        true => kind.to_owned(),
        false => format!("{kind}: {}", named.join(", ")),
    })
}
