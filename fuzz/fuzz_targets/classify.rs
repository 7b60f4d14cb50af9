//! Classification of a body, before it is stored: it agrees with the parser that reads the stored body later.
#![no_main]

use ingest_avinode::json;
use ingest_avinode::notification::{DeliveryKind, Notification, classify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let agrees = match (classify(body), Notification::parse(body)) {
        (DeliveryKind::Thin { key }, Ok(Notification::Thin(thin))) => key == thin.id,
        (DeliveryKind::Full { .. }, Ok(Notification::Full(_))) => true,
        (DeliveryKind::Unknown, Err(_)) => true,
        _ => false,
    };
    assert!(agrees, "the classification differs from the parser");
    if json::read(body).is_ok() {
        assert!(json::check(body).is_ok(), "what can be read is JSON");
    }
});
