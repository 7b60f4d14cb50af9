//! Logical replication: the application's streams of changes, and publications of all tables.

use avinode_ingest::service::ServiceSettings;
use sqlx::Row;
use sqlx::postgres::types::Oid;

use crate::crash::durable::Durable;
use crate::support::PATIENCE;
use crate::support::bodies::quote_of;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::pool::Pool;
use crate::support::service::RunningService;
use crate::support::sessions::{SessionBuilder, quote_count};

/// Tables that refuse UPDATE or DELETE in a publication: they have no key that identifies a row.
async fn unidentified(pool: &Pool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT class.oid::regclass::text FROM pg_class AS class
         WHERE class.relnamespace IN ('avinode_ingest'::regnamespace, 'public'::regnamespace) AND class.relkind IN ('r', 'p')
            AND (
                class.relreplident = 'n'
                OR class.relreplident = 'd' AND NOT EXISTS (
                    SELECT FROM pg_index AS index WHERE index.indrelid = class.oid AND index.indisprimary
                )
            )
         ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publication_of_all_tables_refuses_no_change() {
    let db = Db::new().await;
    assert_eq!(unidentified(&db.pool).await, Vec::<String>::new());
    db.run(
        "CREATE PUBLICATION everything FOR ALL TABLES;
         INSERT INTO avinode_ingest.inserted_values (quote_id, part, value) VALUES ('aquote-1', 'status', 'received');
         UPDATE avinode_ingest.inserted_values SET value = 'redacted';
         DELETE FROM avinode_ingest.inserted_values",
    )
    .await;
}

/// As Supabase Realtime reads them: by a logical slot, of a publication with the application's table.
#[tokio::test(flavor = "multi_thread")]
async fn changes_of_sessions_arrive_in_a_publication_with_the_new_row() {
    let postgres = Durable::new().await;
    for statement in ["ALTER SYSTEM SET wal_level = logical", "CHECKPOINT"] {
        sqlx::raw_sql(statement).execute(&postgres.pool).await.unwrap();
    }
    postgres.kill().await;
    let postgres = postgres.start_again().await;
    let pool = &postgres.pool;
    let session = SessionBuilder::of_trip("1").insert(pool).await;
    for statement in [
        "CREATE PUBLICATION supabase_realtime",
        "ALTER PUBLICATION supabase_realtime ADD TABLE public.chat_sessions",
        "SELECT pg_create_logical_replication_slot('realtime', 'pgoutput')",
    ] {
        sqlx::raw_sql(statement).execute(pool).await.unwrap();
    }
    let service = RunningService::start(pool, ServiceSettings::default()).await;
    for number in 1..=3 {
        let (status, answer) = service
            .post(
                quote_of("1", &number.to_string(), i64::from(number))
                    .to_string()
                    .as_bytes(),
            )
            .await;
        assert_eq!(status, 200, "{answer}");
        eventually(PATIENCE, "the quote is counted", async || {
            equal(quote_count(pool, session).await, number)
        })
        .await;
    }
    service.stop().await;
    // Commits of workers are flushed later, and the slot has only what is flushed.
    postgres.checkpoint().await;
    let published = "SELECT data FROM pg_logical_slot_get_binary_changes(
        'realtime', NULL, NULL, 'proto_version', '1', 'publication_names', 'supabase_realtime')";
    let messages: Vec<Vec<u8>> = sqlx::query_scalar(published).fetch_all(pool).await.unwrap();
    let columns = sqlx::query(
        "SELECT attrelid, attname::text, attnum FROM pg_attribute
         WHERE attrelid = 'public.chat_sessions'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let table: Oid = columns[0].get(0);
    let place = |name: &str| {
        columns
            .iter()
            .position(|column| column.get::<&str, _>(1) == name)
            .unwrap()
    };
    let (id, count) = (place("id"), place("quotes_received_count"));
    let updates: Vec<Vec<String>> = messages
        .iter()
        .filter(|message| matches!(message[0], b'I' | b'U' | b'D'))
        .map(|message| updated_row(message, table.0))
        .collect();
    assert!(updates.iter().all(|row| row[id] == session.to_string()));
    let mut counts: Vec<&str> = updates.iter().map(|row| row[count].as_str()).collect();
    counts.dedup();
    assert_eq!(counts, ["1", "2", "3"]);
}

/// The values of an update of `table`, as text, in the format of the plugin `pgoutput`
/// (<https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html>).
#[track_caller]
fn updated_row(message: &[u8], table: u32) -> Vec<String> {
    assert_eq!(
        (message[0], message[5]),
        (b'U', b'N'),
        "an update without a changed key"
    );
    assert_eq!(message[1..5], table.to_be_bytes(), "of another table");
    let columns = u16::from_be_bytes([message[6], message[7]]);
    let mut rest = &message[8..];
    let mut row = Vec::new();
    for _ in 0..columns {
        let kind = rest[0];
        rest = &rest[1..];
        let text = match kind {
            b't' => {
                let length = usize::try_from(u32::from_be_bytes(rest[..4].try_into().unwrap())).unwrap();
                let text = String::from_utf8(rest[4..4 + length].to_vec()).unwrap();
                rest = &rest[4 + length..];
                text
            }
            // NULL, or an unchanged value that is stored apart.
            _ => String::new(),
        };
        row.push(text);
    }
    assert!(rest.is_empty());
    row
}
