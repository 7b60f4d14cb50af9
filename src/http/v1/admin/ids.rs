//! Extractors for the ids in the paths. Text that is no such id is the id of nothing.

use axum::extract::{FromRequestParts, Path};
use hyper::http::request::Parts;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use uuid::Uuid;

use super::problem::AdminProblem;
use crate::http::v1::problem::ApiProblem;

#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(names("id"), parameter_in = Path)]
pub struct DeliveryId(
    /// Id of the delivery, as in the response to its sender.
    pub Uuid,
);

#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(names("id"), parameter_in = Path)]
pub struct JobId(
    /// Id of the job.
    pub i64,
);

#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(names("id"), parameter_in = Path)]
pub struct DocumentId(
    /// Id of the document.
    pub i64,
);

#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(names("id"), parameter_in = Path)]
pub struct BatchId(
    /// Id of the batch.
    pub Uuid,
);

#[derive(Debug, Clone, IntoParams)]
#[into_params(names("id"), parameter_in = Path)]
pub struct TraceId(
    /// Avinode's id of a quote, an RFQ or a trip; the id of a delivery, a session or a row of `quotes`.
    pub String,
);

impl<S: Send + Sync> FromRequestParts<S> for DeliveryId {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        read(parts, state, AdminProblem::DeliveryNotFound).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for JobId {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        read(parts, state, AdminProblem::JobNotFound).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for DocumentId {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        read(parts, state, AdminProblem::DocumentNotFound).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for BatchId {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        read(parts, state, AdminProblem::BatchNotFound).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for TraceId {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        read(parts, state, AdminProblem::NothingStored).await.map(Self)
    }
}

async fn read<T, S>(parts: &mut Parts, state: &S, missing: AdminProblem) -> Result<T, ApiProblem>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    match Path::<T>::from_request_parts(parts, state).await {
        Ok(Path(id)) => Ok(id),
        Err(_) => Err(missing.into()),
    }
}
