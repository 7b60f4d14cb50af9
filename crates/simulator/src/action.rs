//! Actions of a scenario: each is one thing that the buyer or an operator does at Avinode.

use rust_decimal::Decimal;
use serde::Deserialize;

/// `at` is in whole seconds from the start of the scenario, and differs between the actions of a trip.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// The buyer sends an RFQ for one aircraft to an operator.
    Rfq {
        at: u64,
        trip: String,
        rfq: String,
        operator: String,
    },
    /// The buyer adds an aircraft to an RFQ.
    Lift { at: u64, rfq: String },
    /// The operator quotes for an aircraft of the RFQ that has no quote yet.
    Quote {
        at: u64,
        rfq: String,
        quote: String,
        message: String,
        price: Decimal,
        currency: String,
    },
    /// The operator changes the price of a quote, which withdraws an earlier decline.
    Price { at: u64, quote: String, price: Decimal },
    /// The operator declines an RFQ and all quotes for it.
    Decline {
        at: u64,
        rfq: String,
        message: String,
        reason: String,
    },
    /// The buyer (if the message is named `abuyermsg-…`) or the operator writes a chat message.
    Chat {
        at: u64,
        rfq: String,
        message: String,
        text: String,
    },
    /// The buyer cancels an RFQ. The trip is called off with the last one.
    Cancel { at: u64, rfq: String },
}

impl Action {
    pub fn at(&self) -> u64 {
        match self {
            Self::Rfq { at, .. }
            | Self::Lift { at, .. }
            | Self::Quote { at, .. }
            | Self::Price { at, .. }
            | Self::Decline { at, .. }
            | Self::Chat { at, .. }
            | Self::Cancel { at, .. } => *at,
        }
    }

    pub fn is_by_operator(&self) -> bool {
        match self {
            Self::Quote { .. } | Self::Price { .. } | Self::Decline { .. } => true,
            Self::Chat { message, .. } => !is_by_buyer(message),
            Self::Rfq { .. } | Self::Lift { .. } | Self::Cancel { .. } => false,
        }
    }
}

pub fn is_by_buyer(message: &str) -> bool {
    message.starts_with("abuyermsg-")
}
