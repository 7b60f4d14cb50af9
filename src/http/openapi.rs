//! The description of what the door takes and answers, in OpenAPI 3.1, made from the handlers themselves.

pub mod answers;
pub mod document;
pub mod webhook;
