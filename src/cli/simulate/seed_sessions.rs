//! The chat sessions of a scenario: created as the application would, and compared with the expected ones at the end.

use uuid::Uuid;

use crate::cli::fixture_run::{differing, price};
use crate::domain::primary_quote::PrimaryQuotePolicy;
use crate::postgres::transaction::Pool;
use crate::simulator::expected::{Expected, ExpectedTrip, Primary};
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
    pub fn differences(&self, sessions: &[SessionView], truth: &Expected, policy: PrimaryQuotePolicy) -> Vec<String> {
        let mut differences = Vec::new();
        if sessions.len() != self.ids.len() {
            differences.push(format!("{} of {} sessions exist", sessions.len(), self.ids.len()));
        }
        for ((name, trip), session) in self.names.iter().zip(&self.trips).zip(sessions) {
            let Some(expected) = truth.trips.get(trip) else {
                continue;
            };
            let leads = match policy {
                PrimaryQuotePolicy::Latest if !truth.orders => None,
                PrimaryQuotePolicy::Latest => Some(&expected.primary.latest),
                PrimaryQuotePolicy::First => Some(&expected.primary.first),
                PrimaryQuotePolicy::LowestPrice => Some(&expected.primary.lowest_price),
            };
            differences.extend(compare(session, expected, leads).map(|difference| format!("{name}: {difference}")));
        }
        differences
    }
}

fn compare(
    session: &SessionView,
    expected: &ExpectedTrip,
    leads: Option<&Option<Primary>>,
) -> impl Iterator<Item = String> {
    let text = |value: Option<&str>| value.unwrap_or("none").to_owned();
    let mut pairs = vec![
        (
            "current_step",
            text(expected.step().or(Some(FIRST_STEP))),
            text(session.current_step.as_deref()),
        ),
        (
            "quotes_received_count",
            expected.quotes.to_string(),
            session.quotes_received_count.to_string(),
        ),
        (
            "quotes_expected_count",
            expected.requests.to_string(),
            session.quotes_expected_count.to_string(),
        ),
        (
            "operators_contacted_count",
            expected.requests.to_string(),
            session.operators_contacted_count.to_string(),
        ),
        (
            "trip status",
            text(expected.status()),
            text(session.avinode_trip_status.as_deref()),
        ),
    ];
    if let Some(leads) = leads {
        let primary = leads.as_ref().map(|primary| primary.quote.as_str());
        let costs = leads
            .as_ref()
            .map(|primary| format!("{} {}", primary.price, primary.currency));
        pairs.push(("primary quote", text(primary), text(session.primary_quote.as_deref())));
        pairs.push(("primary price", text(costs.as_deref()), text(price(session).as_deref())));
    }
    differing(pairs)
}
