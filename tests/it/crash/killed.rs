//! The service killed with SIGKILL, by which nothing that was acknowledged may be lost or counted twice.

use avinode_ingest::cli::replay::wait_idle::wait_until_settled;
use sqlx::Connection;

use super::load::{self, Load, body, check_counts, client, post};
use super::program::Serve;
use super::roles::{lease_holders, lock_sessions};
use crate::support::PATIENCE;
use crate::support::bodies::base;
use crate::support::cluster::Db;
use crate::support::deliveries::store_bytes;
use crate::support::eventually::eventually;
use crate::support::sql::count;

/// The settings of a service on `url` with short leases.
fn settings(url: &str) -> [(&str, &str); 2] {
    [("DATABASE_URL", url), ("INGEST_LEASE_DURATION", "5s")]
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_200_and_application_every_quote_is_counted_once_after_the_restart() {
    let db = Db::new().await;
    let sessions = load::sessions(&db.pool).await;
    let url = db.url();
    let service = Serve::start(&settings(&url)).await;
    // No worker can apply anything while the sessions are locked: every accepted delivery is still to be applied.
    let application = lock_sessions(&db.pool).await;
    let client = client(&service.address);
    for number in 0..12 {
        let (status, answer, _) = post(&client, &service.address, body(number)).await.unwrap();
        assert_eq!(status, 200, "{answer}");
    }
    eventually(PATIENCE, "a worker has claimed some", async || {
        lease_holders(&db.pool).await.pop()
    })
    .await;
    service.program.kill().await;
    application.close().await.unwrap();

    let counted = "SELECT sum(quotes_received_count) FROM public.chat_sessions";
    let counted = count(&db.pool, counted).await;
    assert_eq!(counted, 0);
    let _service = Serve::start(&settings(&url)).await;
    wait_until_settled(&db.pool, PATIENCE).await.unwrap();
    check_counts(&db.pool, &sessions, 12).await;
}

/// A process that dies before it has its lease is not seen as dead: its jobs wait until their own leases run out.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_has_its_lease_before_its_first_claim() {
    let db = Db::new().await;
    db.run(
        "CREATE TABLE public.early_claims (job bigint);
         CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$;
         CREATE TRIGGER slow BEFORE INSERT ON avinode_ingest.leader_leases
             FOR EACH ROW WHEN (NEW.name LIKE 'process/%') EXECUTE FUNCTION public.slow();
         CREATE FUNCTION public.note_early_claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF NOT EXISTS (SELECT FROM avinode_ingest.leader_leases WHERE name = 'process/' || split_part(NEW.leased_by, '/', 1)) THEN
                 INSERT INTO public.early_claims VALUES (NEW.id);
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER note_early_claim BEFORE UPDATE ON avinode_ingest.jobs
             FOR EACH ROW WHEN (NEW.leased_by IS NOT NULL) EXECUTE FUNCTION public.note_early_claim();",
    )
    .await;
    let bodies: Vec<Vec<u8>> = (0..3).map(body).collect();
    store_bytes(&db.pool, &bodies, base()).await;
    let url = db.url();
    let _service = Serve::start(&settings(&url)).await;
    wait_until_settled(&db.pool, PATIENCE).await.unwrap();
    assert_eq!(count(&db.pool, "SELECT count(*) FROM avinode_ingest.outcomes").await, 3);
    assert_eq!(count(&db.pool, "SELECT count(*) FROM public.early_claims").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_under_load_nothing_acknowledged_is_lost_or_counted_twice() {
    const EVENTS: usize = 1500;
    const KILLS: usize = 5;
    let db = Db::new().await;
    let sessions = load::sessions(&db.pool).await;
    let url = db.url();
    let mut service = Serve::start(&settings(&url)).await;
    let load = Load::start(&service.address, EVENTS, 16, sessions);
    for round in 1..=KILLS {
        load.reach(round * EVENTS / (KILLS + 2)).await;
        service.program.kill().await;
        service = Serve::start(&settings(&url)).await;
        load.redirect(&service.address);
    }
    load.check(&db.pool).await;
    service.ready().await;
}
