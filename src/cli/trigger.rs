//! `trigger KIND`: sends one event of a kind, built in and signed, to a running service.

pub mod event;

use std::sync::{Mutex, PoisonError};

use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use super::database::CommandDatabase;
use super::error::{CliError, Context};
use super::output::{print, print_json};
use super::replay::sender::{SendPlan, SendResult, SignedDelivery, client, send_all};
use super::signing::SigningArgs;
use super::wrap::fit;
use crate::clock::Clock;
use crate::config::database::DatabaseArgs;
use crate::config::target_url::TargetArgs;
use crate::config::terminal::stdout_terminal;
use crate::domain::ids::{EventId, QuoteId, RfqId, TripId};
use crate::domain::terminal_text::visible;
use crate::sessions::service::SessionService;
use event::{EventIds, EventTexts, TriggerKind};

#[derive(Debug, clap::Args)]
pub struct TriggerArgs {
    /// The kind of the event.
    #[arg(value_name = "KIND")]
    pub kind: TriggerKind,

    /// Trip of the event, by its resource id or short id. Default: a new one.
    #[arg(long, value_name = "ID", value_parser = trip)]
    pub trip: Option<TripId>,

    /// Session whose trip the event has. Needs the database.
    #[arg(long, value_name = "ID", conflicts_with = "trip", value_parser = session)]
    pub session: Option<Uuid>,

    /// RFQ of the event. Default: a new one.
    #[arg(long, value_name = "ID", value_parser = rfq)]
    pub rfq: Option<RfqId>,

    /// Quote of the event. Default: a new one.
    #[arg(long, value_name = "ID", value_parser = quote)]
    pub quote: Option<QuoteId>,

    /// The `eventId`. Default: a new one; a known one is a duplicate.
    #[arg(long, value_name = "ID", value_parser = event_id)]
    pub event: Option<EventId>,

    /// Price of a quote.
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    pub price: Option<Decimal>,

    /// Currency of a quote's price.
    #[arg(long, value_name = "CURRENCY")]
    pub currency: Option<String>,

    /// Text of a message.
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,

    /// Print JSON, for scripts: the kind, the ids and the delivery.
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub signing: SigningArgs,

    #[command(flatten)]
    pub target: TargetArgs,

    #[command(flatten)]
    pub database: DatabaseArgs,
}

pub async fn run(args: TriggerArgs) -> Result<(), CliError> {
    let signer = args.signing.signer()?;
    let url = args.target.url();
    let trip = match args.session {
        Some(session) => Some(trip_of(session, &args.database).await?),
        None => args.trip.as_ref().map(TripId::to_string),
    };
    let new = EventIds::random();
    let ids = EventIds {
        event: args.event.as_ref().map_or(new.event, EventId::to_string),
        trip: trip.unwrap_or(new.trip),
        rfq: args.rfq.as_ref().map_or(new.rfq, RfqId::to_string),
        quote: args.quote.as_ref().map_or(new.quote, QuoteId::to_string),
        message: new.message,
    };
    let texts = EventTexts {
        price: args.price,
        currency: args.currency.clone(),
        text: args.text.clone(),
    };
    let body = event::body(args.kind, &ids, &texts, Clock::System.now()).context("make the event")?;
    let plan = SendPlan {
        deliveries: vec![SignedDelivery::new(args.kind.as_str(), body)],
        concurrency: 1,
        rate: None,
    };
    let client = client(&url).context("make an HTTP client")?;
    let answer = Mutex::new(None);
    send_all(&plan, &url, &client, &signer, Clock::System, &|_, result| {
        *answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(result.clone());
    })
    .await;
    let delivery = accepted(&url, answer.into_inner().unwrap_or_else(PoisonError::into_inner))?;
    let named = event::named(args.kind, &ids);
    if args.json {
        let ids: serde_json::Map<String, Value> =
            named.iter().map(|(what, id)| ((*what).to_owned(), json!(id))).collect();
        return print_json(&json!({"kind": args.kind.as_str(), "ids": ids, "delivery": delivery}));
    }
    let named: Vec<String> = named.iter().map(|(what, id)| format!("{what} {id}")).collect();
    let sent = format!("sent {}: {}", args.kind.as_str(), named.join(", "));
    print(fit(&visible(&sent), stdout_terminal().width, 2))?;
    let line = format!("accepted as delivery {delivery}; see avinode-ingest trace {delivery}");
    print(fit(&visible(&line), stdout_terminal().width, 2))
}

/// Returns the id of the delivery.
fn accepted(url: &str, answer: Option<SendResult>) -> Result<String, CliError> {
    let answer = match answer {
        Some(Ok(answer)) => answer,
        Some(Err(error)) => return Err(CliError::plain(format!("{url} does not answer: {error}")).unavailable()),
        None => return Err(CliError::plain("nothing was sent")),
    };
    if !answer.accepted() {
        let (status, body) = (answer.status, visible(&answer.body));
        return Err(CliError::plain(format!("the service answered {status}: {body}")));
    }
    let body: Value = serde_json::from_str(&answer.body).context("read the answer of the service")?;
    let id = body["delivery"].as_str();
    id.map(str::to_owned)
        .ok_or_else(|| CliError::plain(format!("{url} does not answer as avinode-ingest does")))
}

async fn trip_of(session: Uuid, args: &DatabaseArgs) -> Result<String, CliError> {
    let database = CommandDatabase::open_current(args).await?;
    let found = SessionService::new(database.pool.clone(), Clock::System)
        .get(session)
        .await;
    database.close().await?;
    let found = found.context(format_args!("read the session {session}"))?;
    let trip = found.avinode_trip_id.ok_or_else(|| {
        CliError::plain(format!("session {session} has no trip id")).hint("give the trip with --trip")
    })?;
    let trip = TripId::parse(&trip).context(format_args!("use the trip id {trip:?} of the session"))?;
    Ok(trip.to_string())
}

fn trip(text: &str) -> Result<TripId, String> {
    TripId::parse(text).map_err(|error| format!("is not a trip id: {error}"))
}

fn rfq(text: &str) -> Result<RfqId, String> {
    RfqId::parse(text).map_err(|error| format!("is not an id: {error}"))
}

fn quote(text: &str) -> Result<QuoteId, String> {
    QuoteId::parse(text).map_err(|error| format!("is not an id: {error}"))
}

fn event_id(text: &str) -> Result<EventId, String> {
    EventId::parse(text).map_err(|error| format!("is not an id: {error}"))
}

fn session(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| "is not a UUID".to_owned())
}

fn amount(text: &str) -> Result<Decimal, String> {
    let amount = text.parse().ok().filter(|amount: &Decimal| amount.is_sign_positive());
    amount.ok_or_else(|| "is not an amount such as 18500 or 18500.50".to_owned())
}
