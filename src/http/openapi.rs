//! The description of what the door takes and answers, in OpenAPI 3.1, made from the handlers themselves.

pub mod responses;
pub mod spec;
pub mod webhook_schema;
