//! The type of a conversation, and other columns that only the application knows.

use avinode_ingest::domain::chat_session::conversation_type::{ConversationType, ConversationTypeUpdate};
use avinode_ingest::domain::chat_session::input::NewChatSession;
use avinode_ingest::domain::chat_session::page::{PageRequest, SessionFilter};
use avinode_ingest::sessions::error::SessionError;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{create, field, sessions};
use crate::support::cluster::Db;
use crate::support::sessions::SessionReferences;

/// As an application's migration adds it.
const ADD_COLUMN: &str = "ALTER TABLE public.chat_sessions ADD COLUMN conversation_type text DEFAULT 'general'
    CHECK (conversation_type IN ('flight_request', 'general'))";
const FLIGHT_REQUEST: ConversationTypeUpdate = ConversationTypeUpdate {
    conversation_type: ConversationType::FlightRequest,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_has_the_type_of_its_conversation_standalone_and_on_an_application_with_the_column() {
    let (standalone, attached) = (Db::new().await, Db::attached().await);
    attached.run(ADD_COLUMN).await;
    for db in [standalone, attached] {
        let references = SessionReferences::insert(&db.pool).await;
        let service = sessions(&db.pool, 1);
        let created = create(&db.pool, references).await;
        assert_eq!(created.conversation_type, Some(Some("general".to_owned())));
        let new = NewChatSession {
            conversation_type: Some(ConversationType::FlightRequest),
            ..references.input()
        };
        let updated = service.create_or_update(&new).await.unwrap().session;
        assert_eq!(updated.conversation_type, Some(Some("flight_request".to_owned())));
        // A call that does not name the type keeps it.
        let kept = service.create_or_update(&references.input()).await.unwrap().session;
        assert_eq!(kept.conversation_type, updated.conversation_type);
        let general = ConversationTypeUpdate {
            conversation_type: ConversationType::General,
        };
        let general = service.update_type(kept.id, general).await.unwrap();
        assert_eq!(general.conversation_type, Some(Some("general".to_owned())));
        let missing = service.update_type(Uuid::from_u128(7), FLIGHT_REQUEST).await;
        assert!(matches!(missing, Err(SessionError::SessionNotFound)), "{missing:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_without_the_column_gets_an_error_that_names_it_and_keeps_its_table() {
    let db = Db::attached().await;
    let references = SessionReferences::insert(&db.pool).await;
    let service = sessions(&db.pool, 1);
    let session = create(&db.pool, references).await;
    assert_eq!(session.conversation_type, None);
    assert_eq!(serde_json::to_value(&session).unwrap().get("conversation_type"), None);
    let refused = service.update_type(session.id, FLIGHT_REQUEST).await;
    let message = refused.as_ref().unwrap_err().to_string();
    assert!(
        message.contains("is not a column of the application's table"),
        "{message}"
    );
    assert_eq!(field(refused), "conversation_type");
    let new = NewChatSession {
        conversation_type: Some(ConversationType::General),
        ..references.input()
    };
    assert_eq!(field(service.create_or_update(&new).await), "conversation_type");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_of_the_applications_row_is_returned() {
    let db = Db::attached().await;
    let columns = "ALTER TABLE public.chat_sessions ADD COLUMN mood text, ADD COLUMN priority integer DEFAULT 3,
        ADD COLUMN tags jsonb DEFAULT '[\"vip\"]', ADD COLUMN operator_name text DEFAULT 'not a quote''s'";
    db.run(columns).await;
    let session = create(&db.pool, SessionReferences::insert(&db.pool).await).await;
    let service = sessions(&db.pool, 1);
    let listed = service.list(&SessionFilter::default(), &PageRequest::default()).await;
    let listed = listed.unwrap().data.into_iter().find(|listed| listed.id == session.id);
    for returned in [session, listed.unwrap()] {
        let json = serde_json::to_value(&returned).unwrap();
        assert_eq!([&json["mood"], &json["priority"]], [&Value::Null, &json!(3)]);
        assert_eq!(json["tags"], json!(["vip"]));
        // The operator of the primary quote keeps its name.
        assert_eq!(json["operator_name"], Value::Null);
        let text = serde_json::to_string(&returned).unwrap();
        assert_eq!(text.matches("\"operator_name\"").count(), 1, "{text}");
        assert_eq!(text.matches("\"status\"").count(), 1, "{text}");
    }
}
