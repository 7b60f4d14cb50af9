//! A stand-in for Avinode: its API with its envelope, rate limit and faults, and its sender of notifications, driven by a
//! scenario. For demos, tests and load; nothing of the service itself knows of it.
//!
//! [`scenario`] says what happens ([`action`]), [`generate`] invents such a story, [`world`] is what Avinode knows at a moment and
//! [`documents`] how it shows that. [`expected`] tells what sessions must look like in the end, from the scenario alone, so
//! that neither the documents' making nor the service's rules can agree with themselves. [`api`] answers, [`sender`] sends,
//! [`log`] remembers both, and [`instance`] puts it together.
//!
//! The same scenario and seed give the same documents (but for their stamps, which are the wall's), the same faults and the
//! same order of sending. Chance is never drawn from a shared source: each decision hashes the seed and what it is about ([`seeded_random`]).

pub mod action;
pub mod api;
pub mod clock;
pub mod credentials;
pub mod documents;
pub mod expected;
pub mod faults;
pub mod generate;
pub mod instance;
pub mod log;
pub mod rate_limit;
pub mod scenario;
pub mod schedule;
pub mod seeded_random;
pub mod sender;
pub mod webhook_settings;
pub mod world;
