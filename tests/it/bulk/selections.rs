//! A selection has exactly the rows of the list with the same filters.

use std::collections::BTreeSet;

use avinode_ingest::admin::selection::{DeliverySelection, JobSelection, Position, RowSelection, SelectedIds};
use avinode_ingest::domain::subject::SubjectKind;
use avinode_ingest::queue::admin;
use avinode_ingest::queue::job_kind::JobKind;
use avinode_ingest::queue::job_state::JobState;
use avinode_ingest::store::admin::delivery_list::{self, DeliveryOutcome};
use avinode_ingest::store::admin::subject_filter::SubjectFilter;
use chrono::{TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::support::bodies::{base, decline, event, message, quote, quote_of};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::sessions::SessionBuilder;
use crate::support::worker::run_jobs;

/// Applied, dead and waiting deliveries of several kinds and trips.
async fn filled() -> (Db, Uuid) {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let unread = json!({"trip": {"id": "A1B2C3"}, "quote": {"id": "aquote-99"}});
    let bodies = [
        quote("evt-1", "A1B2C3", "arfq-1", "aquote-1", 10, "9000", "EUR"),
        decline("evt-2", "A1B2C3", "arfq-2", 20),
        message("evt-3", "Z9Y8X7", "asellermsg-3", 30),
        event("TripSomethingNew", "evt-4", 40, unread.clone()),
        event("TripSomethingElse", "evt-5", 40, unread),
        quote_of("Z9Y8X7", "aquote-6", 50),
    ];
    store_deliveries(&db.pool, &bodies, base()).await;
    run_jobs(&db.pool).await;
    let waiting = [
        json!({"id": "arfq-77", "href": "https://sandbox.avinode.com/api/rfqs/arfq-77", "type": "Rfqs", "tripId": "A1B2C3"}),
        quote_of("A1B2C3", "aquote-8", 60),
    ];
    store_deliveries(&db.pool, &waiting, base()).await;
    (db, session)
}

/// Every combination of at most three of the choices, each from another list.
fn combinations<T: Clone>(none: &T, choices: &[Vec<Choice<T>>]) -> Vec<T> {
    let mut all = vec![(none.clone(), 0)];
    for options in choices {
        let with: Vec<(T, usize)> = all
            .iter()
            .filter(|(_, chosen)| *chosen < 3)
            .flat_map(|(filter, chosen)| {
                options.iter().map(move |option| {
                    let mut filter = filter.clone();
                    option(&mut filter);
                    (filter, chosen + 1)
                })
            })
            .collect();
        all.extend(with);
    }
    all.into_iter().map(|(filter, _)| filter).collect()
}

/// The rows of a selection in pages of two; none twice.
async fn selected(db: &Db, selection: RowSelection<'_>) -> BTreeSet<String> {
    let (mut all, mut after): (BTreeSet<String>, Option<Position>) = (BTreeSet::new(), None);
    loop {
        let page = selection.page(&db.pool, after, 2).await.unwrap();
        let ids: Vec<String> = match page.ids {
            SelectedIds::Jobs(ids) => ids.iter().map(ToString::to_string).collect(),
            SelectedIds::Deliveries(ids) => ids.iter().map(ToString::to_string).collect(),
        };
        for id in ids {
            assert!(all.insert(id), "{selection:?}: selected twice");
        }
        after = page.next;
        if after.is_none() {
            let count = selection.count(&db.pool, 1_000).await.unwrap();
            assert_eq!(usize::try_from(count).unwrap(), all.len(), "{selection:?}");
            return all;
        }
    }
}

type Choice<T> = std::rc::Rc<dyn Fn(&mut T)>;

fn choice<T>(set: impl Fn(&mut T) + 'static) -> Choice<T> {
    std::rc::Rc::new(set)
}

#[expect(clippy::disallowed_methods, reason = "ids have the time at which they were made")]
fn soon() -> chrono::DateTime<Utc> {
    Utc::now() + TimeDelta::minutes(1)
}

fn subjects(session: Uuid) -> Vec<SubjectFilter> {
    let none = SubjectFilter::default;
    vec![
        SubjectFilter {
            trip: Some("A1B2C3".to_owned()),
            ..none()
        },
        SubjectFilter {
            rfq: Some("arfq-77".to_owned()),
            ..none()
        },
        SubjectFilter {
            quote: Some("aquote-99".to_owned()),
            ..none()
        },
        SubjectFilter {
            session: Some(session),
            ..none()
        },
        SubjectFilter {
            event: Some("evt-1".to_owned()),
            ..none()
        },
    ]
}

#[test]
fn a_selection_of_deliveries_has_the_rows_of_the_list_with_the_same_filters() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (db, session) = filled().await;
        let subjects = subjects(session)
            .into_iter()
            .map(|subject| choice(move |it: &mut DeliverySelection| it.subject = subject.clone()));
        let choices: Vec<Vec<Choice<DeliverySelection>>> = vec![
            subjects.collect(),
            [SubjectKind::Quote, SubjectKind::Other]
                .map(|kind| choice(move |it: &mut DeliverySelection| it.kind = Some(kind)))
                .to_vec(),
            [DeliveryOutcome::Applied, DeliveryOutcome::Dead, DeliveryOutcome::Queued]
                .map(|outcome| choice(move |it: &mut DeliverySelection| it.outcome = Some(outcome)))
                .to_vec(),
            vec![choice(|it: &mut DeliverySelection| it.text = Some("A1B2C3".to_owned()))],
            vec![choice(|it: &mut DeliverySelection| it.until = Some(soon()))],
        ];
        let mut rows = 0;
        for selection in combinations(&DeliverySelection::default(), &choices) {
            let page = delivery_list::list(&db.pool, &selection.filter(None, 1_000))
                .await
                .unwrap();
            let listed: BTreeSet<String> = page.data.iter().map(|row| row.id.to_string()).collect();
            assert_eq!(
                selected(&db, RowSelection::Deliveries(&selection)).await,
                listed,
                "{selection:?}"
            );
            rows += listed.len();
        }
        assert!(rows > 100, "{rows}");
    });
}

#[test]
fn a_selection_of_jobs_has_the_rows_of_the_list_with_the_same_filters() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (db, session) = filled().await;
        let subjects = subjects(session)
            .into_iter()
            .map(|subject| choice(move |it: &mut JobSelection| it.subject = subject.clone()));
        let choices: Vec<Vec<Choice<JobSelection>>> = vec![
            subjects.collect(),
            [JobState::Dead, JobState::Available]
                .map(|state| choice(move |it: &mut JobSelection| it.state = Some(state)))
                .to_vec(),
            [JobKind::FullEvent, JobKind::FetchNotified]
                .map(|kind| choice(move |it: &mut JobSelection| it.kind = Some(kind)))
                .to_vec(),
            vec![choice(|it: &mut JobSelection| {
                it.text = Some("somethingNEW".to_owned());
            })],
            vec![choice(|it: &mut JobSelection| it.reason = Some("Unknown".to_owned()))],
            vec![choice(|it: &mut JobSelection| it.until = Some(soon()))],
        ];
        let mut rows = 0;
        for selection in combinations(&JobSelection::default(), &choices) {
            let filter = selection.filter(&db.pool, 1_000).await.unwrap();
            let jobs = admin::list(&db.pool, &filter).await.unwrap();
            let listed: BTreeSet<String> = jobs.iter().map(|job| job.id.to_string()).collect();
            assert_eq!(
                selected(&db, RowSelection::Jobs(&selection)).await,
                listed,
                "{selection:?}"
            );
            rows += listed.len();
        }
        assert!(rows > 50, "{rows}");
    });
}
