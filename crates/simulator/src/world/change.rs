//! Applies actions to the state of Avinode.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::notification::SimulatedNotification;
use super::{
    LiftAnswer, MessageContent, ResourceTimestamps, SimulatedLift, SimulatedMessage, SimulatedQuote, SimulatedRfq,
    SimulatedWorld,
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
        let notification = self.notification(action)?;
        let before = document(self, notification.kind, &notification.id, base_url);
        let previous = self.previous.entry(notification.id.clone()).or_default();
        previous.document = before;
        previous.changes += 1;
        // Rounded down to microseconds, so never ahead of the real clock.
        let now = now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now);
        self.last = now.max(self.last + TimeDelta::microseconds(1));
        self.change(action, self.last)?;
        Some(notification)
    }

    fn change(&mut self, action: &Action, at: DateTime<Utc>) -> Option<()> {
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
                self.rfqs.insert(rfq.clone(), created);
                self.trips.get_mut(trip)?.rfqs.push(rfq.clone());
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
                let lift = lifts.iter_mut().find(|lift| lift.quote.is_none())?;
                lift.answer = LiftAnswer::Accepted;
                lift.quote = Some(quote.clone());
                let created = SimulatedQuote {
                    rfq: rfq.clone(),
                    price: *price,
                    currency: currency.clone(),
                    message: Some(message.clone()),
                    timestamps,
                };
                self.quotes.insert(quote.clone(), created);
                self.add_message(message, rfq, MessageContent::Quote(quote.clone()), timestamps);
            }
            Action::Price { quote: id, price, .. } => {
                let quote = self.quotes.get_mut(id)?;
                quote.price = *price;
                quote.timestamps.updated = at;
                let (rfq, message) = (quote.rfq.clone(), quote.message.clone()?);
                self.messages.get_mut(&message)?.timestamps.updated = at;
                let lifts = &mut self.touch_rfq(&rfq, at)?.lifts;
                let lift = lifts.iter_mut().find(|lift| lift.quote.as_ref() == Some(id))?;
                lift.answer = LiftAnswer::Accepted;
            }
            Action::Decline {
                rfq, message, reason, ..
            } => {
                for lift in &mut self.touch_rfq(rfq, at)?.lifts {
                    lift.answer = LiftAnswer::Declined;
                }
                self.add_message(message, rfq, MessageContent::Decline(reason.clone()), timestamps);
            }
            Action::Chat { rfq, message, text, .. } => {
                self.add_message(message, rfq, MessageContent::Text(text.clone()), timestamps);
            }
            Action::Cancel { rfq, .. } => self.touch_rfq(rfq, at)?.canceled = true,
        }
        Some(())
    }

    fn touch_rfq(&mut self, rfq: &str, at: DateTime<Utc>) -> Option<&mut SimulatedRfq> {
        let rfq = self.rfqs.get_mut(rfq)?;
        rfq.timestamps.updated = at;
        Some(rfq)
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

    fn add_message(&mut self, id: &str, rfq: &str, content: MessageContent, timestamps: ResourceTimestamps) {
        let message = SimulatedMessage {
            rfq: rfq.to_owned(),
            content,
            timestamps,
        };
        self.messages.insert(id.to_owned(), message);
    }
}
