//! The routes of the sessions API. A handler without an OpenAPI description does not compile here.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::ApiState;
use super::{session, session_actions, sessions};

pub fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::default()
        .routes(routes!(sessions::create_or_update, sessions::list))
        .routes(routes!(sessions::statistics))
        .routes(routes!(sessions::archive))
        .routes(routes!(session::get))
        .routes(routes!(session::quotes, session_actions::record_quote))
        .routes(routes!(session::timeline))
        .routes(routes!(session_actions::record_activity))
        .routes(routes!(session_actions::pause))
        .routes(routes!(session_actions::resume))
        .routes(routes!(session_actions::update_trip))
        .routes(routes!(session_actions::unpin))
        .routes(routes!(session_actions::attach_proposal))
        .routes(routes!(session_actions::complete))
}
