//! Thin notifications: fetched once for many, within the limit, and applied whatever goes wrong on the way.

mod ids;
mod keys;
mod limits;
mod once;
mod operators;
mod prices;
mod reconcile;
mod stage;
mod standing;
mod trouble;
