//! A quote's details as they are kept: in the columns of a fact, and by the same names in what was said.

/// The details in a row. A macro, because the rows have no type in common: that of a statement has no name.
macro_rules! details {
    ($quote:expr, $request:expr, $row:ident) => {
        crate::domain::event::QuoteDetails {
            quote: $quote,
            request: $request,
            // Neither says anything without the other.
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
