//! What an action is notified as.

use super::SimulatedWorld;
use crate::simulator::action::{Action, is_of_the_buyer};

/// A change of a resource, as its notification tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedNotification {
    /// `rfqs` or `tripmsgs`.
    pub kind: &'static str,
    /// The resource.
    pub id: String,
    /// The short id of its trip, where the notification is to name it.
    pub trip: Option<String>,
    /// What a setting must have subscribed to.
    pub event_type: &'static str,
}

impl SimulatedWorld {
    /// What the action will be notified as.
    pub(super) fn notice(&self, action: &Action) -> Option<SimulatedNotification> {
        let (kind, id, rfq, event_type) = match action {
            Action::Request(action) => {
                let named = self.trips.get(&action.trip)?.named;
                return Some(SimulatedNotification {
                    kind: "rfqs",
                    id: action.rfq.clone(),
                    trip: named.then(|| action.trip.clone()),
                    event_type: "TripRequestMine",
                });
            }
            Action::Lift(action) => ("rfqs", &action.rfq, &action.rfq, "TripRequestMine"),
            Action::Cancel(action) => ("rfqs", &action.rfq, &action.rfq, "TripRequestMine"),
            Action::Quote(action) => ("tripmsgs", &action.message, &action.rfq, "TripRequestSellerResponse"),
            Action::Decline(action) => ("tripmsgs", &action.message, &action.rfq, "TripRequestSellerResponse"),
            Action::Price(action) => {
                let quote = self.quotes.get(&action.quote)?;
                (
                    "tripmsgs",
                    quote.message.as_ref()?,
                    &quote.rfq,
                    "TripRequestSellerResponse",
                )
            }
            Action::Chat(action) if is_of_the_buyer(&action.message) => {
                ("tripmsgs", &action.message, &action.rfq, "TripChatMine")
            }
            Action::Chat(action) => ("tripmsgs", &action.message, &action.rfq, "TripChatFromSeller"),
        };
        let trip = &self.rfqs.get(rfq)?.trip;
        let named = self.trips.get(trip)?.named;
        Some(SimulatedNotification {
            kind,
            id: id.clone(),
            trip: named.then(|| trip.clone()),
            event_type,
        })
    }
}
