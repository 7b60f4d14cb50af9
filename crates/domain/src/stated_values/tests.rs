use proptest::prelude::*;

use super::*;
use crate::tests::generators::bare_quote;

fn priced(amount: &str) -> StatedValues {
    StatedValues::of_details(&QuoteDetails {
        price: Some(Money {
            amount: amount.parse().unwrap(),
            currency: "USD".to_owned(),
        }),
        ..bare_quote("a")
    })
}

#[test]
fn a_price_is_compared_as_the_column_rounds_it() {
    for (stated, column, is_stated) in [
        ("46400", "46400.00", true),
        ("46400.5", "46400.50", true),
        ("0.125", "0.12", true),
        ("0.125", "0.13", true),
        ("0.125", "0.14", false),
        ("46400", "46400.01", false),
    ] {
        let column = price(column.parse().unwrap());
        assert_eq!(
            priced(stated).contains(StatedPart::Price, &column),
            is_stated,
            "{stated} {column}"
        );
    }
}

#[test]
fn a_long_text_is_compared_by_its_digest() {
    let long = "Catering is included. ".repeat(100);
    let mut details = bare_quote("a");
    details.description.message = Some(long.clone());
    let stated = StatedValues::of_details(&details);
    assert!(stated.contains(StatedPart::Message, &text(&format!(" {long}\n"))));
    assert!(!stated.contains(StatedPart::Message, &text(&long.replace('!', "."))[..20]));
    assert!(serde_json::to_string(&stated).unwrap().len() < 300);
}

proptest! {
    #[test]
    fn any_order_and_grouping_ends_in_the_same_bounded_set(
        amounts in prop::collection::vec(1..500_i64, 1..200),
        split in 0..200_usize,
    ) {
        let merged = |amounts: &[i64]| {
            let mut all = StatedValues::default();
            for amount in amounts {
                all.merge(&priced(&amount.to_string()));
            }
            all
        };
        let (left, right) = amounts.split_at(split.min(amounts.len()));
        let mut grouped = merged(right);
        grouped.merge(&merged(left));
        let whole = merged(&amounts);
        prop_assert_eq!(&grouped, &whole);
        prop_assert!(whole.0[&StatedPart::Price].len() <= MAX_VALUES);
    }
}
