//! The notification of an action.

use super::{SimulatedWorld, unknown};
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

/// The subject of an action.
pub(super) struct ActionSubject<'a> {
    kind: &'static str,
    id: &'a str,
    /// The short id.
    pub(super) trip: &'a str,
    event_type: &'static str,
}

impl SimulatedWorld {
    /// Returns the subject of an action that is about to be applied.
    ///
    /// # Errors
    /// The action names something that does not exist.
    pub(super) fn subject<'a>(&'a self, action: &'a Action) -> Result<ActionSubject<'a>, String> {
        let trip_of = |rfq: &str| self.rfqs.get(rfq).map(|rfq| &rfq.trip).ok_or_else(|| unknown(rfq));
        let (kind, id, trip, event_type) = match action {
            Action::Rfq { rfq, trip, .. } => ("rfqs", rfq, trip, "TripRequestMine"),
            Action::Lift { rfq, .. } | Action::Cancel { rfq, .. } => ("rfqs", rfq, trip_of(rfq)?, "TripRequestMine"),
            Action::Quote { rfq, message, .. } | Action::Decline { rfq, message, .. } => {
                ("tripmsgs", message, trip_of(rfq)?, "TripRequestSellerResponse")
            }
            Action::Price { quote: id, .. } => {
                let priced = self
                    .quotes
                    .get(id)
                    .and_then(|quote| quote.message.as_ref().zip(Some(&quote.rfq)));
                let (message, rfq) = priced.ok_or_else(|| unknown(id))?;
                ("tripmsgs", message, trip_of(rfq)?, "TripRequestSellerResponse")
            }
            Action::Chat { rfq, message, .. } if is_by_buyer(message) => {
                ("tripmsgs", message, trip_of(rfq)?, "TripChatMine")
            }
            Action::Chat { rfq, message, .. } => ("tripmsgs", message, trip_of(rfq)?, "TripChatFromSeller"),
        };
        Ok(ActionSubject {
            kind,
            id,
            trip,
            event_type,
        })
    }

    /// Returns the notification of an action that is about to be applied.
    pub(super) fn notification(&self, action: &Action) -> Result<SimulatedNotification, String> {
        let subject = self.subject(action)?;
        let trip = self.trips.get(subject.trip).ok_or_else(|| unknown(subject.trip))?;
        Ok(SimulatedNotification {
            kind: subject.kind,
            id: subject.id.to_owned(),
            trip: trip.named.then(|| subject.trip.to_owned()),
            event_type: subject.event_type,
        })
    }
}
