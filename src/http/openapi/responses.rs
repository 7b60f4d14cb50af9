//! What any operation may answer beside what it is for. Each refusal is described once and referred to by its status.

use std::collections::BTreeMap;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use crate::http::problem::ProblemDetails;

/// Status, name of the description, when it is answered, and a header that comes with it.
type ProblemResponse = (u16, &'static str, &'static str, Option<&'static str>);

/// All refusals of the API.
const REFUSALS: [ProblemResponse; 11] = [
    (
        400,
        "NotJson",
        "The body is no JSON in UTF-8 (`not-json`), or broke off (`broken-body`).",
        None,
    ),
    (
        401,
        "Unauthorized",
        "No bearer token, or none that is configured (`unauthorized`).",
        Some("WWW-Authenticate"),
    ),
    (
        403,
        "Forbidden",
        "The token's scope is `read`; it takes `write` (`forbidden`).",
        Some("WWW-Authenticate"),
    ),
    (
        404,
        "NoSuchSession",
        "There is no such session (`no-such-session`).",
        None,
    ),
    (408, "Timeout", "The body did not come in time (`timeout`).", None),
    (
        409,
        "Conflict",
        "The session's status does not allow it (`wrong-status`), or another session of the conversation is active \
         (`another-is-active`).",
        None,
    ),
    (
        413,
        "TooLarge",
        "The body is longer than 262144 bytes (`too-large`).",
        None,
    ),
    (
        415,
        "UnsupportedMediaType",
        "The body is not said to be JSON (`unsupported-media-type`), or is compressed (`unsupported-encoding`).",
        None,
    ),
    (
        422,
        "Invalid",
        "Fields or parameters are unknown, missing or wrong, or refer to nothing: `errors` names each (`invalid`). Or the \
         application's own tables refuse the values (`not-taken`).",
        None,
    ),
    (
        500,
        "Internal",
        "Something broke here; it may have been done or not (`internal`).",
        None,
    ),
    (
        503,
        "Busy",
        "The database is busy or away, nothing was changed; try again after `Retry-After` seconds (`busy`).",
        Some("Retry-After"),
    ),
];

/// The same for the webhook.
const OF_WEBHOOK: [ProblemResponse; 9] = [
    (
        400,
        "WebhookNotJson",
        "The body is verified and not JSON (`not-json`), or broke off (`broken-body`).",
        None,
    ),
    (
        401,
        "WebhookNotVerified",
        "No configured secret proves the sender (`not-verified`).",
        Some("WWW-Authenticate"),
    ),
    (
        405,
        "WebhookMethodNotAllowed",
        "It is not a POST (`method-not-allowed`).",
        Some("Allow"),
    ),
    (
        408,
        "WebhookTimeout",
        "The body did not come in time (`timeout`).",
        None,
    ),
    (
        413,
        "WebhookTooLarge",
        "The body is longer than INGEST_BODY_LIMIT (`too-large`).",
        None,
    ),
    (
        415,
        "WebhookUnsupportedEncoding",
        "The body is compressed (`unsupported-encoding`).",
        Some("Accept-Encoding"),
    ),
    (
        417,
        "WebhookExpectationFailed",
        "`Expect` is other than `100-continue` (`expectation-failed`).",
        None,
    ),
    (
        500,
        "WebhookInternal",
        "A defect of ours; sending it again does no harm (`internal`).",
        None,
    ),
    (
        503,
        "WebhookUnavailable",
        "It could not be kept; send it again after `Retry-After` seconds (`unavailable`).",
        Some("Retry-After"),
    ),
];

/// Every description by its name, for the document's components.
pub fn described() -> BTreeMap<String, RefOr<Response>> {
    let all = REFUSALS.iter().chain(&OF_WEBHOOK);
    all.map(|(_, name, when, header)| {
        let content = Content::new(Some(Ref::from_schema_name(ProblemDetails::name())));
        let mut response = ResponseBuilder::new()
            .description(*when)
            .content("application/problem+json", content);
        if let Some(header) = header {
            response = response.header(*header, HeaderBuilder::new().schema(String::schema()).build());
        }
        ((*name).to_owned(), response.build().into())
    })
    .collect()
}

fn refer(refusals: &[ProblemResponse], statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    let asked = refusals.iter().filter(|(status, ..)| statuses.contains(status));
    asked
        .map(|(status, name, ..)| (status.to_string(), Ref::from_response_name(*name).into()))
        .collect()
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident: $from:ident $statuses:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub struct $name;

            impl IntoResponses for $name {
                fn responses() -> BTreeMap<String, RefOr<Response>> {
                    refer(&$from, &$statuses)
                }
            }
        )*
    };
}

answers! {
    /// Of an operation that reads.
    ReadErrors: REFUSALS [401, 500, 503];
    /// Of one that changes.
    WriteErrors: REFUSALS [401, 403, 422, 500, 503];
    /// Of one on a session.
    SessionErrors: REFUSALS [404];
    /// Of one with parameters.
    ParameterErrors: REFUSALS [422];
    /// Of one with a body.
    BodyErrors: REFUSALS [400, 408, 413, 415];
    /// Of one that leaves a status.
    ConflictErrors: REFUSALS [409];
    /// Of the webhook.
    WebhookErrors: OF_WEBHOOK [400, 401, 405, 408, 413, 415, 417, 500, 503];
}
