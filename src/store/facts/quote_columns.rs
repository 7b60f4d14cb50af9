//! A quote's details in columns: of a row of `quote_facts`, and of an observation within its column `history`.

/// The details in a row. A macro, because the row types of `sqlx::query!` have no common trait.
macro_rules! details {
    ($quote:expr, $rfq:expr, $row:ident) => {
        crate::domain::event::QuoteDetails {
            quote: $quote,
            rfq: $rfq,
            // An amount without a currency is no price.
            price: $row
                .amount
                .zip($row.currency)
                .map(|(amount, currency)| crate::domain::event::Money { amount, currency }),
            operator: crate::domain::event::Party {
                id: $row.operator_id,
                name: $row.operator_name,
            },
            aircraft_type: $row.aircraft_type,
            aircraft_tail: $row.aircraft_tail,
            valid_until: $row.valid_until,
        }
    };
}

pub(super) use details;
