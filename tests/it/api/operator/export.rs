//! Exports through the API.

use chrono::TimeDelta;
use serde_json::json;

use super::{Seeded, TRIP};
use crate::api::READ;
use crate::support::bodies::{base, message};
use crate::support::deliveries::{store_bytes, store_deliveries};
use crate::support::folder::files;
use crate::support::program::run;
use crate::support::sql::text;

/// More than two pages.
const MORE: i64 = 450;

#[tokio::test(flavor = "multi_thread")]
async fn an_export_through_the_api_writes_the_files_of_one_on_the_database_and_is_audited() {
    let seeded = Seeded::start().await;
    let db = &seeded.api.db;
    let bodies: Vec<_> = (0..MORE)
        .map(|number| {
            message(
                &format!("evt-more-{number}"),
                TRIP,
                &format!("asellermsg-{number}"),
                number,
            )
        })
        .collect();
    store_deliveries(&db.pool, &bodies, base()).await;
    db.run(&format!(
        "INSERT INTO avinode_ingest.redactions (delivery_id, body_sha256, body_bytes) VALUES ('{}', '', 1)",
        seeded.deliveries[0]
    ))
    .await;
    let folder = tempfile::tempdir().unwrap();
    let mut folders = (1..).map(|number| folder.path().join(number.to_string()));
    let filters: [&[&str]; 4] = [
        &[],
        &["--limit", "201"],
        &["--trip", TRIP, "--text", "asellermsg-44"],
        &["--outcome", "dead"],
    ];
    for filter in filters {
        let mut exported = Vec::new();
        for through_api in [false, true] {
            let out = folders.next().unwrap();
            let variables = match through_api {
                true => seeded.url(READ).to_vec(),
                false => seeded.database().to_vec(),
            };
            let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let command = [
                &["deliveries", "export", "--json", "--out", out.to_str().unwrap()],
                filter,
            ]
            .concat();
            let output = run(&command, &variables).await;
            assert_eq!(output.code, Some(0), "{}", output.all());
            exported.push((output.json(), files(&out)));
        }
        assert_eq!(exported[0], exported[1], "{filter:?}");
        assert!(!exported[0].1.is_empty(), "{filter:?}");
        if filter.is_empty() {
            let written = exported[0].1.len();
            assert_eq!(
                exported[0].0,
                json!({"written": written, "redacted": 1, "limit_reached": false})
            );
            assert!(i64::try_from(written).unwrap() > MORE);
        }
    }
    let audited = "SELECT string_agg(DISTINCT concat_ws(' ', split_part(actor, ':', 1), details->'filter'->>'has_text', details->'filter'->>'text'), ', ')
        FROM avinode_ingest.audit WHERE action = 'export_deliveries'";
    assert_eq!(
        text(&db.pool, audited).await.as_deref(),
        Some("cli, cli true, token, token true")
    );
    let exported = "SELECT string_agg(DISTINCT total::text, ' ') FROM (
            SELECT sum((counts->>'deliveries')::int) AS total FROM avinode_ingest.audit
            WHERE action = 'export_deliveries' GROUP BY split_part(actor, ':', 1)
        ) AS by_actor";
    assert!(
        !text(&db.pool, exported).await.unwrap().contains(' '),
        "both count the same"
    );
    // A page has some megabytes of bodies at most.
    let large = format!(r#"{{"event": "x", "data": "{}"}}"#, "y".repeat(100_000)).into_bytes();
    store_bytes(&db.pool, &vec![large; 80], base() + TimeDelta::hours(1)).await;
    let page = seeded.api.get("/v1/admin/deliveries/export?limit=200").await.body;
    assert_eq!(page["data"].as_array().unwrap().len(), 60);
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = seeded
        .api
        .get(&format!("/v1/admin/deliveries/export?limit=25&cursor={cursor}"))
        .await
        .body;
    let large = page["data"].as_array().unwrap().iter();
    let large = large.filter(|delivery| {
        delivery["body"]["content"]
            .as_str()
            .is_some_and(|body| body.contains("\"x\""))
    });
    assert_eq!(large.count(), 20);
    let refused = seeded.api.get("/v1/admin/deliveries/export?limit=201").await;
    assert_eq!(refused.assert_problem(422, "validation-failed"), ["limit"]);
    seeded.api.service.stop().await;
}
