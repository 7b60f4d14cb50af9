//! A delivery and a document with their bodies, as the operator API shows them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::stored_body::StoredBody;
use crate::store::admin::documents::DocumentView;
use crate::store::admin::{DeliveryDetail, DeliveryJobView, DeliveryRedaction, SubjectView};

/// A stored delivery with its body and the outcomes of its jobs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = StoredDeliveryDetail)]
pub struct DeliveryRecord {
    pub id: Uuid,
    pub received_at: DateTime<Utc>,
    /// Scheme and position of the secret.
    pub verified_by: String,
    /// The stored headers, each as `name: value`. Credentials are never stored.
    pub headers: Vec<String>,
    /// Exactly as received, unless it was redacted.
    pub body: StoredBody,
    pub redaction: Option<DeliveryRedaction>,
    /// Null until a job has read it.
    pub subject: Option<SubjectView>,
    /// Oldest first.
    pub jobs: Vec<DeliveryJobView>,
}

impl DeliveryRecord {
    pub fn new(id: Uuid, stored: DeliveryDetail) -> Self {
        let DeliveryDetail {
            received_at,
            verified_by,
            headers,
            body,
            redaction,
            subject,
            jobs,
        } = stored;
        Self {
            id,
            received_at,
            verified_by,
            headers: headers.lines().map(str::to_owned).collect(),
            body: body.into(),
            redaction,
            subject,
            jobs,
        }
    }
}

/// A fetched document with its body.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = DocumentDetail)]
pub struct DocumentRecord {
    pub document: DocumentView,
    /// Null if it is no longer stored, or was too long to be stored.
    pub body: Option<StoredBody>,
}

impl From<DocumentView> for DocumentRecord {
    fn from(mut document: DocumentView) -> Self {
        let body = document.body.take().map(StoredBody::from);
        Self { document, body }
    }
}
