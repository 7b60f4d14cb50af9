//! The chat sessions of a scenario: created as the application would, and compared with the expected ones at the end.

use uuid::Uuid;

use crate::cli::fixture_run::{compare, price};
use crate::cli::manifest::ExpectedSession;
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::postgres::transaction::Pool;
use crate::simulator::expected::{Expected, ExpectedQuote, ExpectedTrip};
use crate::simulator::scenario::Scenario;
use crate::store::admin::{self, SessionView};
use crate::store::demo_data::{self, NewSession};

/// The step of a new session.
const FIRST_STEP: &str = "understanding_request";

/// The sessions of a scenario, created in a database.
#[derive(Debug, Clone)]
pub struct SeededSessions {
    /// Short id of the trip, with a suffix for further sessions of the same trip.
    pub names: Vec<String>,
    /// Short id of each session's trip.
    trips: Vec<String>,
    ids: Vec<Uuid>,
}

impl SeededSessions {
    /// Creates each session active, with a request and with counts of 0.
    pub async fn create(pool: &Pool, scenario: &Scenario) -> Result<Self, sqlx::Error> {
        let mut seeded = Self {
            names: Vec::new(),
            trips: Vec::new(),
            ids: Vec::new(),
        };
        for trip in &scenario.trips {
            for trip_id in &trip.sessions {
                let name = match seeded.trips.last() == Some(&trip.short) {
                    true => format!("{} (second session)", trip.short),
                    false => trip.short.clone(),
                };
                let new = NewSession {
                    name: name.clone(),
                    trip_id: Some(trip_id.clone()),
                    has_request: true,
                    status: "active".to_owned(),
                    current_step: Some(FIRST_STEP.to_owned()),
                    counts: [0, 0, 0],
                };
                seeded.ids.push(demo_data::session(pool, &new).await?);
                seeded.names.push(name);
                seeded.trips.push(trip.short.clone());
            }
        }
        Ok(seeded)
    }

    /// Returns the sessions as they are now, in the order of the names.
    pub async fn sessions(&self, pool: &Pool) -> Result<Vec<SessionView>, sqlx::Error> {
        admin::sessions(pool, &self.ids).await
    }

    /// Returns a line for each difference from the scenario.
    ///
    /// The policy `latest` is compared only where documents show when they were changed.
    pub fn differences(
        &self,
        sessions: &[SessionView],
        expected: &Expected,
        policy: PrimaryQuotePolicy,
    ) -> Vec<String> {
        let mut differences = Vec::new();
        if sessions.len() != self.ids.len() {
            differences.push(format!("{} of {} sessions exist", sessions.len(), self.ids.len()));
        }
        for ((name, trip), session) in self.names.iter().zip(&self.trips).zip(sessions) {
            let Some(expected_trip) = expected.trips.get(trip) else {
                continue;
            };
            let leads = match policy {
                PrimaryQuotePolicy::Latest if !expected.updated_on => None,
                PrimaryQuotePolicy::Latest => Some(&expected_trip.primary.latest),
                PrimaryQuotePolicy::First => Some(&expected_trip.primary.first),
                PrimaryQuotePolicy::LowestPrice => Some(&expected_trip.primary.lowest_price),
            };
            differences.extend(compare(&as_expected(name, expected_trip, leads, session), session));
        }
        differences
    }
}

/// `leads` is the primary quote, where it is compared; values that are not compared are as they were found.
fn as_expected(
    name: &str,
    trip: &ExpectedTrip,
    leads: Option<&Option<ExpectedQuote>>,
    found: &SessionView,
) -> ExpectedSession {
    let count = |count| i32::try_from(count).unwrap_or(i32::MAX);
    let (primary_quote, primary_price) = match leads {
        None => (found.primary_quote.clone(), price(found)),
        Some(leads) => leads
            .as_ref()
            .map(|quote| (quote.id.clone(), format!("{} {}", quote.price, quote.currency)))
            .unzip(),
    };
    ExpectedSession {
        name: name.to_owned(),
        current_step: trip.step().unwrap_or(FIRST_STEP).to_owned(),
        quotes_received_count: count(trip.quotes()),
        quotes_expected_count: count(trip.rfqs),
        operators_contacted_count: count(trip.rfqs),
        primary_quote,
        primary_operator: found.primary_operator.clone(),
        primary_price,
        avinode_trip_status: trip.status().map(str::to_owned),
    }
}
