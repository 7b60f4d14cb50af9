//! Migrations, transactions and poolers.

mod migrating;
mod pooler;
mod transactions;
