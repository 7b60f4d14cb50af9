//! `deliveries replay`.

use std::process::ExitCode;

use uuid::Uuid;

use crate::admin::actions::DeliveriesReplayed;
use crate::admin::batches::work::BatchWork;
use crate::cli::bulk::{self, BulkArgs, Chosen};
use crate::cli::error::CliError;
use crate::cli::filter_args::DeliveryFilterArgs;
use crate::cli::operator::{Operator, OperatorCommandArgs};
use crate::cli::output::{print, print_json};
use crate::cli::table::counted;
use crate::domain::primary_quote::PrimaryQuotePolicy;

#[derive(Debug, clap::Args)]
pub struct ReplayDeliveriesArgs {
    /// Ids of the deliveries. With ids no filter applies, and no --yes is needed.
    #[arg(value_name = "ID")]
    pub ids: Vec<Uuid>,

    #[command(flatten)]
    pub filter: DeliveryFilterArgs,

    #[command(flatten)]
    pub bulk: BulkArgs,

    /// Policy that selects the primary quote of a session, unless a person chose one.
    #[arg(
        long,
        env = "INGEST_PRIMARY_QUOTE_POLICY",
        value_name = "POLICY",
        default_value = "latest"
    )]
    pub primary_quote_policy: PrimaryQuotePolicy,

    #[command(flatten)]
    pub common: OperatorCommandArgs,
}

pub(super) async fn run(args: ReplayDeliveriesArgs) -> Result<ExitCode, CliError> {
    let work = BatchWork::Replay(args.filter.selection());
    let chosen = bulk::chosen(args.ids.len(), !work.is_unfiltered(), "deliveries")?;
    let operator = Operator::open(&args.common.target).await?;
    let replayed = match chosen {
        Chosen::Filters => {
            let policy = args.primary_quote_policy;
            operator.run_batch(work, &args.bulk, policy, args.common.json).await
        }
        Chosen::Ids => replay_named(&operator, &args).await.map(|()| ExitCode::SUCCESS),
    };
    operator.close().await?;
    replayed
}

async fn replay_named(operator: &Operator, args: &ReplayDeliveriesArgs) -> Result<(), CliError> {
    if args.bulk.dry_run {
        return Err(CliError::setting(
            "--dry-run counts what filters select, and takes no ids",
        ));
    }
    let replayed = operator.replay(&args.ids, args.bulk.note.as_ref()).await;
    let DeliveriesReplayed {
        enqueued,
        redacted,
        unknown,
    } = replayed?;
    if args.common.json {
        let result = serde_json::json!({"enqueued": enqueued, "redacted": redacted, "unknown": unknown});
        print_json(&result)?;
    } else {
        let count = counted(enqueued.len(), "delivery", "deliveries");
        print(format_args!("{count} enqueued"))?;
    }
    let failures: Vec<String> = [
        ("redacted, so there is nothing left to process:", redacted),
        ("there is no delivery", unknown),
    ]
    .into_iter()
    .filter(|(_, ids)| !ids.is_empty())
    .map(|(what, ids)| {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        format!("{what} {}", ids.join(", "))
    })
    .collect();
    match failures.is_empty() {
        true => Ok(()),
        false => Err(CliError::plain(failures.join("; "))),
    }
}
