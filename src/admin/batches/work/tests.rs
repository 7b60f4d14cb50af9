use chrono::DateTime;
use uuid::Uuid;

use super::*;
use crate::domain::subject::SubjectKind;
use crate::store::admin::delivery_list::DeliveryOutcome;
use crate::store::admin::subject_filter::SubjectFilter;

fn row(work: &BatchWork) -> BatchRow {
    BatchRow {
        id: Uuid::nil(),
        actor: "cli:alice@db1".to_owned(),
        action: work.action().to_owned(),
        filter: work.filter(),
        note: None,
        dry_run: false,
        row_limit: 1,
        state: "running".to_owned(),
        position: None,
        selected: 0,
        changed: 0,
        skipped: 0,
        failed: 0,
        result: Value::Null,
        begun_at: DateTime::UNIX_EPOCH,
        finished_at: None,
    }
}

#[test]
fn work_is_read_as_it_was_written() {
    let jobs = JobSelection {
        state: Some(JobState::Dead),
        kind: Some(JobKind::FullEvent),
        reason: Some("unknown event".to_owned()),
        since: Some(DateTime::UNIX_EPOCH),
        all: true,
        ..JobSelection::default()
    };
    let deliveries = DeliverySelection {
        subject: SubjectFilter {
            trip: Some("atrip-1".to_owned()),
            ..SubjectFilter::default()
        },
        kind: Some(SubjectKind::RfqSent),
        outcome: Some(DeliveryOutcome::Dead),
        text: Some("Priya".to_owned()),
        ..DeliverySelection::default()
    };
    for work in [
        BatchWork::Retry(jobs.clone()),
        BatchWork::Discard { jobs, timers: true },
        BatchWork::Replay(deliveries),
        BatchWork::Replay(DeliverySelection::default()),
    ] {
        assert_eq!(BatchWork::of_row(&row(&work)).unwrap(), work);
    }
}

#[test]
fn rows_after_the_beginning_are_never_selected() {
    let (early, late) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1));
    for (until, begun_at, expected) in [
        (None, late, late),
        (Some(early), late, early),
        (Some(late), early, early),
    ] {
        let jobs = JobSelection {
            until,
            ..JobSelection::default()
        };
        let BatchWork::Retry(bounded) = BatchWork::Retry(jobs).bounded_by(begun_at) else {
            panic!()
        };
        assert_eq!(bounded.until, Some(expected));
    }
}

#[test]
fn the_text_of_a_filter_is_replaced_by_its_digest() {
    let filter = json!({"text": "Priya", "kind": "quote"});
    let kept = without_text(&filter);
    assert!(!kept.to_string().contains("Priya"));
    assert_eq!(kept["kind"], "quote");
    assert_eq!(kept["text_sha256"].as_str().unwrap().len(), 64);
    assert_eq!(without_text(&kept), kept);
}

#[test]
fn a_finished_dry_run_is_done_with_its_own_text_only() {
    let work = BatchWork::Replay(DeliverySelection {
        outcome: Some(DeliveryOutcome::Dead),
        text: Some("Priya".to_owned()),
        ..DeliverySelection::default()
    });
    let counted = BatchRow {
        dry_run: true,
        state: "finished".to_owned(),
        filter: without_text(&work.filter()),
        ..row(&work)
    };
    assert_eq!(BatchWork::of_dry_run(&counted, Some("Priya")).unwrap(), work);
    for text in [None, Some("Prija")] {
        let refused = BatchWork::of_dry_run(&counted, text);
        assert!(matches!(refused, Err(BatchError::OtherText(_))), "{refused:?}");
    }
    let running = BatchRow {
        state: "running".to_owned(),
        ..counted.clone()
    };
    let real = BatchRow {
        dry_run: false,
        ..counted
    };
    for row in [running, real] {
        let refused = BatchWork::of_dry_run(&row, Some("Priya"));
        assert!(matches!(refused, Err(BatchError::NotCounted(_))), "{refused:?}");
    }
}
