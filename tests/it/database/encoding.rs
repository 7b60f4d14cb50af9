//! A database that is not UTF-8 is refused before anything is made in it.

use avinode_ingest::postgres::embedded::{EmbeddedOptions, EmbeddedPostgres};
use sqlx::{ConnectOptions, Connection};

use crate::attached::migration::dump;
use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::program::{run, run_on};
use crate::support::service::SECRET;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_utf_8_is_refused_and_untouched() {
    for encoding in ["SQL_ASCII", "LATIN1"] {
        let db = Db::encoded(encoding).await;
        let before = dump(&db, &["--schema=avinode_ingest"]);
        let serve = ["serve", "--listen", "127.0.0.1:0", "--webhook-secret", SECRET];
        for arguments in [&["migrate"], &serve[..], &[&serve[..], &["--migrate"]].concat()] {
            let refused = run_on(&db, arguments).await;
            assert_eq!(refused.code, Some(78), "{arguments:?}: {}", refused.all());
            let sentence =
                format!("the encoding of the database is {encoding}, and UTF-8 is needed: create a database");
            assert!(refused.stderr.contains(&sentence), "{arguments:?}: {}", refused.all());
        }
        let output = check(&[("DATABASE_URL", &db.url())]).await;
        let (status, words) = output.of("schema");
        assert_eq!(status, "failed", "{}", output.text);
        assert!(words.contains(encoding) && words.contains("ENCODING 'UTF8'"), "{words}");
        assert_eq!(dump(&db, &["--schema=avinode_ingest"]), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_creates_a_utf_8_database_on_a_server_that_makes_others_by_default() {
    let server = EmbeddedPostgres::start(EmbeddedOptions::default()).await.unwrap();
    let mut connection = server.options("postgres").connect().await.unwrap();
    let by_default = "UPDATE pg_database SET encoding = pg_char_to_encoding('SQL_ASCII') WHERE datname = 'template1'";
    sqlx::raw_sql(by_default).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let demo = run(&["demo", "--exit", "--database-url", &server.url("postgres")], &[]).await;
    assert_eq!(demo.code, Some(0), "{}", demo.all());

    // Nor does the database of the private cluster depend on the template.
    server.create_database("avinode_ingest").await.unwrap();
    let mut connection = server.options("avinode_ingest").connect().await.unwrap();
    let encoding: String = sqlx::query_scalar("SHOW server_encoding")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(encoding, "UTF8");
    connection.close().await.unwrap();
    server.stop().await.unwrap();
}
