//! The rule for projectable prices is the same in the program, in the database, and in the column of `public.quotes`.

use avinode_ingest::domain::event::{FactSource, FactVersion, Money, Party, QuoteDescription, QuoteDetails};
use avinode_ingest::domain::ids::QuoteId;
use avinode_ingest::domain::quote::ReceivedQuote;
use avinode_ingest::domain::quote_history::observation::ChangeTime;
use avinode_ingest::store::projection::projectable_price;
use rust_decimal::Decimal;

use crate::support::bodies::base;
use crate::support::cluster::Db;

fn quote_of(amount: Decimal) -> ReceivedQuote {
    ReceivedQuote {
        details: QuoteDetails {
            quote: QuoteId::parse("aquote-1").unwrap(),
            rfq: None,
            price: Some(Money {
                amount,
                currency: "USD".to_owned(),
            }),
            unread_price: None,
            operator: Party::default(),
            aircraft_type: None,
            aircraft_tail: None,
            valid_until: None,
            created_at: None,
            description: QuoteDescription::default(),
        },
        version: FactVersion {
            at: None,
            seen_at: base(),
            source: FactSource::Event,
            digest: [0; 32],
        },
        first_fact_at: base(),
        changed: ChangeTime {
            at: base(),
            source: FactSource::Event,
            seen_at: base(),
        },
    }
}

#[tokio::test]
async fn the_program_and_the_database_agree_on_projectable_prices() {
    let db = Db::new().await;
    for amount in [
        "0.004",
        "0.00499999",
        "0.005",
        "0.0051",
        "0.01",
        "1.005",
        "1.015",
        "2.675",
        "18500.50",
        "9999999999.99",
        "9999999999.994",
        "9999999999.995",
        "10000000000",
        "99999999999999999999",
    ] {
        let price = projectable_price(&quote_of(amount.parse().unwrap()));
        let is_projectable: bool = sqlx::query_scalar("SELECT avinode_ingest.is_projectable_price($1::numeric)")
            .bind(amount.parse::<Decimal>().unwrap())
            .fetch_one(&db.pool)
            .await
            .unwrap();
        assert_eq!(price.is_some(), is_projectable, "{amount}");
        let fits = sqlx::query("SELECT $1::numeric(12,2)")
            .bind(amount.parse::<Decimal>().unwrap())
            .execute(&db.pool)
            .await;
        assert!(price.is_none() || fits.is_ok(), "{amount}");
    }
}
