//! One file per kind of job, and the registry, which is the workers' table of contents.

pub mod application_watch;
pub mod apply;
pub mod fetch;
pub mod full_event;
pub mod kinds;
pub mod maintenance;
pub mod notify_session;
pub mod purge;
pub mod quote_expiry;
pub mod reconcile;
pub mod registry;
pub mod rematch;
pub mod replay;
pub mod retention;
pub mod traced;
pub mod unread_subject;
pub mod work;
