//! SIGHUP: reads the secrets of the sender and the tokens of the API again. Requests that are being verified keep the former ones.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::command::{self, Command};
use super::error::CliError;
use super::serve::{ServeCommandArgs, tokens, verifier};
use crate::avinode::signature::verifier::Verifier;
use crate::config::parse::EarlyExit;
use crate::http::reloadable::Reloadable;
use crate::http::v1::auth::BearerTokens;

/// Catches SIGHUP from now on. Without a handler it ends the process.
pub fn hangups() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}

/// Reloads after each signal. Invalid settings are logged, and the former ones stay.
pub async fn run(mut hangups: Signal, verifier: Reloadable<Verifier>, tokens: BearerTokens) {
    while hangups.recv().await.is_some() {
        match read() {
            Ok((new_verifier, new_tokens)) => {
                verifier.replace(new_verifier);
                tokens.replace(&new_tokens);
                tracing::info!("reloaded the secrets of webhooks and the tokens of the API");
            }
            Err(error) => {
                tracing::error!("failed to reload secrets and tokens, the former ones stay: {error}");
            }
        }
    }
}

/// Parses the command line, the environment and the files of secrets once more.
fn read() -> Result<(Verifier, BearerTokens), CliError> {
    let parsed = command::parse_from(std::env::args_os()).map_err(|exit| match exit {
        EarlyExit::Wrong(line) => CliError::setting(line.trim_start_matches("error: ")),
        EarlyExit::Shown(_) | EarlyExit::Missing(_) => CliError::setting("the command line has no command"),
    })?;
    let Command::Serve(args) = parsed.command else {
        return Err(CliError::setting("the command is not serve"));
    };
    let ServeCommandArgs { serve, webhook, .. } = *args;
    serve.check(&webhook)?;
    Ok((
        verifier(&webhook)?.requiring_time(serve.require_timestamp),
        tokens(&serve.tokens()?),
    ))
}
