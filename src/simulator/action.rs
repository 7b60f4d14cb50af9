//! What can happen at Avinode: what a buyer and operators do, one thing at a time, as a scenario writes it.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Something that happens. `at` is in whole seconds from the beginning; those of one trip all differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The buyer sends an RFQ to an operator, for one aircraft.
    Request(RfqAction),
    /// An aircraft is added to an RFQ.
    Lift(LiftAction),
    /// The operator quotes for an aircraft of the RFQ that has no quote yet.
    Quote(QuoteAction),
    /// The operator changes the price of a quote, and so takes back a decline.
    Price(PriceAction),
    /// The operator declines an RFQ, whatever was quoted for it.
    Decline(DeclineAction),
    /// Somebody writes.
    Chat(ChatAction),
    /// The buyer calls an RFQ off, and with it the trip.
    Cancel(CancelAction),
}

/// See [`Action::Request`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RfqAction {
    pub at: u64,
    pub trip: String,
    pub rfq: String,
    pub operator: String,
}

/// See [`Action::Lift`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiftAction {
    pub at: u64,
    pub rfq: String,
}

/// See [`Action::Quote`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuoteAction {
    pub at: u64,
    pub rfq: String,
    pub quote: String,
    pub message: String,
    pub price: Decimal,
    pub currency: String,
}

/// See [`Action::Price`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceAction {
    pub at: u64,
    pub quote: String,
    pub price: Decimal,
}

/// See [`Action::Decline`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclineAction {
    pub at: u64,
    pub rfq: String,
    pub message: String,
    pub reason: String,
}

/// See [`Action::Chat`]. A message `abuyermsg-…` is the buyer's, any other the operator's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatAction {
    pub at: u64,
    pub rfq: String,
    pub message: String,
    pub text: String,
}

/// See [`Action::Cancel`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancelAction {
    pub at: u64,
    pub rfq: String,
}

impl Action {
    /// When, in seconds from the beginning.
    pub fn at(&self) -> u64 {
        match self {
            Self::Request(action) => action.at,
            Self::Lift(action) => action.at,
            Self::Quote(action) => action.at,
            Self::Price(action) => action.at,
            Self::Decline(action) => action.at,
            Self::Chat(action) => action.at,
            Self::Cancel(action) => action.at,
        }
    }

    /// Whether an operator did it.
    pub fn is_of_an_operator(&self) -> bool {
        match self {
            Self::Quote(_) | Self::Price(_) | Self::Decline(_) => true,
            Self::Chat(chat) => !is_of_the_buyer(&chat.message),
            Self::Request(_) | Self::Lift(_) | Self::Cancel(_) => false,
        }
    }
}

/// Whether a message is the buyer's, which its id tells.
pub fn is_of_the_buyer(message: &str) -> bool {
    message.starts_with("abuyermsg-")
}
