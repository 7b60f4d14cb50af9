//! Alerts without a monitoring system: one process looks at intervals, decides what is to be sent, and sends it to a webhook and by
//! e-mail (docs/adr/0012-alerts-without-a-monitoring-system.md).

pub mod alert_error;
pub mod alert_kind;
pub mod channel;
pub mod dead_reason;
pub mod decide;
pub mod email;
pub mod message;
pub mod monitor;
pub mod observations;
pub mod outbox;
pub mod senders;
pub mod settings;
pub mod state;
pub mod webhook;
