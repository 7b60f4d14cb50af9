//! A simulated Avinode for demos, tests and load: the API with its envelope, rate limit and faults, and the sender of
//! notifications, both driven by a scenario. The service does not know it.
//!
//! A [`scenario`] lists [`action`]s, or [`generate`]s them; `scenario_reader` validates it. `world` is the state of Avinode after some of them, and `documents`
//! shows it. [`expected`] computes from the scenario alone how sessions must end, so that no error of the documents or of the
//! service's rules can hide itself. `api` answers, `sender` sends, [`log`] records both, and [`instance`] runs all of it.
//!
//! The same scenario and seed give the same documents (but for timestamps, which are real time), the same faults and the same
//! order of notifications: each random decision depends on the seed and its subject alone (`seeded_random`).

pub mod action;
mod api;
mod clock;
pub mod credentials;
mod documents;
pub mod expected;
pub mod faults;
pub mod generate;
pub mod instance;
pub mod log;
mod optional_parts;
pub mod options;
pub mod rate_limit;
pub mod scenario;
mod scenario_reader;
pub mod schedule;
mod seeded_random;
mod sender;
pub mod webhook_settings;
mod world;
