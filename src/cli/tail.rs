//! `tail`: deliveries as they come, each with its outcome.
//!
//! Polls: an outcome is written by a worker, and no notification names the delivery.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::colour;
use super::error::{CliError, Context, EXIT_UNAVAILABLE};
use super::operator::{Operator, OperatorCommandArgs};
use super::output::print_line;
use super::subject_args::SubjectArgs;
use super::table::moment;
use super::wrap::fit;
use crate::clock::Clock;
use crate::config::terminal::{OutputTerminal, stdout_terminal};
use crate::config::value_parsers::one_of;
use crate::domain::subject::SubjectKind;
use crate::domain::terminal_text::visible;
use crate::shutdown;
use crate::store::admin::delivery_list::{DeliveryFilter, DeliveryOutcome, DeliveryView};

const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Through the API each poll reads whole rows.
const API_POLL_INTERVAL: Duration = Duration::from_secs(2);
/// A service that is restarted answers again within this time.
const RESTART: Duration = Duration::from_secs(60);
/// A delivery without an outcome is shown as queued after this time.
const PATIENCE: TimeDelta = TimeDelta::seconds(2);
/// A delivery without an outcome is followed for this time.
const FOLLOWED: TimeDelta = TimeDelta::minutes(5);
/// A delivery may become visible this much later than one with the same time.
const COMMIT_LAG: TimeDelta = TimeDelta::seconds(5);
/// Ids of one query, and queries of one poll.
const PAGE: i64 = 1000;
const MAX_PAGES: usize = 20;

#[derive(Debug, clap::Args)]
pub struct TailArgs {
    #[command(flatten)]
    pub subject: SubjectArgs,

    /// Only deliveries of this kind, as of `deliveries list`.
    #[arg(long, value_name = "KIND", value_parser = one_of::<SubjectKind>)]
    pub kind: Option<SubjectKind>,

    /// Only deliveries with this outcome, as of `deliveries list`.
    #[arg(long, value_name = "OUTCOME", value_parser = one_of::<DeliveryOutcome>)]
    pub outcome: Option<DeliveryOutcome>,

    #[command(flatten)]
    pub common: OperatorCommandArgs,
}

/// Ends with 0 at the first signal, and where nothing reads the output any more.
pub async fn run(args: TailArgs) -> Result<(), CliError> {
    let shutdown = shutdown::on_signals().context("listen for signals")?;
    let operator = Operator::open(&args.common.target).await?;
    let followed = tokio::select! {
        biased;
        () = shutdown.cancelled() => Ok(()),
        followed = follow(&operator, &args) => followed,
    };
    operator.close().await?;
    followed
}

async fn follow(operator: &Operator, args: &TailArgs) -> Result<(), CliError> {
    let terminal = stdout_terminal();
    let mut following = FollowedDeliveries::default();
    let (since, _) = args.subject.times();
    match since {
        Some(since) => following.since = Some(since),
        None => following.skip(&newest(operator, args).await?, Clock::System.now()),
    }
    if following.since.is_some() && since.is_none() {
        let known = read(operator, args, &following).await?;
        following.skip(&known, Clock::System.now());
    }
    let mut answered_at = Instant::now();
    loop {
        let deliveries = match read(operator, args, &following).await {
            Err(error) if error.code() == EXIT_UNAVAILABLE && answered_at.elapsed() < RESTART => {
                sleep(API_POLL_INTERVAL).await;
                continue;
            }
            read => read?,
        };
        answered_at = Instant::now();
        for delivery in following.news(deliveries, Clock::System.now(), args) {
            let line = match args.common.json {
                true => serde_json::to_string(&delivery).context("write the output as JSON")?,
                false => text(&delivery, terminal),
            };
            if !print_line(line)? {
                return Ok(());
            }
        }
        sleep(match operator {
            Operator::Database(..) => POLL_INTERVAL,
            Operator::Api(_) => API_POLL_INTERVAL,
        })
        .await;
    }
}

/// Reads the newest delivery.
async fn newest(operator: &Operator, args: &TailArgs) -> Result<Vec<DeliveryView>, CliError> {
    let filter = DeliveryFilter {
        limit: 1,
        ..filter(args)
    };
    Ok(operator.deliveries(&filter).await?.data)
}

/// Reads the deliveries that can have news, the newest first.
async fn read(
    operator: &Operator,
    args: &TailArgs,
    following: &FollowedDeliveries,
) -> Result<Vec<DeliveryView>, CliError> {
    let mut filter = DeliveryFilter {
        since: following.since,
        limit: PAGE,
        ..filter(args)
    };
    let mut deliveries = Vec::new();
    for _ in 0..MAX_PAGES {
        let page = operator
            .deliveries_with(&filter, |id| following.can_have_news(id))
            .await?;
        deliveries.extend(page.data);
        filter.before = page.next;
        if page.next.is_none() {
            break;
        }
    }
    Ok(deliveries)
}

fn filter(args: &TailArgs) -> DeliveryFilter {
    DeliveryFilter {
        subject: args.subject.filter(),
        until: args.subject.times().1,
        ..DeliveryFilter::default()
    }
}

/// The deliveries of the last moments, and those that still wait for an outcome.
#[derive(Debug, Default)]
struct FollowedDeliveries {
    since: Option<DateTime<Utc>>,
    /// The time and the last shown outcome of each.
    shown: HashMap<Uuid, (DateTime<Utc>, String)>,
}

impl FollowedDeliveries {
    /// Leaves out what was there before.
    fn skip(&mut self, deliveries: &[DeliveryView], now: DateTime<Utc>) {
        for delivery in deliveries {
            self.shown
                .insert(delivery.id, (delivery.received_at, delivery.outcome.clone()));
        }
        self.forget(deliveries, now, true);
    }

    /// Returns whether a delivery was not shown yet, or was shown without an outcome.
    fn can_have_news(&self, delivery: Uuid) -> bool {
        let shown = self.shown.get(&delivery);
        shown.is_none_or(|(_, outcome)| outcome == DeliveryOutcome::Queued.as_str())
    }

    /// Returns the deliveries with a new outcome, the oldest first.
    fn news(&mut self, deliveries: Vec<DeliveryView>, now: DateTime<Utc>, args: &TailArgs) -> Vec<DeliveryView> {
        self.forget(&deliveries, now, args.subject.filter().is_empty());
        let queued = DeliveryOutcome::Queued.as_str();
        let mut news = Vec::new();
        for delivery in deliveries.into_iter().rev() {
            let shown = self.shown.get(&delivery.id).map(|(_, outcome)| outcome.as_str());
            let is_news = match shown {
                Some(outcome) => outcome != delivery.outcome,
                None => delivery.outcome != queued || now - delivery.received_at >= PATIENCE,
            };
            if !is_news {
                continue;
            }
            self.shown
                .insert(delivery.id, (delivery.received_at, delivery.outcome.clone()));
            let is_kind = args
                .kind
                .is_none_or(|kind| delivery.kind.as_deref() == Some(kind.as_str()));
            if is_kind && args.outcome.is_none_or(|outcome| outcome.as_str() == delivery.outcome) {
                news.push(delivery);
            }
        }
        news
    }

    /// Moves `since` to the oldest delivery that can still have news. By subject a delivery is found once a job has read it.
    fn forget(&mut self, deliveries: &[DeliveryView], now: DateTime<Utc>, is_found_at_once: bool) {
        let oldest = now - FOLLOWED;
        let waiting = deliveries
            .iter()
            .filter(|it| it.outcome == DeliveryOutcome::Queued.as_str());
        let waiting = waiting.map(|it| it.received_at).min();
        let newest = deliveries
            .iter()
            .map(|it| it.received_at)
            .max()
            .map(|at| at - COMMIT_LAG);
        let next = match is_found_at_once {
            true => [waiting, newest].into_iter().flatten().min().map(|at| at.max(oldest)),
            false => Some(oldest),
        };
        self.since = self.since.max(next);
        let since = self.since;
        // An id may have a later time than the delivery.
        self.shown
            .retain(|_, (received, _)| Some(*received + COMMIT_LAG) >= since);
    }
}

fn text(delivery: &DeliveryView, terminal: OutputTerminal) -> String {
    let ids = [
        ("trip", delivery.trip.as_deref()),
        ("quote", delivery.quotes.first().map(String::as_str)),
    ];
    let ids = ids.into_iter().filter_map(|(what, id)| Some(format!("{what} {}", id?)));
    let parts: Vec<String> = ids
        .chain(delivery.detail.clone())
        .chain([format!("delivery {}", delivery.id)])
        .collect();
    let (at, outcome) = (moment(delivery.received_at), visible(&delivery.outcome));
    let kind = visible(delivery.kind.as_deref().unwrap_or("–"));
    let start = format!("{at}  {outcome:<9}  {kind:<12}  ");
    let line = fit(
        &format!("{start}{}", visible(&parts.join(", "))),
        terminal.width,
        at.len() + 2,
    );
    line.replacen(&outcome, &colour::state(&outcome, terminal.has_colour), 1)
}

#[cfg(test)]
mod tests;
