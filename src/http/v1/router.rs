//! The routes of both APIs. A handler without an OpenAPI description does not compile here.

use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{PathItem, RefOr};
use utoipa::{IntoParams, IntoResponses};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::SessionId;
use super::problem::{AdminProblems, ReadProblems, SessionProblems, WriteProblems};
use super::state::ApiState;
use super::{admin, events, session, session_actions, sessions};
use crate::domain::api_scope::ApiScope;

pub fn routes() -> OpenApiRouter<ApiState> {
    let mut routes = OpenApiRouter::default()
        .routes(routes!(sessions::create_or_update, sessions::list))
        .routes(routes!(sessions::statistics))
        .routes(routes!(sessions::archive))
        .routes(routes!(events::events))
        .routes(routes!(session::get))
        .routes(routes!(session::quotes, session_actions::record_quote))
        .routes(routes!(session::timeline))
        .routes(routes!(session_actions::record_activity))
        .routes(routes!(session_actions::pause))
        .routes(routes!(session_actions::resume))
        .routes(routes!(session_actions::update_trip))
        .routes(routes!(session_actions::update_type))
        .routes(routes!(session_actions::unpin))
        .routes(routes!(session_actions::attach_proposal))
        .routes(routes!(session_actions::complete))
        .routes(routes!(admin::status::summary))
        .routes(routes!(admin::status::dead_letters))
        .routes(routes!(admin::status::fetching))
        .routes(routes!(admin::status::maintenance))
        .routes(routes!(admin::deliveries::list))
        .routes(routes!(admin::deliveries::export))
        .routes(routes!(admin::deliveries::get))
        .routes(routes!(admin::jobs::list))
        .routes(routes!(admin::jobs::get))
        .routes(routes!(admin::documents::list))
        .routes(routes!(admin::documents::get))
        .routes(routes!(admin::trace::get))
        .routes(routes!(admin::actions::retry))
        .routes(routes!(admin::actions::discard))
        .routes(routes!(admin::actions::replay))
        .routes(routes!(admin::batches::list, admin::batches::begin))
        .routes(routes!(admin::batches::get))
        .routes(routes!(admin::batches::resume))
        .routes(routes!(admin::audit::list));
    let paths = &mut routes.get_openapi_mut().paths.paths;
    paths.iter_mut().for_each(|(path, item)| describe_access(path, item));
    routes
}

/// Adds what all operations have in common: the tag, the token with its scope, the session in the path, and the problems of
/// these.
fn describe_access(path: &str, item: &mut PathItem) {
    let (tag, changing) = match path.starts_with("/v1/admin/") {
        true => ("operator", ApiScope::Admin),
        false => ("sessions", ApiScope::Write),
    };
    let reading = item.get.iter_mut().map(|operation| (operation, ApiScope::Read));
    let writing = [&mut item.post, &mut item.patch, &mut item.delete];
    let writing = writing.into_iter().flatten().map(|operation| (operation, changing));
    for (operation, scope) in reading.chain(writing) {
        operation.tags = Some(vec![tag.to_owned()]);
        operation.security = Some(vec![SecurityRequirement::new("bearer", [scope.as_str()])]);
        let responses = &mut operation.responses.responses;
        let common = match scope {
            ApiScope::Read => ReadProblems::responses(),
            ApiScope::Write => WriteProblems::responses(),
            ApiScope::Admin => AdminProblems::responses(),
        };
        for (status, response) in common {
            // An operation with more problems of a status describes all of them.
            responses.entry(status).or_insert(response);
        }
        if path.starts_with("/v1/sessions/{id}") {
            responses.extend(SessionProblems::responses());
            let session = SessionId::into_params(|| None).into_iter().map(RefOr::T);
            let others = operation.parameters.take().into_iter().flatten();
            operation.parameters = Some(session.chain(others).collect());
        }
    }
}
