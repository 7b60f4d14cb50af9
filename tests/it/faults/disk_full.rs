//! A disk without room for another page of a table.

use super::RECOVERY;
use super::ready::check;
use crate::crash::durable::Durable;
use crate::crash::load::{self, Load};
use crate::crash::program::Serve;
use crate::support::PATIENCE;
use crate::support::eventually::{at_least, equal, eventually};
use crate::support::small_disk::SmallDisk;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_named_loses_nothing_and_work_goes_on_when_there_is_room() {
    const EVENTS: usize = 3_000;
    const SENDERS: usize = 8;
    let Some(disk) = SmallDisk::mount(24) else {
        println!("not tried: this user may not mount a file system");
        return;
    };
    let postgres = Durable::new().await;
    disk.keep_deliveries(&postgres).await;
    let sessions = load::sessions(&postgres.pool).await;
    let url = postgres.url();
    let service = Serve::start(&[("DATABASE_URL", &url)]).await;
    service.ready().await;
    let load = Load::start(&service.address, EVENTS, SENDERS, sessions);
    load.reach(50).await;
    disk.fill();
    eventually(PATIENCE, "the cause is named", async || {
        equal(check(&service, "receiving").await, (503, "disk full".to_owned()))
    })
    .await;
    eventually(PATIENCE, "senders get 503", async || {
        at_least(load.answers(503), 4 * SENDERS)
    })
    .await;
    assert!(service.program.said().contains("No space left on device"));
    let kept = load.acknowledged();
    assert!(kept < EVENTS);
    disk.free();
    eventually(RECOVERY, "deliveries are kept again", async || {
        at_least(load.acknowledged(), EVENTS.min(kept + 2 * SENDERS))
    })
    .await;
    load.check(&postgres.pool).await;
    eventually(RECOVERY, "ready", async || {
        equal(service.get("/readyz").await, Some(200))
    })
    .await;
}
