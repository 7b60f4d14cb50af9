//! `deliveries list`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::cli::age::age;
use crate::cli::database::{CommandDatabase, DatabaseCommandArgs};
use crate::cli::error::{CliError, Context};
use crate::cli::list_page::{COUNTED_AHEAD, ListPage, RowNames, RowsAhead, print_page};
use crate::cli::subject_args::SubjectArgs;
use crate::cli::table::{TextTable, moment, or_dash};
use crate::config::value_parsers::{integer_in, one_of};
use crate::domain::subject::SubjectKind;
use crate::http::v1::cursor::{self, CursorKey};
use crate::store::admin::delivery_list::{self, DeliveryFilter, DeliveryOutcome, DeliveryView};

#[derive(Debug, clap::Args)]
pub struct ListDeliveriesArgs {
    #[command(flatten)]
    pub subject: SubjectArgs,

    /// Only deliveries of this kind: quote, decline, message, acceptance, rfq_sent, cancellation, trip_change, quote_status or other.
    #[arg(long, value_name = "KIND", value_parser = one_of::<SubjectKind>)]
    pub kind: Option<SubjectKind>,

    /// Only deliveries with this outcome: queued, applied, duplicate, nothing, ignored, gone, dead or discarded.
    #[arg(long, value_name = "OUTCOME", value_parser = one_of::<DeliveryOutcome>)]
    pub outcome: Option<DeliveryOutcome>,

    /// Only deliveries with this text in their body or outcome, as written. A page looks through 20000 deliveries.
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,

    /// Maximum number of deliveries (1 to 10000).
    #[arg(long, value_name = "COUNT", default_value = "50", value_parser = integer_in::<i64>(1, 10_000))]
    pub limit: i64,

    /// Only deliveries received before this one.
    #[arg(long, value_name = "ID", conflicts_with = "cursor")]
    pub before: Option<Uuid>,

    /// Next page: the cursor that the page before printed.
    #[arg(long, value_name = "CURSOR", value_parser = page_cursor)]
    pub cursor: Option<DeliveryCursor>,

    #[command(flatten)]
    pub common: DatabaseCommandArgs,
}

/// The page begins before this delivery.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryCursor(pub Uuid);

impl CursorKey for DeliveryCursor {
    const LIST: &'static str = "deliveries";
}

pub(super) async fn run(args: ListDeliveriesArgs) -> Result<(), CliError> {
    let database = CommandDatabase::open_current(&args.common.database).await?;
    let (since, until) = args.subject.times();
    let filter = DeliveryFilter {
        subject: args.subject.filter(),
        kind: args.kind,
        outcome: args.outcome,
        since,
        until,
        text: args.text,
        before: args.before.or(args.cursor.map(|cursor| cursor.0)),
        limit: args.limit,
    };
    let page = delivery_list::list(&database.pool, &filter).await;
    let ahead = match (&page, args.common.json) {
        (Ok(page), false) => rows_ahead(&database, &filter, page.next).await,
        _ => RowsAhead::Unknown,
    };
    database.close().await?;
    let page = page.context("list the deliveries")?;
    let headings = [
        "delivery",
        "received",
        "age",
        "verified by",
        "kind",
        "trip",
        "quote",
        "outcome",
        "detail",
    ];
    let next = page.next.map(|id| (cursor::encode(&DeliveryCursor(id)), ahead));
    let names = RowNames {
        none: "no deliveries",
        one: "delivery",
        many: "deliveries",
    };
    let table = TextTable::new(headings)
        .states(&[7])
        .texts(&[8])
        .optional(&[3, 1, 6, 5, 4]);
    print_page(
        args.common.json,
        ListPage { data: page.data, next },
        names,
        table,
        cells,
    )
}

/// Counts the deliveries of the following pages. A text would be searched in all of them.
async fn rows_ahead(database: &CommandDatabase, filter: &DeliveryFilter, next: Option<Uuid>) -> RowsAhead {
    if next.is_none() || filter.text.is_some() {
        return RowsAhead::Unknown;
    }
    let following = DeliveryFilter {
        before: next,
        limit: COUNTED_AHEAD,
        ..filter.clone()
    };
    match delivery_list::list(&database.pool, &following).await {
        Ok(page) => RowsAhead::counted(page.data.len(), usize::try_from(COUNTED_AHEAD).unwrap_or(usize::MAX)),
        Err(_) => RowsAhead::Unknown, // the page itself was read
    }
}

fn cells(delivery: DeliveryView) -> [String; 9] {
    let quotes = match &delivery.quotes[..] {
        [] => None,
        [quote] => Some(quote.clone()),
        [first, others @ ..] => Some(format!("{first} and {} more", others.len())),
    };
    [
        delivery.id.to_string(),
        moment(delivery.received_at),
        age(delivery.received_at),
        delivery.verified_by,
        or_dash(delivery.kind),
        or_dash(delivery.trip),
        or_dash(quotes),
        delivery.outcome,
        or_dash(delivery.detail),
    ]
}

fn page_cursor(text: &str) -> Result<DeliveryCursor, String> {
    cursor::decode(text).ok_or_else(|| "is not a cursor of this list".to_owned())
}
