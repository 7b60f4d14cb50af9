//! Query parameters of the lists. Unknown, repeated and invalid parameters are rejected by name.

use std::error::Error;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query};
use hyper::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::de::value::Error as ParameterError;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use uuid::Uuid;

use super::cursor::{self, CursorKey};
use super::extract::field_error;
use super::problem::ApiProblem;
use crate::domain::chat_session::page::{DEFAULT_LIMIT, PageRequest, SessionCursor, SessionFilter};
use crate::domain::chat_session::status::SessionStatus;
use crate::domain::ids::TripId;

/// Extractor like axum's [`Query`], with an [`ApiProblem`] as its rejection.
#[derive(Debug)]
pub struct QueryParams<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryParams<T> {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => Err(invalid(&rejection)),
        }
    }
}

pub(in crate::http) fn invalid(rejection: &QueryRejection) -> ApiProblem {
    let mut sources = std::iter::successors(rejection.source(), |error| (*error).source());
    match sources.find_map(|source| source.downcast_ref::<serde_path_to_error::Error<ParameterError>>()) {
        Some(error) => field_error(&error.path().to_string(), &error.inner().to_string()),
        None => ApiProblem::field("query", "is not valid"),
    }
}

/// Parameters of a list without filters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// Maximum number of items; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
}

impl PageParams {
    pub fn page<K: CursorKey>(self) -> Result<PageRequest<K>, ApiProblem> {
        let after = self.cursor.map(|cursor| cursor::decode(&cursor).ok_or(cursor));
        Ok(PageRequest {
            after: after
                .transpose()
                .map_err(|_| ApiProblem::field("cursor", "is not a cursor of this list"))?,
            limit: self.limit.unwrap_or(DEFAULT_LIMIT),
        })
    }
}

/// Parameters of the list of sessions. Filters are combined with AND.
#[derive(Debug, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SessionListParams {
    /// Only sessions of this conversation.
    conversation_id: Option<Uuid>,
    /// Only sessions of this trip request.
    request_id: Option<Uuid>,
    /// Only sessions of this broker.
    iso_agent_id: Option<Uuid>,
    /// Only sessions of this Avinode trip, by either of its ids in any spelling. A session without a trip id has that of its request.
    trip_id: Option<String>,
    /// Only sessions with this Avinode RFP.
    rfp_id: Option<String>,
    /// Only sessions with this Avinode RFQ, in any spelling, also as their RFP.
    rfq_id: Option<String>,
    /// Only sessions with this status.
    status: Option<SessionStatus>,
    /// Only sessions with a primary quote (`true`) or without one (`false`).
    has_primary_quote: Option<bool>,
    /// Only sessions at this workflow step.
    current_step: Option<String>,
    /// Maximum number of sessions; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
}

impl SessionListParams {
    pub fn parse(self) -> Result<(SessionFilter, PageRequest<SessionCursor>), ApiProblem> {
        let trip_id = self.trip_id.map(|text| TripId::parse(&text)).transpose();
        let filter = SessionFilter {
            conversation_id: self.conversation_id,
            request_id: self.request_id,
            iso_agent_id: self.iso_agent_id,
            trip_id: trip_id.map_err(|error| ApiProblem::field("trip_id", &format!("is not a trip id: {error}")))?,
            rfp_id: self.rfp_id,
            rfq_id: self.rfq_id,
            status: self.status,
            has_primary_quote: self.has_primary_quote,
            current_step: self.current_step,
        };
        let (limit, cursor) = (self.limit, self.cursor);
        Ok((filter, PageParams { limit, cursor }.page()?))
    }
}

impl SessionListParams {
    /// All but the limit, which is that of a page.
    pub fn of(filter: &SessionFilter, after: Option<&SessionCursor>) -> Self {
        Self {
            conversation_id: filter.conversation_id,
            request_id: filter.request_id,
            iso_agent_id: filter.iso_agent_id,
            trip_id: filter.trip_id.as_ref().map(ToString::to_string),
            rfp_id: filter.rfp_id.clone(),
            rfq_id: filter.rfq_id.clone(),
            status: filter.status,
            has_primary_quote: filter.has_primary_quote,
            current_step: filter.current_step.clone(),
            limit: None,
            cursor: after.map(cursor::encode),
        }
    }
}
