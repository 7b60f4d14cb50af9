//! Receiving: group commit stores verified deliveries durably before they are answered.

pub mod group_commit;
pub mod insert;
pub mod memory_budget;
pub mod new_delivery;
pub mod receiving_health;
