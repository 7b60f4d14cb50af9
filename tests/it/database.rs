//! Migrations, transactions and poolers.

mod default_settings;
mod migrating;
mod pooler;
mod transactions;
