//! Runs the manifest of the fixtures: creates its sessions, does its follow-up actions, and compares the sessions with it.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::manifest::{Expectation, ExpectedSession, FixtureManifest, FixtureScenario};
use crate::postgres::transaction::Pool;
use crate::store::admin::{self, SessionView};
use crate::store::demo_data::{self, NewSession};

/// The sessions of a manifest, created in a database.
pub struct SeededManifest<'a> {
    manifest: &'a FixtureManifest,
    /// In the manifest's order.
    pub names: Vec<String>,
    pub ids: Vec<Uuid>,
    /// True where Avinode's API answers for the resources of thin notifications.
    pub fetches: bool,
}

impl<'a> SeededManifest<'a> {
    pub async fn create(pool: &Pool, manifest: &'a FixtureManifest) -> Result<Self, sqlx::Error> {
        let mut seeded = Self {
            manifest,
            names: Vec::new(),
            ids: Vec::new(),
            fetches: false,
        };
        for session in manifest.scenarios.iter().flat_map(|scenario| &scenario.sessions) {
            let new = NewSession {
                name: session.name.clone(),
                trip_id: session.trip_id.clone(),
                has_request: session.has_request,
                status: session.status.clone(),
                current_step: Some(session.current_step.clone()),
                counts: [
                    session.quotes_received_count,
                    session.quotes_expected_count,
                    session.operators_contacted_count,
                ],
            };
            seeded.ids.push(demo_data::session(pool, &new).await?);
            seeded.names.push(session.name.clone());
        }
        Ok(seeded)
    }

    /// Does the follow-up actions and returns their number.
    pub async fn follow_up(&self, pool: &Pool) -> Result<usize, sqlx::Error> {
        let ids: BTreeMap<&str, Uuid> = self
            .names
            .iter()
            .map(String::as_str)
            .zip(self.ids.iter().copied())
            .collect();
        let mut done = 0;
        for action in self.manifest.scenarios.iter().flat_map(|scenario| &scenario.afterwards) {
            if let Some(session) = ids.get(action.session.as_str()) {
                demo_data::set_trip_id(pool, *session, &action.set_trip_id).await?;
                done += 1;
            }
        }
        Ok(done)
    }

    /// Returns the sessions as they are now, in the manifest's order.
    pub async fn sessions(&self, pool: &Pool) -> Result<Vec<SessionView>, sqlx::Error> {
        admin::sessions(pool, &self.ids).await
    }

    /// Returns a line for each difference from the manifest.
    pub fn differences(&self, sessions: &[SessionView]) -> Vec<String> {
        let found: BTreeMap<&str, &SessionView> = self.names.iter().map(String::as_str).zip(sessions).collect();
        let expected = self.expectations().flat_map(|expect| &expect.sessions);
        expected
            .flat_map(|expected| match found.get(expected.name.as_str()) {
                Some(session) => compare(expected, session),
                None => vec![format!("{}: missing", expected.name)],
            })
            .collect()
    }

    /// Returns the expected numbers of waiting and of dead jobs.
    pub fn expected_jobs(&self) -> (u64, u64) {
        self.expectations().fold((0, 0), |(waiting, dead), expect| {
            (waiting + expect.waiting, dead + expect.dead)
        })
    }

    pub fn scenarios(&self) -> &[FixtureScenario] {
        &self.manifest.scenarios
    }

    fn expectations(&self) -> impl Iterator<Item = &Expectation> {
        self.manifest
            .scenarios
            .iter()
            .map(|scenario| match &scenario.once_fetched {
                Some(fetched) if self.fetches => fetched,
                _ => &scenario.expect,
            })
    }
}

/// Returns the price of a session's primary quote, with its currency.
pub fn price(session: &SessionView) -> Option<String> {
    let price = session.primary_price.as_ref()?;
    Some(format!(
        "{price:.2} {}",
        session.primary_currency.as_deref().unwrap_or("?")
    ))
}

/// A value that is compared: its name in a difference, and its text.
type ComparedValue = (&'static str, fn(&ExpectedSession) -> String);

const COMPARED: [ComparedValue; 8] = [
    ("current_step", |it| it.current_step.clone()),
    ("quotes_received_count", |it| it.quotes_received_count.to_string()),
    ("quotes_expected_count", |it| it.quotes_expected_count.to_string()),
    ("operators_contacted_count", |it| {
        it.operators_contacted_count.to_string()
    }),
    ("primary quote", |it| or_none(&it.primary_quote)),
    ("primary operator", |it| or_none(&it.primary_operator)),
    ("primary price", |it| or_none(&it.primary_price)),
    ("trip status", |it| or_none(&it.avinode_trip_status)),
];

fn or_none(value: &Option<String>) -> String {
    value.clone().unwrap_or_else(|| "none".to_owned())
}

/// Returns a line for each value of a session that is not as expected.
pub fn compare(expected: &ExpectedSession, found: &SessionView) -> Vec<String> {
    let as_found = ExpectedSession {
        name: expected.name.clone(),
        current_step: or_none(&found.current_step),
        quotes_received_count: found.quotes_received_count,
        quotes_expected_count: found.quotes_expected_count,
        operators_contacted_count: found.operators_contacted_count,
        primary_quote: found.primary_quote.clone(),
        primary_operator: found.primary_operator.clone(),
        primary_price: price(found),
        avinode_trip_status: found.avinode_trip_status.clone(),
    };
    let values = COMPARED.map(|(value, text)| (value, text(expected), text(&as_found)));
    let differing = values.into_iter().filter(|(_, expected, found)| expected != found);
    differing
        .map(|(value, wanted, found)| format!("{}: {value} is {found}, expected {wanted}", expected.name))
        .collect()
}
