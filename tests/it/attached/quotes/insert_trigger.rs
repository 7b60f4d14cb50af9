//! The trigger on `quotes` that records what the application inserts: every form of an INSERT, and no failure of the write.

use avinode_ingest::postgres::application_tables::restore_triggers;

use super::setup::{poll, prices, webhook};
use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::postgrest::Postgrest;
use crate::support::sql::{count, text};

/// The values that were recorded for a part of a quote.
async fn recorded(db: &Db, quote_id: &str, part: &str) -> String {
    let values: Option<String> = sqlx::query_scalar(
        "SELECT string_agg(value, ' ' ORDER BY value) FROM avinode_ingest.inserted_values WHERE quote_id = $1 AND part = $2",
    )
    .bind(quote_id)
    .bind(part)
    .fetch_one(&db.pool)
    .await
    .unwrap();
    values.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_with_the_id_in_their_metadata_and_upserts_that_do_nothing_are_read_as_well() {
    let db = Db::attached().await;
    let nothing = poll("aquote-1", 46_400).replace(
        "DO UPDATE
         SET base_price = EXCLUDED.base_price, total_price = EXCLUDED.total_price",
        "DO NOTHING",
    );
    assert!(nothing.ends_with("DO NOTHING"));
    db.run(&nothing).await;
    db.run(&nothing.replace("46400", "50000")).await;
    assert_eq!(recorded(&db, "aquote-1", "price").await, "46400.00 50000.00");
    let in_metadata = poll("aquote-2", 46_400)
        .replace("'received', 'aquote-2'", "'received', NULL")
        .replace("\"polled\": true", "\"avinode_quote_id\": \" aquote-2\"");
    db.run(&in_metadata).await;
    assert_eq!(recorded(&db, "aquote-2", "price").await, "46400.00");
    webhook(&db, "aquote-2", 20, 60_000).await;
    let shown = "SELECT string_agg(total_price::text, ' ') FROM public.quotes WHERE metadata ->> 'avinode_quote_id' = ' aquote-2'";
    assert_eq!(text(&db.pool, shown).await.as_deref(), Some("60000.00"));
    // No quote of Avinode's: by hand, an RFQ, a decline.
    for id in ["", "arfq-1", "decline-evt-1"] {
        db.run(&poll(id, 1_000)).await;
    }
    let recorded =
        "SELECT count(DISTINCT quote_id) FROM avinode_ingest.inserted_values WHERE quote_id NOT LIKE 'aquote-38651%'";
    assert_eq!(count(&db.pool, recorded).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_in_one_statement_and_unusual_values_are_inserted_and_recorded() {
    let db = Db::attached().await;
    db.run(
        "ALTER TABLE public.quotes ALTER COLUMN base_price DROP NOT NULL, ALTER COLUMN total_price DROP NOT NULL,
            ALTER COLUMN aircraft_type DROP NOT NULL;
         INSERT INTO public.quotes (request_id, operator_id, operator_name, base_price, total_price, aircraft_type, status,
            avinode_quote_id, metadata, valid_until)
         SELECT '02000000-0000-4000-8000-000000000004', 'seller-1', 'A. Seller', price, price, NULL, 'received', 'aquote-' || n,
            NULL, 'infinity'
         FROM unnest(ARRAY[NULL, 'NaN', 9999999999.99, 0.01]) WITH ORDINALITY AS given (price, n)",
    )
    .await;
    let parts =
        "SELECT string_agg(concat_ws(' ', quote_id, value), ', ' ORDER BY quote_id) FROM avinode_ingest.inserted_values
        WHERE part = 'price' AND quote_id NOT LIKE 'aquote-38651%'";
    assert_eq!(
        text(&db.pool, parts).await.as_deref(),
        Some("aquote-3 9999999999.99, aquote-4 0.01")
    );
    db.run(
        "INSERT INTO public.quotes (request_id, operator_id, operator_name, status, avinode_quote_id)
         SELECT '02000000-0000-4000-8000-000000000004', 'seller-1', 'A. Seller', 'received', 'aquote-many-' || n
         FROM generate_series(1, 500) AS n",
    )
    .await;
    let many =
        "SELECT count(DISTINCT quote_id) FROM avinode_ingest.inserted_values WHERE quote_id LIKE 'aquote-many-%'";
    assert_eq!(count(&db.pool, many).await, 500);
    for (number, price) in [(1, 100), (2, 200), (3, 300), (4, 400)] {
        webhook(&db, &format!("aquote-{number}"), 1, price).await;
    }
    let shown = "SELECT string_agg(total_price::text, ' ' ORDER BY avinode_quote_id) FROM public.quotes
        WHERE avinode_quote_id IN ('aquote-1', 'aquote-2', 'aquote-3', 'aquote-4')";
    // NaN is not recorded as a price.
    assert_eq!(text(&db.pool, shown).await.as_deref(), Some("NaN 300.00 400.00"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_insert_fails_or_waits_because_of_the_record() {
    let db = Db::attached().await;
    // Two polls that write the same quotes in opposite orders, where the application's table has no unique ids.
    db.run("ALTER TABLE public.quotes DROP CONSTRAINT quotes_avinode_quote_id_key")
        .await;
    let insert = |id: &str| sqlx::AssertSqlSafe(poll(id, 50_000).split("ON CONFLICT").next().unwrap().to_owned());
    let (mut one, mut other) = (db.pool.application().await, db.pool.application().await);
    for transaction in [&mut one, &mut other] {
        sqlx::query("SET LOCAL lock_timeout = '2s'")
            .execute(&mut **transaction)
            .await
            .unwrap();
    }
    sqlx::query(insert("aquote-1")).execute(&mut *one).await.unwrap();
    sqlx::query(insert("aquote-2")).execute(&mut *other).await.unwrap();
    sqlx::query(insert("aquote-2")).execute(&mut *one).await.unwrap();
    sqlx::query(insert("aquote-1")).execute(&mut *other).await.unwrap();
    one.commit().await.unwrap();
    other.commit().await.unwrap();
    // Without the table of ours, and while it is locked.
    db.run("ALTER TABLE avinode_ingest.inserted_values RENAME TO renamed_away")
        .await;
    db.run(poll("aquote-3", 50_000).split("ON CONFLICT").next().unwrap())
        .await;
    db.run("ALTER TABLE avinode_ingest.renamed_away RENAME TO inserted_values")
        .await;
    let mut lock = db.pool.application().await;
    sqlx::query("LOCK TABLE avinode_ingest.inserted_values")
        .execute(&mut *lock)
        .await
        .unwrap();
    db.run(poll("aquote-4", 50_000).split("ON CONFLICT").next().unwrap())
        .await;
    lock.rollback().await.unwrap();
    assert_eq!(recorded(&db, "aquote-3", "price").await, "");
    assert_eq!(prices(&db, "aquote-4").await, "50000.00 50000.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_under_row_level_security_upserts_and_its_values_are_recorded() {
    let db = Db::attached().await;
    db.run(
        "CREATE POLICY \"Agents write quotes of their requests\" ON public.quotes
            USING (request_id IN (SELECT id FROM public.requests)) WITH CHECK (request_id IN (SELECT id FROM public.requests));
         GRANT SELECT, INSERT, UPDATE ON public.quotes, public.requests, public.iso_agents TO authenticated",
    )
    .await;
    let api = Postgrest::before(&db);
    let mut agent = api.agent("user_bob").await;
    sqlx::query(sqlx::AssertSqlSafe(poll("aquote-1", 50_000)))
        .execute(&mut *agent)
        .await
        .unwrap();
    agent.commit().await.unwrap();
    assert_eq!(recorded(&db, "aquote-1", "price").await, "50000.00");
    webhook(&db, "aquote-1", 0, 60_000).await;
    assert_eq!(prices(&db, "aquote-1").await, "60000.00 60000.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_was_created_again_gets_its_trigger_again() {
    let db = Db::attached().await;
    db.run("DROP TRIGGER avinode_ingest_quote_proposed ON public.quotes")
        .await;
    let (status, words) = check(&[("DATABASE_URL", &db.url())]).await.of("triggers");
    assert_eq!(status, "failed");
    assert!(words.contains("avinode_ingest_quote_proposed is missing"), "{words}");
    let restored = restore_triggers(&db.pool).await.unwrap();
    assert_eq!(restored, ["avinode_ingest_quote_proposed"]);
    db.run(&poll("aquote-1", 50_000)).await;
    assert_eq!(recorded(&db, "aquote-1", "price").await, "50000.00");
}
