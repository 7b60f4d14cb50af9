//! End to end, from the notifications of a simulated Avinode to the sessions: with duplicates, the wrong order, faults, a rate
//! limit and a killed worker, the sessions end as the simulator expects.
//!
//! `TEST_TRIPS` is the number of trips, each with ten actions of operators: 40 by default, 200 in `.ci/run`.

mod bad_resources;
mod command;
mod scenarios;
mod setup;
