//! Under a role of its own, with the privileges of docs/existing-database.md and no others, every operation works.

use avinode_ingest::domain::chat_session::input::{ActivityUpdate, ProposalUpdate, QuoteUpdate};
use avinode_ingest::domain::chat_session::page::{PageRequest, SessionFilter};
use avinode_ingest::domain::chat_session::patch::TripPatch;
use uuid::Uuid;

use super::sessions;
use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::pool::Pool;
use crate::support::service_role;
use crate::support::sessions::SessionReferences;

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_privileges_suffice_for_every_operation() {
    for db in [Db::new().await, Db::attached().await] {
        let (role, _) = service_role::create(&db).await;
        let references = SessionReferences::insert(&db.pool).await;
        let (quote_id, proposal_id) = (
            references.insert_quote(&db.pool, None).await,
            references.insert_proposal(&db.pool).await,
        );
        let own = Pool::new(db.options.clone().username(&role), 4);
        let tracking = sessions(&own, 1);
        let id = tracking.create_or_update(&references.input()).await.unwrap().session.id;
        tracking.create_or_update(&references.input()).await.unwrap();
        tracking.update_activity(id, ActivityUpdate::default()).await.unwrap();
        tracking.pause(id).await.unwrap();
        tracking.resume(id).await.unwrap();
        let patch = TripPatch {
            avinode_trip_id: Some(Some("4711".to_owned())),
            avinode_rfq_id: Some(Some("arfq-1".to_owned())),
            ..TripPatch::default()
        };
        tracking.update_trip(id, &patch).await.unwrap();
        let update = QuoteUpdate {
            quote_id,
            primary_quote_id: Some(quote_id),
            ..QuoteUpdate::default()
        };
        tracking.update_quote(id, &update).await.unwrap();
        tracking.unpin(id).await.unwrap();
        tracking
            .update_proposal(id, ProposalUpdate { proposal_id })
            .await
            .unwrap();
        tracking.complete(id).await.unwrap();
        tracking.archive().await.unwrap();
        tracking.statistics().await.unwrap();
        assert!(
            !tracking
                .list(&SessionFilter::default(), &PageRequest::default())
                .await
                .unwrap()
                .data
                .is_empty()
        );
        assert_eq!(
            tracking.quotes(id, &PageRequest::default()).await.unwrap().data.len(),
            1
        );
        assert_eq!(
            tracking.timeline(id, &PageRequest::default()).await.unwrap().data.len(),
            5
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_asks_for_the_right_to_archive() {
    let db = Db::new().await;
    let role = format!("service_{}", Uuid::now_v7().simple());
    db.run(&format!("CREATE ROLE {role} LOGIN BYPASSRLS")).await;
    let url = db.url().replace("user=avinode", &format!("user={role}"));
    let output = check(&[("DATABASE_URL", &url)]).await;
    let grant = "GRANT EXECUTE ON FUNCTION public.archive_old_chat_sessions() TO";
    assert!(output.text.contains(grant), "{}", output.text);
    assert!(
        output.text.contains("it cannot archive old sessions"),
        "{}",
        output.text
    );
}
