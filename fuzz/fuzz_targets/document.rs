//! Fetched documents: reading never panics, and a document never asks for itself.
#![no_main]

use chrono::DateTime;
use ingest_avinode::documents;
use ingest_avinode::json;
use ingest_avinode::resource::Resource;
use libfuzzer_sys::fuzz_target;

const RESOURCES: [&str; 5] = ["asellermsg-1", "arfq-1", "aquote-1", "atrip-1", "A1B2C3"];

fuzz_target!(|body: &[u8]| {
    let Ok(data) = json::read(body) else {
        return;
    };
    let began_at = DateTime::from_timestamp(1_775_000_000, 0).expect("the time is valid");
    for id in RESOURCES {
        let resource = Resource::by_text(id).expect("the id is valid");
        let Ok(document) = documents::read(&resource, &data, began_at) else {
            continue;
        };
        assert!(document.trip_ids.len() <= 2);
        assert!(document.events.iter().all(|event| event.version.seen_at == began_at));
        let others = document.missing.iter().chain(&document.children);
        assert!(others.into_iter().all(|other| *other != resource));
    }
});
