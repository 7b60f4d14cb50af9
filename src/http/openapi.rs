//! The part of the OpenAPI document that no handler describes: title, tags and security schemes.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi as Document};
use utoipa::{Modify, OpenApi};

use super::problem::ProblemDetails;
use super::v1::admin::actions::{ActionRequest, DiscardRequest};
use crate::domain::chat_session::input::ActivityUpdate;
use crate::domain::chat_session::status::SessionStatus;
use crate::store::audit::AuditAction;
use crate::store::batches::BatchState;

/// The document without any path.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "avinode-ingest",
        description = "The sessions API and the operator API of avinode-ingest, and its webhook endpoint. Lists are \
            `{\"data\": […], \"next_cursor\": …}`; errors are RFC 9457 problems; money is a decimal in a string.",
    ),
    components(schemas(
        ActionRequest,
        ActivityUpdate,
        AuditAction,
        BatchState,
        DiscardRequest,
        ProblemDetails,
        SessionStatus,
    )),
    tags(
        (name = "sessions", description = "Chat-session tracking. Fields have the names of the columns of `chat_sessions`."),
        (name = "operator", description = "Deliveries, jobs and documents, for operators. Reading requires the scope `read`, changing `admin`."),
        (name = "webhook", description = "The endpoint for Avinode's webhooks."),
        (name = "health", description = "Probes for supervisors and load balancers."),
        (name = "openapi", description = "This document."),
    ),
    modifiers(&SecuritySchemes),
)]
pub struct BaseDocument;

struct SecuritySchemes;

impl Modify for SecuritySchemes {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_with(Components::new);
        let http = |scheme, description| {
            let http = HttpBuilder::new().scheme(scheme).description(Some(description));
            SecurityScheme::Http(http.build())
        };
        let header = |name, description| {
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, description)))
        };
        let mut add = |name: &str, scheme| components.add_security_scheme(name, scheme);
        add(
            "bearer",
            http(
                HttpAuthScheme::Bearer,
                "A token of the setting INGEST_API_TOKENS, with the scope `read`, `write` or `admin`.",
            ),
        );
        add(
            "basic",
            http(
                HttpAuthScheme::Basic,
                "Credentials of the setting AVINODE_WEBHOOK_BASIC: the clientIdentifier and clientSecret of the webhook setting \
                 at Avinode. A request without credentials gets a challenge.",
            ),
        );
        add(
            "hmac",
            header(
                "X-Avinode-Signature",
                "HMAC-SHA256 with a secret of the setting AVINODE_WEBHOOK_SECRET. Either over the body, as hex digits with or \
                 without the prefix `sha256=`; or `t=<unix seconds>,v1=<hex digits>` over `<t>.<body>`, valid for 300 s. \
                 `X-Webhook-Signature` is accepted as well.",
            ),
        );
        add(
            "standardWebhooks",
            header(
                "webhook-signature",
                "Standard Webhooks: `v1,<base64>` over `<webhook-id>.<webhook-timestamp>.<body>`, with a `whsec_…` secret of \
                 the setting AVINODE_WEBHOOK_SECRET. The headers `webhook-id` and `webhook-timestamp` are required.",
            ),
        );
    }
}
