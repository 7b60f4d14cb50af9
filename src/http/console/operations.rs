//! Pages for admins: the state of the service, dead letters, jobs, deliveries, documents and batches.

pub mod actions;
pub mod batch_forms;
pub mod batch_pages;
pub mod batches;
pub mod body;
pub mod checks;
pub mod dead_letter_pages;
pub mod dead_letters;
pub mod deliveries;
pub mod delivery_pages;
pub mod documents;
pub mod filter_form;
pub mod frame;
pub mod job_pages;
pub mod jobs;
pub mod maintenance;
pub mod overview;
pub mod params;
pub mod plot;
pub mod pretty_json;
pub mod router;
pub mod text;
pub mod traces;
