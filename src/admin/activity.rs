//! The last hour by minutes: deliveries received and applied, and the time from one to the other. Read from the tables, so it is that of
//! all processes. The cost is bounded by three times [`COUNTED`] rows of each table for each minute, on average: if few minutes have as many rows,
//! they are read again with a higher limit. Of a minute with still more, the counts are estimated from the time that its first rows took.

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;
use crate::postgres::transaction::{Pool, Transaction};
use crate::queue::finished::{self, FinishedMinute};
use crate::queue::job_kind::JobKind;
use crate::store::deliveries::rates::{self, ReceivedMinute};

pub const MINUTES: i32 = 60;
/// Rows of a minute that are read while every minute has as many.
pub const COUNTED: i64 = 500;
/// Jobs that a delivery has when it is received. Replays are left out: their deliveries were received before.
const RECEIVED_KINDS: [JobKind; 2] = [JobKind::FullEvent, JobKind::FetchNotified];

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MinuteActivity {
    pub received: i64,
    pub applied: i64,
    /// Seconds from the storing of a delivery to its application: half of them took at most this long.
    pub median_seconds: Option<f64>,
    /// The same of 95 in 100.
    pub percentile95_seconds: Option<f64>,
    /// A count is estimated from the first rows of the minute.
    pub is_estimate: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct HourActivity {
    /// The end of the last minute.
    pub until: DateTime<Utc>,
    /// The oldest first.
    pub minutes: Vec<MinuteActivity>,
    /// Rows of a minute that were read at most.
    pub counted: i64,
}

impl HourActivity {
    /// The beginning of a minute.
    pub fn begin_of(&self, minute: usize) -> DateTime<Utc> {
        let left = self.minutes.len().saturating_sub(minute);
        self.until - TimeDelta::minutes(i64::try_from(left).unwrap_or_default())
    }
}

pub async fn read(pool: &Pool) -> Result<HourActivity, sqlx::Error> {
    let until = Clock::System.now();
    let from = until - TimeDelta::minutes(MINUTES.into());
    let mut tx = pool.begin_with(rates::BY_INDEX).await?;
    let mut counted = COUNTED;
    let (mut received, mut finished) = read_minutes(&mut tx, from, counted).await?;
    let full = |(received, finished): &(&ReceivedMinute, &FinishedMinute)| {
        received.deliveries >= COUNTED || finished.finished >= COUNTED
    };
    let full = received.iter().zip(&finished).filter(full).count();
    if let Some(room) = i32::try_from(full)
        .ok()
        .and_then(|full| MINUTES.checked_div(full))
        .filter(|room| *room > 1)
    {
        counted *= i64::from(room);
        (received, finished) = read_minutes(&mut tx, from, counted).await?;
    }
    tx.commit().await?;
    let minutes = received.into_iter().zip(finished);
    let minutes = minutes.map(|(received, finished)| minute(from, counted, &received, &finished));
    Ok(HourActivity {
        until,
        minutes: minutes.collect(),
        counted,
    })
}

/// Reads at most `counted` rows of each minute, in a transaction with the settings [`rates::BY_INDEX`].
pub async fn read_minutes(
    tx: &mut Transaction<'_>,
    from: DateTime<Utc>,
    counted: i64,
) -> Result<(Vec<ReceivedMinute>, Vec<FinishedMinute>), sqlx::Error> {
    let received = rates::per_minute(tx, from, MINUTES, counted).await?;
    let finished = finished::per_minute(tx, from, MINUTES, counted, &RECEIVED_KINDS).await?;
    Ok((received, finished))
}

fn minute(from: DateTime<Utc>, most: i64, received: &ReceivedMinute, finished: &FinishedMinute) -> MinuteActivity {
    let begin = from + TimeDelta::minutes(received.number.into());
    let received_factor = factor(begin, most, received.deliveries, received.last_at);
    let finished_factor = factor(begin, most, finished.finished, finished.last_at);
    MinuteActivity {
        received: scaled(received.deliveries, received_factor),
        applied: scaled(finished.applied, finished_factor),
        median_seconds: finished.median,
        percentile95_seconds: finished.percentile95,
        is_estimate: received_factor > 1.0 || finished_factor > 1.0,
    }
}

/// Returns how many times as many rows the whole minute has as were counted until `last`; 1 if all were counted, of at most `most`.
fn factor(begin: DateTime<Utc>, most: i64, counted: i64, last: Option<DateTime<Utc>>) -> f64 {
    let Some(last) = last.filter(|_| counted >= most) else {
        return 1.0;
    };
    // Ids hold milliseconds.
    let counted_ms = (last - begin).num_milliseconds().clamp(1, 60_000);
    60_000.0 / f64::from(i32::try_from(counted_ms).unwrap_or(60_000))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "counts of a minute, at most sixty million"
)]
fn scaled(counted: i64, factor: f64) -> i64 {
    (counted as f64 * factor).round() as i64
}

#[cfg(test)]
mod tests;
