//! The document: what the handlers say of themselves, put together.

use axum::http::HeaderValue;
use axum::response::{IntoResponse, Response};
use hyper::header::CONTENT_TYPE;
use serde_json::{Value, json};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, OpenApi as Document};
use utoipa::{Modify, OpenApi};

use super::responses;
use crate::domain::chat_session::status::SessionStatus;
use crate::http::problem::ProblemDetails;
use crate::http::v1::{session, session_actions, sessions};
use crate::http::{health, webhook};

#[derive(OpenApi)]
#[openapi(
    paths(
        sessions::create_or_update,
        sessions::list,
        sessions::statistics,
        sessions::archive,
        session::get,
        session::quotes,
        session::timeline,
        session_actions::activity,
        session_actions::pause,
        session_actions::resume,
        session_actions::trip,
        session_actions::quote,
        session_actions::unpin,
        session_actions::proposal,
        session_actions::complete,
        health::livez,
        health::readyz,
        webhook::deliver,
    ),
    components(schemas(ProblemDetails, SessionStatus)),
    tags(
        (name = "sessions", description = "Chat-session tracking. Field names are those of the columns of `chat_sessions`."),
        (name = "webhook", description = "What is sent to the service."),
        (name = "health", description = "What a supervisor asks."),
    ),
    modifiers(&SpecModifier),
)]
struct Handlers;

/// What no handler says.
struct SpecModifier;

impl Modify for SpecModifier {
    fn modify(&self, document: &mut Document) {
        document.info = InfoBuilder::new()
            .title("avinode-ingest")
            .description(Some(
                "The sessions API of avinode-ingest, and the webhook that it receives. Lists are `{\"data\": […], \
                 \"next_cursor\": …}`; refusals are RFC 9457 problems; money is a decimal in a string.",
            ))
            .version(env!("CARGO_PKG_VERSION"))
            .license(Some(utoipa::openapi::License::new("MIT OR Apache-2.0")))
            .build();
        let components = document.components.get_or_insert_with(Components::new);
        components.responses.extend(responses::described());
        let header = |name: &str, description: &str| {
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, description)))
        };
        let http = |scheme, description: &str| {
            let http = HttpBuilder::new().scheme(scheme).description(Some(description));
            SecurityScheme::Http(http.build())
        };
        for (name, scheme) in [
            (
                "bearer",
                http(
                    HttpAuthScheme::Bearer,
                    "A token of INGEST_API_TOKENS, of the scope `read` or `write`.",
                ),
            ),
            (
                "hmac",
                header(
                    "X-Avinode-Signature",
                    "HMAC-SHA256 over the body, in hex, with or without `sha256=`; or `t=<unix seconds>,v1=<hex>` over `t.body`.",
                ),
            ),
            (
                "standardWebhooks",
                header(
                    "webhook-signature",
                    "Standard Webhooks, with `webhook-id` and `webhook-timestamp`.",
                ),
            ),
            (
                "basic",
                http(HttpAuthScheme::Basic, "Credentials of AVINODE_WEBHOOK_BASIC."),
            ),
        ] {
            components.add_security_scheme(name, scheme);
        }
    }
}

/// The path under which the webhook is described among the paths until it is moved to the webhooks.
const WEBHOOK: &str = "/webhooks/avinode";

/// Where the schema of an operation's body stands.
const BODY: &str = "/requestBody/content/application~1json/schema";

/// The whole document.
pub fn document() -> Value {
    let mut document = json!(Handlers::openapi());
    // What others send to us stands under `webhooks`, which utoipa has no word for.
    let inbound = document["paths"]
        .as_object_mut()
        .and_then(|paths| paths.remove(WEBHOOK));
    document["webhooks"] = json!({"avinode": inbound});
    // A body that may be left out is to utoipa one that may be `null`, which is refused: then it is no object.
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    let operations = paths.flat_map(|(_, path)| path.as_object_mut().into_iter().flatten());
    for schema in operations.filter_map(|(_, operation)| operation.pointer_mut(BODY)) {
        if schema.pointer("/oneOf/0/type") == Some(&json!("null")) {
            *schema = schema["oneOf"][1].take();
        }
    }
    // utoipa writes what a list is of into the list; a reader that makes types of this would have two of each.
    let schemas = document["components"]["schemas"].as_object_mut();
    for (name, schema) in schemas.into_iter().flatten() {
        if let Some(of) = name.strip_prefix("ListResponse_") {
            schema["properties"]["data"]["items"] = json!({"$ref": format!("#/components/schemas/{of}")});
        }
    }
    document
}

/// The document as text, as it is kept in the repository.
pub fn text() -> String {
    format!("{:#}\n", document())
}

/// `GET /openapi.json`: for anybody; there is no secret in it.
pub async fn show() -> Response {
    let mut response = document().to_string().into_response();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
