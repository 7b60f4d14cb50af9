//! Migrations, transactions and poolers.

mod default_settings;
mod encoding;
mod migrating;
mod pooler;
mod rollback;
mod transactions;
