//! Applies actions to the state of Avinode.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::notification::SimulatedNotification;
use super::{
    LiftAnswer, MessageContent, ResourceTimestamps, SimulatedLift, SimulatedMessage, SimulatedQuote, SimulatedRfq,
    SimulatedWorld, unknown,
};
use crate::action::Action;
use crate::documents::document;

impl SimulatedWorld {
    /// Applies an action and returns its notification. The actions of a valid scenario are always possible; any other changes
    /// nothing.
    ///
    /// The timestamps are real time and not the scenario's, because a reader may compare them with its own clock. No two are the
    /// same.
    pub fn apply(&mut self, action: &Action, now: DateTime<Utc>, base_url: &str) -> Option<SimulatedNotification> {
        let notification = self.notification(action).ok()?;
        for (kind, id) in self.changed_by(action) {
            let before = document(self, kind, &id, base_url);
            self.versions.entry(id).or_default().push(before);
        }
        // Rounded down to microseconds, so never ahead of the real clock.
        let now = now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now);
        self.last = now.max(self.last + TimeDelta::microseconds(1));
        self.change(action, self.last).ok()?;
        Some(notification)
    }

    /// Applies an action, at a time that documents show.
    ///
    /// # Errors
    /// The action is not possible; the text completes `action 7 …`.
    pub fn change(&mut self, action: &Action, at: DateTime<Utc>) -> Result<(), String> {
        let trip = self.subject(action)?.trip.to_owned();
        let timestamps = ResourceTimestamps {
            created: at,
            updated: at,
        };
        match action {
            Action::Rfq {
                trip, rfq, operator, ..
            } => {
                let lift = self.add_lift(rfq, timestamps);
                let created = SimulatedRfq {
                    trip: trip.clone(),
                    operator: operator.clone(),
                    lifts: vec![lift],
                    canceled: false,
                    timestamps,
                };
                require_new(self.rfqs.insert(rfq.clone(), created).is_none(), rfq)?;
                let trip = self.trips.get_mut(trip).ok_or_else(|| unknown(trip))?;
                trip.rfqs.push(rfq.clone());
            }
            Action::Lift { rfq, .. } => {
                let lift = self.add_lift(rfq, timestamps);
                self.touch_rfq(rfq, at)?.lifts.push(lift);
            }
            Action::Quote {
                rfq,
                quote,
                message,
                price,
                currency,
                ..
            } => {
                let lifts = &mut self.touch_rfq(rfq, at)?.lifts;
                let lift = lifts.iter_mut().find(|lift| lift.quote.is_none());
                let lift = lift.ok_or("quotes for an RFQ that has no lift without a quote")?;
                lift.answer = LiftAnswer::Accepted;
                lift.quote = Some(quote.clone());
                let created = SimulatedQuote {
                    rfq: rfq.clone(),
                    price: *price,
                    currency: currency.clone(),
                    message: Some(message.clone()),
                    timestamps,
                };
                require_new(self.quotes.insert(quote.clone(), created).is_none(), quote)?;
                self.add_message(message, rfq, MessageContent::Quote(quote.clone()), timestamps)?;
            }
            Action::Price { quote: id, price, .. } => {
                let quote = self.quotes.get_mut(id).ok_or_else(|| unknown(id))?;
                quote.price = *price;
                quote.timestamps.updated = at;
                let (rfq, message) = (quote.rfq.clone(), quote.message.clone());
                if let Some(message) = message.and_then(|id| self.messages.get_mut(&id)) {
                    message.timestamps.updated = at;
                }
                let lifts = self.touch_rfq(&rfq, at)?.lifts.iter_mut();
                for lift in lifts.filter(|lift| lift.quote.as_ref() == Some(id)) {
                    lift.answer = LiftAnswer::Accepted;
                }
            }
            Action::Decline {
                rfq, message, reason, ..
            } => {
                for lift in &mut self.touch_rfq(rfq, at)?.lifts {
                    lift.answer = LiftAnswer::Declined;
                }
                self.add_message(message, rfq, MessageContent::Decline(reason.clone()), timestamps)?;
            }
            Action::Chat { rfq, message, text, .. } => {
                self.add_message(message, rfq, MessageContent::Text(text.clone()), timestamps)?;
            }
            Action::Cancel { rfq, .. } => self.touch_rfq(rfq, at)?.canceled = true,
        }
        let last = &mut self.trips.get_mut(&trip).ok_or_else(|| unknown(&trip))?.last;
        if *last >= Some(action.at()) {
            return Err(format!("is of the same second as another action of its trip, {trip}"));
        }
        *last = Some(action.at());
        Ok(())
    }

    /// Returns the kinds and ids of the resources that an action changes or creates, beside its trip: the one of its notification,
    /// and those that show the change without a notification of their own.
    pub fn changed_by(&self, action: &Action) -> Vec<(&'static str, String)> {
        let (rfq, message, quote) = match action {
            Action::Rfq { rfq, .. } | Action::Lift { rfq, .. } | Action::Cancel { rfq, .. } => (Some(rfq), None, None),
            Action::Quote {
                rfq, message, quote, ..
            } => (Some(rfq), Some(message), Some(quote)),
            Action::Decline { rfq, message, .. } | Action::Chat { rfq, message, .. } => {
                (Some(rfq), Some(message), None)
            }
            Action::Price { quote: id, .. } => {
                let priced = self.quotes.get(id);
                let rfq = priced.map(|quote| &quote.rfq);
                (rfq, priced.and_then(|quote| quote.message.as_ref()), Some(id))
            }
        };
        let changed = [("rfqs", rfq), ("tripmsgs", message), ("quotes", quote)];
        changed
            .into_iter()
            .filter_map(|(kind, id)| Some((kind, id?.clone())))
            .collect()
    }

    fn touch_rfq(&mut self, id: &str, at: DateTime<Utc>) -> Result<&mut SimulatedRfq, String> {
        let rfq = self.rfqs.get_mut(id).ok_or_else(|| unknown(id))?;
        rfq.timestamps.updated = at;
        Ok(rfq)
    }

    /// Creates an aircraft. Every other one has two automatic prices: linked quotes that no operator made.
    fn add_lift(&mut self, rfq: &str, timestamps: ResourceTimestamps) -> SimulatedLift {
        self.lifts += 1;
        let number = self.lifts;
        let prices = if number.is_multiple_of(2) { 0..0 } else { 0..2 };
        let automatic: Vec<String> = prices
            .map(|each| format!("aquote-{}", 910_000_000 + number * 2 + each))
            .collect();
        for id in &automatic {
            let quote = SimulatedQuote {
                rfq: rfq.to_owned(),
                price: Decimal::new(999_900, 2),
                currency: "USD".to_owned(),
                message: None,
                timestamps,
            };
            self.quotes.insert(id.clone(), quote);
        }
        SimulatedLift {
            id: format!("asellerlift-{}", 4_000_000 + number),
            answer: LiftAnswer::Unanswered,
            quote: None,
            automatic,
        }
    }

    fn add_message(
        &mut self,
        id: &str,
        rfq: &str,
        content: MessageContent,
        timestamps: ResourceTimestamps,
    ) -> Result<(), String> {
        let message = SimulatedMessage {
            rfq: rfq.to_owned(),
            content,
            timestamps,
        };
        require_new(self.messages.insert(id.to_owned(), message).is_none(), id)
    }
}

fn require_new(is_new: bool, id: &str) -> Result<(), String> {
    is_new
        .then_some(())
        .ok_or_else(|| format!("creates {id} a second time"))
}
