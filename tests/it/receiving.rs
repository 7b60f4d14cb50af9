//! Deliveries as they arrive: malformed, hostile and replayed.

mod dropped_request;
mod malformed_bodies;
mod replay;
mod webhook_paths;
