//! Migrations, transactions and poolers.

mod converting;
mod default_settings;
mod encoding;
mod expansion;
mod migrating;
mod pooler;
mod rollback;
mod transactions;
