//! The lists of the operator API: each filter selects the rows that the database path selects, page by page.

use reqwest::Method;

use super::{RFQ, Seeded, ids};
use crate::api::{READ, send};
use crate::support::program::run_on;

/// Reads a list in pages of this size.
async fn pages(seeded: &Seeded, path: &str, query: &str, size: usize) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/admin/{path}?limit={size}{query}{cursor}");
        let page = seeded.api.get(&path).await.body;
        let data = ids(&page);
        assert!(data.len() <= size, "{page}");
        found.extend(data);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_selects_the_rows_that_the_database_path_selects_page_by_page() {
    let seeded = Seeded::start().await;
    let session = format!("&session={}", seeded.session);
    let cases: [(&str, &str, usize); 27] = [
        ("deliveries", "", 7),
        ("deliveries", "&trip=a1b2c3", 4),
        ("deliveries", "&rfq=ARFQ-2", 1),
        ("deliveries", "&quote=aquote-1", 2),
        ("deliveries", "&event=evt-1", 2),
        ("deliveries", &session, 4),
        ("deliveries", "&kind=decline", 1),
        ("deliveries", "&outcome=dead", 2),
        ("deliveries", "&outcome=queued", 1),
        ("deliveries", "&outcome=applied&kind=message", 1),
        ("deliveries", "&text=Catering%20is%20included", 1),
        ("deliveries", "&since=2020-01-01T00:00:00Z", 7),
        ("deliveries", "&since=2099-01-01T00:00:00Z", 0),
        ("deliveries", "&until=2020-01-01T00:00:00Z", 0),
        ("jobs", "", 3),
        ("jobs", "&state=dead", 2),
        ("jobs", "&state=running", 0),
        ("jobs", "&kind=fetch_notified", 1),
        ("jobs", "&trip=A1B2C3&state=dead", 1),
        ("jobs", "&quote=aquote-386512799", 1),
        ("jobs", "&rfq=arfq-77", 1),
        ("jobs", "&event=evt-9", 1),
        ("jobs", "&text=unknown%20EVENT%20kind", 1),
        ("jobs", "&timers=true&since=2020-01-01T00:00:00Z", 3),
        ("jobs", "&until=2020-01-01T00:00:00Z", 0),
        ("documents", "", 3),
        ("documents", "&resource=arfq-1", 0),
    ];
    for (list, query, expected) in cases {
        let mut arguments = vec![list.to_owned(), "list".to_owned(), "--json".to_owned()];
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap();
            match name {
                "timers" => arguments.push("--all".to_owned()),
                name => arguments.extend([format!("--{name}"), value.replace("%20", " ")]),
            }
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = run_on(&seeded.api.db, &arguments).await;
        let stored = output.json();
        // An array, or an object with `data`.
        let stored = match stored.is_array() {
            true => serde_json::json!({"data": stored}),
            false => stored,
        };
        let stored = ids(&stored);
        assert_eq!(stored.len(), expected, "{list}?{query}: {stored:?}");
        for size in [1, 2, 50] {
            assert_eq!(
                pages(&seeded, list, query, size).await,
                stored,
                "{list}?limit={size}{query}"
            );
        }
    }
    assert_eq!(
        pages(&seeded, "documents", &format!("&resource={RFQ}"), 2).await.len(),
        3
    );
    seeded.api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_filter_and_an_invalid_value_are_named() {
    let seeded = Seeded::start().await;
    let cursor = seeded.api.get("/v1/admin/deliveries?limit=1").await.body["next_cursor"].clone();
    let of_deliveries = format!("cursor={}", cursor.as_str().unwrap());
    for (list, query, name) in [
        ("deliveries", "state=dead", "state"),
        ("deliveries", "kind=quotes", "kind"),
        ("deliveries", "outcome=failed", "outcome"),
        ("deliveries", "session=7", "session"),
        ("deliveries", "trip=%20", "trip"),
        ("deliveries", "quote=", "quote"),
        ("deliveries", "since=yesterday", "since"),
        ("jobs", "until=%2B12000-01-01T00:00:00Z", "until"),
        ("deliveries", "text=%00", "text"),
        ("jobs", "reason=%00", "reason"),
        ("deliveries", "limit=201", "limit"),
        ("deliveries", "limit=1&limit=2", "limit"),
        ("jobs", "outcome=failed", "outcome"),
        ("jobs", "kind=quote", "kind"),
        ("jobs", "state=done", "state"),
        ("jobs", "timers=2", "timers"),
        ("jobs", &of_deliveries, "cursor"),
        ("documents", "kind=rfqs", "kind"),
        ("documents", "resource=%00", "resource"),
        ("documents", "cursor=1", "cursor"),
        ("audit", "action=delete", "action"),
        ("audit", "actor=%00", "actor"),
        ("audit", "since=%2B12000-01-01T00:00:00Z", "since"),
        ("audit", &of_deliveries, "cursor"),
    ] {
        let rejected = seeded.api.get(&format!("/v1/admin/{list}?{query}")).await;
        let named = rejected.assert_problem(422, "validation-failed");
        assert_eq!(named, [name], "{list}?{query}: {rejected:?}");
    }
    seeded.api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_nothing_is_a_problem_that_says_of_what() {
    let seeded = Seeded::start().await;
    for (path, name) in [
        ("deliveries/00000000-0000-0000-0000-000000000007", "delivery-not-found"),
        ("deliveries/7", "delivery-not-found"),
        ("jobs/4711", "job-not-found"),
        ("jobs/x", "job-not-found"),
        ("documents/4711", "document-not-found"),
        ("trace/00000000-0000-0000-0000-000000000007", "nothing-stored"),
        ("trace/%20", "nothing-stored"),
    ] {
        let path = format!("/v1/admin/{path}");
        let missing = send(seeded.api.request(Method::GET, &path).bearer_auth(READ)).await;
        missing.assert_problem(404, name);
    }
    seeded.api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_and_a_document_have_their_exact_bodies() {
    let seeded = Seeded::start().await;
    let [quote, .., unknown, binary, _] = &seeded.deliveries[..] else {
        panic!("{:?}", seeded.deliveries)
    };
    let shown = seeded.api.get(&format!("/v1/admin/deliveries/{quote}")).await.body;
    assert_eq!(shown["body"]["encoding"], "text");
    assert!(shown["body"]["content"].as_str().unwrap().contains("aquote-1"));
    assert_eq!(
        (&shown["subject"]["kind"], &shown["subject"]["trip"]),
        (&"quote".into(), &"A1B2C3".into())
    );
    assert_eq!(shown["subject"]["sessions"][0], seeded.session.to_string());
    assert_eq!(shown["jobs"][0]["outcome"], "applied");
    assert_eq!(shown["redaction"], serde_json::Value::Null);
    let shown = seeded.api.get(&format!("/v1/admin/deliveries/{unknown}")).await.body;
    assert_eq!(shown["jobs"][0]["outcome"], "dead");
    let shown = seeded.api.get(&format!("/v1/admin/deliveries/{binary}")).await.body;
    assert_eq!(
        shown["body"],
        serde_json::json!({"encoding": "base64", "content": "//4Aew=="})
    );
    let documents = seeded.api.get("/v1/admin/documents").await.body;
    let id = &documents["data"][1]["id"];
    let shown = seeded.api.get(&format!("/v1/admin/documents/{id}")).await.body;
    assert_eq!(shown["document"]["resource"], RFQ);
    assert_eq!(
        shown["body"],
        serde_json::json!({"encoding": "base64", "content": "//4="})
    );
    seeded.api.service.stop().await;
}
