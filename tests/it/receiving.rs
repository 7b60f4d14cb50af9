//! Deliveries as they arrive: malformed, hostile and replayed.

mod malformed_bodies;
mod replay;
mod webhook_paths;
