//! Deliveries as they arrive: malformed, hostile and replayed.

mod dropped_request;
mod malformed_bodies;
mod rejected_requests;
mod replay;
mod webhook_paths;
