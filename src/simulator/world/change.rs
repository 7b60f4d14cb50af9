//! How each action changes what Avinode knows.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::notification::SimulatedNotification;
use super::{
    LiftAnswer, MessageContent, ResourceTimestamps, SimulatedLift, SimulatedMessage, SimulatedQuote, SimulatedRfq,
    SimulatedWorld,
};
use crate::simulator::action::Action;

impl SimulatedWorld {
    /// Lets it happen now. Actions of a checked scenario always can; any other changes nothing.
    ///
    /// The stamps are the wall's moments, not the scenario's seconds: a reader may compare them with its own clock, and no
    /// two are the same.
    pub fn apply(&mut self, action: &Action, now: DateTime<Utc>, base: &str) -> Option<SimulatedNotification> {
        let notice = self.notice(action)?;
        let document = self.document(notice.kind, &notice.id, base);
        let before = self.before.entry(notice.id.clone()).or_default();
        before.document = document;
        before.changes += 1;
        // Whole microseconds, rounded down: never ahead of the wall's clock.
        let now = now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now);
        self.last = now.max(self.last + TimeDelta::microseconds(1));
        self.change(action, self.last)?;
        Some(notice)
    }

    fn change(&mut self, action: &Action, at: DateTime<Utc>) -> Option<()> {
        let stamps = ResourceTimestamps {
            created: at,
            updated: at,
        };
        match action {
            Action::Request(action) => {
                let lift = self.lift(&action.rfq, stamps);
                let rfq = SimulatedRfq {
                    trip: action.trip.clone(),
                    operator: action.operator.clone(),
                    lifts: vec![lift],
                    canceled: false,
                    stamps,
                };
                self.rfqs.insert(action.rfq.clone(), rfq);
                self.trips.get_mut(&action.trip)?.rfqs.push(action.rfq.clone());
            }
            Action::Lift(action) => {
                let lift = self.lift(&action.rfq, stamps);
                self.rfq(&action.rfq, at)?.lifts.push(lift);
            }
            Action::Quote(action) => {
                let lift = self
                    .rfq(&action.rfq, at)?
                    .lifts
                    .iter_mut()
                    .find(|lift| lift.quote.is_none())?;
                lift.answer = LiftAnswer::Accepted;
                lift.quote = Some(action.quote.clone());
                let quote = SimulatedQuote {
                    rfq: action.rfq.clone(),
                    price: action.price,
                    currency: action.currency.clone(),
                    message: Some(action.message.clone()),
                    stamps,
                };
                self.quotes.insert(action.quote.clone(), quote);
                self.say(
                    &action.message,
                    &action.rfq,
                    MessageContent::Quote(action.quote.clone()),
                    stamps,
                );
            }
            Action::Price(action) => {
                let quote = self.quotes.get_mut(&action.quote)?;
                quote.price = action.price;
                quote.stamps.updated = at;
                let (rfq, message) = (quote.rfq.clone(), quote.message.clone()?);
                self.messages.get_mut(&message)?.stamps.updated = at;
                let lifts = &mut self.rfq(&rfq, at)?.lifts;
                lifts
                    .iter_mut()
                    .find(|lift| lift.quote.as_ref() == Some(&action.quote))?
                    .answer = LiftAnswer::Accepted;
            }
            Action::Decline(action) => {
                for lift in &mut self.rfq(&action.rfq, at)?.lifts {
                    lift.answer = LiftAnswer::Declined;
                }
                self.say(
                    &action.message,
                    &action.rfq,
                    MessageContent::Decline(action.reason.clone()),
                    stamps,
                );
            }
            Action::Chat(action) => {
                self.say(
                    &action.message,
                    &action.rfq,
                    MessageContent::Text(action.text.clone()),
                    stamps,
                );
            }
            Action::Cancel(action) => self.rfq(&action.rfq, at)?.canceled = true,
        }
        Some(())
    }

    fn rfq(&mut self, rfq: &str, at: DateTime<Utc>) -> Option<&mut SimulatedRfq> {
        let rfq = self.rfqs.get_mut(rfq)?;
        rfq.stamps.updated = at;
        Some(rfq)
    }

    /// A new aircraft. Every other one has two automatic prices: linked quotes that nobody quoted.
    fn lift(&mut self, rfq: &str, stamps: ResourceTimestamps) -> SimulatedLift {
        self.lifts += 1;
        let number = self.lifts;
        let made = if number.is_multiple_of(2) { 0..0 } else { 0..2 };
        let automatic = made.map(|each| format!("aquote-{}", 910_000_000 + number * 2 + each));
        let automatic: Vec<String> = automatic.collect();
        for id in &automatic {
            let quote = SimulatedQuote {
                rfq: rfq.to_owned(),
                price: Decimal::new(999_900, 2),
                currency: "USD".to_owned(),
                message: None,
                stamps,
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

    fn say(&mut self, id: &str, rfq: &str, brings: MessageContent, stamps: ResourceTimestamps) {
        let rfq = rfq.to_owned();
        self.messages
            .insert(id.to_owned(), SimulatedMessage { rfq, brings, stamps });
    }
}
