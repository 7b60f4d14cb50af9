//! The kind of a delivery with several events.

use super::generators::{bare_quote, event, quote, rfq};
use crate::event::{EventKind, FactSource, Party, TripStatus};
use crate::subject::{Subject, SubjectKind};

fn kind_of(kinds: Vec<EventKind>) -> SubjectKind {
    let events: Vec<_> = kinds
        .into_iter()
        .map(|kind| event(Some(1), FactSource::Document, kind))
        .collect();
    Subject::of_events(&events).kind
}

#[test]
fn a_document_that_states_a_quote_and_its_end_has_the_kind_of_the_end() {
    let stated = || EventKind::QuoteReceived(bare_quote("a"));
    let cancelled = || EventKind::RfqCancelled { rfq: rfq("a") };
    let declined = || EventKind::RfqDeclined {
        rfq: Some(rfq("a")),
        quote: None,
        reason: None,
        operator: Party::default(),
    };
    let accepted = || EventKind::QuoteAccepted {
        quote: quote("a"),
        rfq: None,
    };
    let sent = || EventKind::TripRequested { rfq: rfq("a") };
    let updated = || EventKind::TripChanged {
        rfq: None,
        status: TripStatus::Updated,
    };
    assert_eq!(
        kind_of(vec![stated(), declined(), accepted(), cancelled(), sent()]),
        SubjectKind::Cancellation
    );
    assert_eq!(kind_of(vec![stated(), accepted(), declined()]), SubjectKind::Decline);
    assert_eq!(kind_of(vec![stated(), accepted(), sent()]), SubjectKind::Acceptance);
    assert_eq!(kind_of(vec![sent(), updated(), stated()]), SubjectKind::Quote);
    assert_eq!(kind_of(vec![updated(), sent()]), SubjectKind::RfqSent);
    assert_eq!(kind_of(vec![updated()]), SubjectKind::TripChange);
    assert_eq!(kind_of(Vec::new()), SubjectKind::Other);
}
