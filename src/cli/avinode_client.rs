//! From the configuration to a client of Avinode: what the settings demand of one another, in one line each.

use std::time::Duration;

use crate::avinode::client::avinode_client::AvinodeClient;
use crate::avinode::client::base_url::{AllowedAddresses, BaseUrl};
use crate::avinode::client::config::{AvinodeSettings, ClientLimits, ClientSettings};
use crate::avinode::client::error::FetchError;
use crate::cli::error::CliError;
use crate::clock::Clock;
use crate::config::avinode::{AvinodeArgs, FetchArgs};

/// The client's settings; `None` where none of the three that make it is set.
///
/// # Errors
/// Some are set and others are not, or the base URL is none.
pub fn client_settings(args: &AvinodeArgs) -> Result<Option<ClientSettings>, CliError> {
    let (Some(base), Some(api_token), Some(bearer)) = (
        args.avinode_base_url.as_ref(),
        args.avinode_api_token.as_ref(),
        args.avinode_bearer.as_ref(),
    ) else {
        return nothing_or_missing(args);
    };
    let base = BaseUrl::parse(base, args.avinode_insecure_loopback).map_err(|wrong| {
        // A password may stand before an @.
        let shown = if base.contains('@') {
            "the value".to_owned()
        } else {
            format!("\"{}\"", base.escape_debug())
        };
        CliError::setting(format!("AVINODE_BASE_URL (--avinode-base-url): {shown} {wrong}"))
    })?;
    Ok(Some(ClientSettings {
        base,
        api_token: api_token.clone(),
        bearer: bearer.clone(),
        act_as_account: args.avinode_act_as_account.clone(),
        limits: ClientLimits::default(),
    }))
}

fn nothing_or_missing(args: &AvinodeArgs) -> Result<Option<ClientSettings>, CliError> {
    let named = |set: bool| {
        let together = args.together();
        let names = together.iter().filter(|(_, its)| *its == set).map(|(name, _)| *name);
        names.collect::<Vec<_>>().join(" and ")
    };
    let set = named(true);
    if set.is_empty() {
        return Ok(None);
    }
    Err(CliError::setting(format!(
        "{}: must be set where {set} is: the three make one client, and none of them means that nothing is fetched",
        named(false)
    )))
}

/// What `serve` fetches with, if anything.
///
/// # Errors
/// Those of [`client_settings`].
pub fn settings(args: &AvinodeArgs, fetch: &FetchArgs) -> Result<Option<AvinodeSettings>, CliError> {
    Ok(client_settings(args)?.map(|client| AvinodeSettings {
        client,
        calls_per_second: fetch.calls_per_second,
        burst: fetch.burst,
        api_lag: Duration::from_secs(fetch.settle_seconds),
        reconcile_every: fetch.reconcile_every.0,
    }))
}

/// A client with the system's clock and resolver.
///
/// # Errors
/// It cannot be made on this machine.
pub fn client(settings: &ClientSettings) -> Result<AvinodeClient, CliError> {
    AvinodeClient::new(settings, Clock::System).map_err(|error| CliError::to("make a client of Avinode", error))
}

/// A failed call to Avinode as a failure of the command: 69 where Avinode could not be reached.
pub fn failed(attempt: impl std::fmt::Display) -> impl FnOnce(FetchError) -> CliError {
    move |error| {
        let unavailable = error.trips_breaker();
        let refused = matches!(error, FetchError::Unauthorized { .. } | FetchError::Forbidden { .. });
        let failure = CliError::to(attempt, error);
        match (unavailable, refused) {
            (true, _) => failure.unavailable(),
            (_, true) => {
                failure.hint("AVINODE_API_TOKEN and AVINODE_BEARER are not taken, or the clock is off by minutes")
            }
            _ => failure,
        }
    }
}

/// Says aloud that credentials go to this machine, perhaps unencrypted.
pub fn warn_of_loopback(settings: &ClientSettings) {
    if settings.base.allowed_addresses() == AllowedAddresses::Loopback {
        tracing::warn!(
            base = %settings.base,
            encrypted = settings.base.is_encrypted(),
            "AVINODE_INSECURE_LOOPBACK is set: Avinode is taken to be on this machine, and gets the credentials there; \
             for tests and simulators only"
        );
    }
}
