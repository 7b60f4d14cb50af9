//! The normal form of trip ids and RFQ ids is the same in the program and in the database, so that a session and an event
//! match.

use avinode_ingest::domain::ids::{IdError, MAX_ID_BYTES, RfqId, TripId};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::support::cluster::Db;

/// White space, digits, letters with special case folding, dashes, and arbitrary characters.
fn texts() -> impl Strategy<Value = String> {
    let space = "[ \t\n\r\u{b}\u{c}\u{85}\u{a0}\u{1680}\u{2000}-\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}\u{200b}\u{feff}]{0,2}";
    let middle = prop_oneof![
        3 => "[0-9]{1,12}",
        3 => "[a-zA-Z0-9]{1,8}",
        3 => "(atrip|ATRIP|Atrip|ARFQ|aRfq|arfq)-[0-9]{1,10}",
        1 => "[0-9\u{660}-\u{669}]{1,4}",
        1 => "[a-zA-ZäÖßıİſǅΣς\u{301}-]{0,6}",
        1 => "[0-9a-z \n-]{0,8}",
        1 => "[0-9]{190,210}",
        1 => prop::collection::vec(prop::char::range('\u{1}', '\u{10ffff}'), 0..8).prop_map(String::from_iter),
    ];
    (space, middle, space).prop_map(|(before, middle, after)| format!("{before}{middle}{after}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_and_the_database_agree_on_the_normal_form_of_every_trip_id() {
    let db = Db::new().await;
    let mut runner = TestRunner::default();
    let texts: Vec<String> = (0..8_000)
        .map(|_| texts().new_tree(&mut runner).unwrap().current())
        .chain(["v1b2c3", "A1B2CV", "v", "f-n"].map(str::to_owned))
        .chain(["x".repeat(100_000), "9".repeat(100_000)])
        .collect();
    let normal: Vec<Option<String>> = sqlx::query_scalar(
        "SELECT avinode_ingest.normal_trip_id(text) FROM unnest($1::text[]) WITH ORDINALITY AS t (text, n) ORDER BY n",
    )
    .bind(&texts)
    .fetch_all(&db.pool)
    .await
    .unwrap();
    for (text, normal) in texts.iter().zip(normal) {
        match TripId::parse(text) {
            Ok(id) => assert_eq!(normal.as_deref(), Some(id.as_str()), "{text:?}"),
            Err(IdError::Empty) => assert_eq!(normal, None, "{text:?}"),
            // No event has such an id, so the normal form of the application's id does not matter.
            Err(IdError::TooLong(_) | IdError::ControlCharacter) => {}
        }
        // A normal form is its own normal form: an index and a comparison may apply the rule twice.
        if let Some(id) = TripId::parse(text).ok().filter(|id| id.as_str().len() <= MAX_ID_BYTES) {
            assert_eq!(TripId::parse(id.as_str()), Ok(id));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_and_the_database_agree_on_the_normal_form_of_every_rfq_id() {
    let db = Db::new().await;
    let mut runner = TestRunner::default();
    let long = ["x", "É", "9"].map(|letter| letter.repeat(100_000));
    // Around the longest accepted id, in bytes and not in characters.
    let edges = (95..=101).flat_map(|count| ["é".repeat(count), format!(" A{}", "B".repeat(2 * count - 1))]);
    let texts: Vec<String> = (0..8_000)
        .map(|_| texts().new_tree(&mut runner).unwrap().current())
        .chain(edges)
        .chain(long)
        .collect();
    let normal: Vec<Option<String>> = sqlx::query_scalar(
        "SELECT avinode_ingest.normal_rfq_id(text) FROM unnest($1::text[]) WITH ORDINALITY AS t (text, n) ORDER BY n",
    )
    .bind(&texts)
    .fetch_all(&db.pool)
    .await
    .unwrap();
    for (text, normal) in texts.iter().zip(normal) {
        match RfqId::parse(text) {
            Ok(id) => assert_eq!(normal, Some(id.normalized()), "{text:?}"),
            Err(IdError::Empty | IdError::TooLong(_)) => assert_eq!(normal, None, "{text:?}"),
            // No fact has such an id, so the normal form of the application's id does not matter.
            Err(IdError::ControlCharacter) => {}
        }
    }
}
