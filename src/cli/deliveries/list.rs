//! `deliveries list`.

use uuid::Uuid;

use crate::cli::age::age;
use crate::cli::error::CliError;
use crate::cli::filter_args::DeliveryFilterArgs;
use crate::cli::list_page::{COUNTED_AHEAD, ListPage, RowNames, page_cursor, print_page};
use crate::cli::operator::{Operator, OperatorCommandArgs};
use crate::cli::table::{TextTable, moment, or_dash};
use crate::config::value_parsers::integer_in;
use crate::http::v1::admin::cursors::DeliveryCursor;
use crate::http::v1::cursor;
use crate::store::admin::delivery_list::{DeliveryFilter, DeliveryView};

#[derive(Debug, clap::Args)]
pub struct ListDeliveriesArgs {
    #[command(flatten)]
    pub filter: DeliveryFilterArgs,

    /// Maximum number of deliveries (1 to 10000).
    #[arg(long, value_name = "COUNT", default_value = "50", value_parser = integer_in::<i64>(1, 10_000))]
    pub limit: i64,

    /// Only deliveries received before this one.
    #[arg(long, value_name = "ID", conflicts_with = "cursor")]
    pub before: Option<Uuid>,

    /// Next page: the cursor that the page before printed.
    #[arg(long, value_name = "CURSOR", value_parser = page_cursor::<DeliveryCursor>)]
    pub cursor: Option<DeliveryCursor>,

    #[command(flatten)]
    pub common: OperatorCommandArgs,
}

pub(super) async fn run(args: ListDeliveriesArgs) -> Result<(), CliError> {
    let before = args.before.or(args.cursor.map(|cursor| cursor.0));
    let filter = args.filter.selection().filter(before, args.limit);
    let operator = Operator::open(&args.common.target).await?;
    let page = read(&operator, &filter, args.common.json).await;
    operator.close().await?;
    let page = page?;
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
    let names = RowNames {
        none: "no deliveries",
        one: "delivery",
        many: "deliveries",
    };
    let table = TextTable::new(headings)
        .states(&[7])
        .texts(&[8])
        .optional(&[3, 1, 6, 5, 4]);
    print_page(args.common.json, page, names, table, cells)
}

/// Reads a page, and for people the number of rows that follow. A text would be searched in all of them.
async fn read(operator: &Operator, filter: &DeliveryFilter, json: bool) -> Result<ListPage<DeliveryView>, CliError> {
    let page = operator.deliveries(filter).await?;
    Ok(ListPage::of(page, async |cursor| {
        let before = cursor::decode(cursor).map(|DeliveryCursor(id)| id);
        let following = DeliveryFilter {
            before,
            limit: COUNTED_AHEAD,
            ..filter.clone()
        };
        match json || filter.text.is_some() || before.is_none() {
            true => None,
            false => Some(operator.count_deliveries(&following).await.ok()?),
        }
    })
    .await)
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
