//! `check` as an admin runs it: the real program, its lines and its exit code, on good and on broken databases.

mod configuration;
mod jobs_and_quotes;
mod private_cluster;
mod privileges;
mod schema;
