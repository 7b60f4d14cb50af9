//! `trace`: what became of a quote, a trip, an RFQ, a message, a delivery or a session.

use std::process::ExitCode;

use serde_json::json;

use super::age::age;
use super::colour;
use super::error::CliError;
use super::operator::{Operator, OperatorCommandArgs};
use super::output::{print, print_json};
use super::table::{moment, or_dash};
use super::wrap::{fit, width_of};
use crate::admin::trace::{StoryEntry, Trace, TraceCause};
use crate::config::terminal::{OutputTerminal, stdout_terminal};
use crate::domain::terminal_text::visible;
use crate::store::admin::trace::TraceTarget;

#[derive(Debug, clap::Args)]
pub struct TraceArgs {
    /// Avinode's id of a quote, an RFQ, a trip or a message; the id of a delivery, a session or a row of `quotes`. Its type is looked up.
    #[arg(value_name = "ID")]
    pub id: String,

    #[command(flatten)]
    pub common: OperatorCommandArgs,
}

/// Ends with 1 if nothing is stored about the id.
pub async fn run(args: TraceArgs) -> Result<ExitCode, CliError> {
    let operator = Operator::open(&args.common.target).await?;
    let trace = operator.trace(&args.id).await;
    operator.close().await?;
    let Some(trace) = trace? else {
        let unknown = CliError::plain(format!("{:?} is the id of nothing that is stored", visible(&args.id)));
        return Err(unknown.hint("an id of Avinode, such as atrip-64956150 or A1B2C3, aquote-386500101, arfq-12345678 or asellermsg-1000000007; the id of a delivery, a session, or a row of quotes"));
    };
    let code = match trace.story.is_empty() {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    };
    if args.common.json {
        print_json(&json!(trace))?;
        return Ok(code);
    }
    let terminal = stdout_terminal();
    print(fit(&heading(&trace), terminal.width, 2))?;
    for entry in trace.story {
        print(story_line(&entry, terminal))?;
    }
    print("")?;
    for TraceCause { of, text } in trace.causes {
        let cause = visible(&format!("cause  {of}: {text}"));
        print(fit(&cause, terminal.width, "cause  ".len()))?;
    }
    Ok(code)
}

/// Time, age, step and text. The text is broken below its beginning, where the terminal has room beside the step.
fn story_line(entry: &StoryEntry, terminal: OutputTerminal) -> String {
    let at = or_dash(entry.at.map(moment));
    let age = entry.at.map(age).unwrap_or_default();
    let (step, text) = (visible(&entry.step), visible(&entry.text));
    let start = format!("{at:<20}  {age:<11}  {step:<9}  ");
    let line = fit(&format!("{start}{text}"), terminal.width, width_of(&start));
    // Only the first occurrence is the step: times and ages are no such words.
    line.replacen(&step, &colour::state(&step, terminal.has_colour), 1)
}

fn heading(trace: &Trace) -> String {
    let (what, id) = match &trace.target {
        TraceTarget::Delivery(id) => ("delivery", id.to_string()),
        TraceTarget::Session(id) => ("session", id.to_string()),
        TraceTarget::Quote(id) => ("quote", id.clone()),
        TraceTarget::Rfq(id) => ("RFQ", id.clone()),
        TraceTarget::Trip(id) => ("trip", id.clone()),
        TraceTarget::Message(id) => ("message", id.clone()),
    };
    let others: Vec<&str> = trace
        .trips
        .iter()
        .filter(|trip| **trip != id)
        .map(String::as_str)
        .collect();
    let trips = match others[..] {
        [] => String::new(),
        _ => format!(", trip {}", others.join(" = ")),
    };
    visible(&format!("{what} {id}{trips}"))
}
