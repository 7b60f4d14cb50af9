//! The options of a simulator.

use std::collections::BTreeMap;

use super::credentials::ApiCredentials;
use super::faults::{ApiFaults, LastingFault};
use super::rate_limit::CallQuota;
use super::schedule::DeliveryFaults;
use ingest_domain::clock::Clock;

#[derive(Debug, Clone)]
pub struct SimulatorOptions {
    /// Scenario seconds per real second; above 0.
    pub speed: f64,
    pub delivery_faults: DeliveryFaults,
    pub api_faults: ApiFaults,
    /// The resources that fail at every read, by id.
    pub lasting_faults: BTreeMap<String, LastingFault>,
    pub rate_limit: CallQuota,
    pub credentials: ApiCredentials,
    /// Notifications that are sent at the same time.
    pub max_concurrent: usize,
    /// For the timestamps of calls and documents.
    pub clock: Clock,
}

impl Default for SimulatorOptions {
    fn default() -> Self {
        Self {
            speed: 60.0,
            delivery_faults: DeliveryFaults::default(),
            api_faults: ApiFaults::default(),
            lasting_faults: BTreeMap::new(),
            rate_limit: CallQuota::default(),
            credentials: ApiCredentials::default(),
            max_concurrent: 8,
            clock: Clock::System,
        }
    }
}
