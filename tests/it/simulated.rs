//! The whole of it, from a simulated Avinode's notifications to the sessions: duplicates, the wrong order, faults, a rate
//! limit and a worker killed in the middle, and in the end the sessions are as the simulator alone knows they must be.
//!
//! `TEST_TRIPS` says how many trips there are, each with ten things that operators do: 40 where it says nothing, 200 in
//! `.ci/run`.

mod command;
mod setup;
mod stories;
