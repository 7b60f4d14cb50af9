//! Full events: parsing never panics, and a body that a relay writes again with sorted keys is the same facts.
#![no_main]

use chrono::DateTime;
use ingest_avinode::full_event;
use ingest_avinode::notification::Notification;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Ok(Notification::Full(full)) = Notification::parse(body) else {
        return;
    };
    let received_at = DateTime::from_timestamp(1_775_000_000, 0).expect("the time is valid");
    let Ok(parsed) = full_event::read(&full, received_at) else {
        return;
    };
    let mut again = full.clone();
    again.data.sort_all_objects();
    let again = full_event::read(&again, received_at).expect("the order of keys decides nothing");
    assert_eq!(parsed, again);
});
