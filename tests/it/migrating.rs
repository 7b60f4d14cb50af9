//! Migrating beside others: other processes that migrate, and an application at work.
