//! The choice among hosts, and its errors.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::TcpListener;

use crate::crash::load::{body, client, post};
use crate::crash::program::Serve;
use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::program;
use crate::support::proxy::Proxy;

const SECRET: (&str, &str) = ("AVINODE_WEBHOOK_SECRET", crate::support::service::SECRET);
/// A port on which nothing listens.
const NOWHERE: &str = "127.0.0.1:1";

fn url(db: &Db, hosts: &[&str], more: &str) -> String {
    let database = db.options.get_database().unwrap();
    format!(
        "postgres://avinode:hunter2@{}/{database}?sslmode=disable{more}",
        hosts.join(",")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_are_down_or_silent_delay_neither_serve_nor_commands() {
    let db = Db::new().await;
    let proxy = Proxy::start(&db.options).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = (silent.local_addr().unwrap().to_string(), silent);
    let url = url(&db, &[NOWHERE, &silent.0, proxy.host()], "");
    let began = tokio::time::Instant::now();
    let service = Serve::start(&[("DATABASE_URL", &url)]).await;
    service.ready().await;
    let client = client(&service.address);
    let (status, answer, _) = post(&client, &service.address, body(0)).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    let said = service.program.said();
    assert!(
        said.contains(&format!("connected to the database at {}", proxy.host())),
        "{said}"
    );
    let output = check(&[("DATABASE_URL", &url)]).await;
    let (status, words) = output.of("database");
    assert_eq!(status, "ok", "{}", output.text);
    assert!(
        words.contains(&format!("at {} as avinode, of the hosts {NOWHERE}, ", proxy.host())),
        "{words}"
    );
    let migrated = program::run(&["migrate"], &[("DATABASE_URL", &url)]).await;
    assert_eq!(migrated.code, Some(0), "{}", migrated.all());
    let elapsed = began.elapsed();
    assert!(elapsed < Duration::from_secs(30), "{elapsed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_error_names_each_host_with_its_own_cause_and_no_password() {
    let db = Db::new().await;
    let database = db.options.get_database().unwrap();
    db.run(&format!(
        "ALTER DATABASE {database} SET default_transaction_read_only = on"
    ))
    .await;
    let proxy = Proxy::start(&db.options).await;
    let read_only = format!("{}: it is read-only", proxy.host());
    let two = url(&db, &[NOWHERE, proxy.host()], "");
    let refused =
        format!("{NOWHERE}: error communicating with database: Connection refused (os error 111); {read_only}");
    let one = url(&db, &[proxy.host()], "&target_session_attrs=read-write");
    let commands = [
        (&two, "migrate", &refused),
        (&two, "check", &refused),
        (&one, "migrate", &read_only),
    ];
    let runs = commands.map(async |(url, command, cause)| {
        let run = program::run(&[command], &[("DATABASE_URL", url), SECRET]).await;
        assert_eq!(run.code, Some(69), "{}", run.all());
        let cause = format!("no host of the database URL accepts writes: {cause}");
        assert!(run.all().contains(&cause), "{}", run.all());
        assert!(!run.all().contains("hunter2"), "{}", run.all());
    });
    join_all(runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_asks_for_a_standby_is_a_wrong_setting() {
    for attribute in ["read-only", "standby", "prefer-standby"] {
        let url = format!("postgres://u:hunter2@h1,h2/d?target_session_attrs={attribute}");
        let run = program::run(&["serve"], &[("DATABASE_URL", &url), SECRET]).await;
        assert_eq!(run.code, Some(64), "{}", run.all());
        let wanted = "target_session_attrs of the database URL must be read-write, primary or any";
        assert!(
            run.all().contains(wanted) && !run.all().contains("hunter2"),
            "{}",
            run.all()
        );
    }
}
