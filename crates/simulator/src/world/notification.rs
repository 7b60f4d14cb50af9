//! The notification of an action.

use super::SimulatedWorld;
use crate::action::{Action, is_by_buyer};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedNotification {
    /// `rfqs` or `tripmsgs`.
    pub kind: &'static str,
    /// The changed resource.
    pub id: String,
    /// The short id of the trip, if its notifications carry it.
    pub trip: Option<String>,
    /// The event type that a webhook setting must have subscribed to.
    pub event_type: &'static str,
}

impl SimulatedWorld {
    /// Returns the notification of an action that is about to be applied, if it is possible.
    pub(super) fn notification(&self, action: &Action) -> Option<SimulatedNotification> {
        let trip_of = |rfq: &str| self.rfqs.get(rfq).map(|rfq| &rfq.trip);
        let (kind, id, trip, event_type) = match action {
            Action::Rfq { rfq, trip, .. } => ("rfqs", rfq, trip, "TripRequestMine"),
            Action::Lift { rfq, .. } | Action::Cancel { rfq, .. } => ("rfqs", rfq, trip_of(rfq)?, "TripRequestMine"),
            Action::Quote { rfq, message, .. } | Action::Decline { rfq, message, .. } => {
                ("tripmsgs", message, trip_of(rfq)?, "TripRequestSellerResponse")
            }
            Action::Price { quote, .. } => {
                let quote = self.quotes.get(quote)?;
                let message = quote.message.as_ref()?;
                ("tripmsgs", message, trip_of(&quote.rfq)?, "TripRequestSellerResponse")
            }
            Action::Chat { rfq, message, .. } if is_by_buyer(message) => {
                ("tripmsgs", message, trip_of(rfq)?, "TripChatMine")
            }
            Action::Chat { rfq, message, .. } => ("tripmsgs", message, trip_of(rfq)?, "TripChatFromSeller"),
        };
        let named = self.trips.get(trip)?.named;
        Some(SimulatedNotification {
            kind,
            id: id.clone(),
            trip: named.then(|| trip.clone()),
            event_type,
        })
    }
}
