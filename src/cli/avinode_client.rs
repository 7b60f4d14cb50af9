//! The client of Avinode's API, made from the settings.

use crate::avinode::client::avinode_client::AvinodeClient;
use crate::avinode::client::base_url::{AllowedAddresses, BaseUrl};
use crate::avinode::client::config::{AvinodeSettings, ClientLimits, ClientSettings};
use crate::avinode::client::error::FetchError;
use crate::cli::error::CliError;
use crate::clock::Clock;
use crate::config::avinode::{ApiAccess, AvinodeArgs, BASE_URL, FetchArgs};
use crate::config::setting_error::SettingError;

/// Returns the client's settings, or `None` where none of the three that make a client is set.
///
/// # Errors
/// Some of the three are missing or invalid.
pub fn client_settings(args: &AvinodeArgs) -> Result<Option<ClientSettings>, SettingError> {
    let access = args.access()?;
    access.map(|access| with_access(args, access)).transpose()
}

/// Returns the client's settings for a command that needs them.
///
/// # Errors
/// One of the three is missing or invalid.
pub fn required_client_settings(args: &AvinodeArgs) -> Result<ClientSettings, SettingError> {
    with_access(args, args.required_access()?)
}

fn with_access(args: &AvinodeArgs, access: ApiAccess) -> Result<ClientSettings, SettingError> {
    let ApiAccess {
        base_url,
        api_token,
        bearer,
    } = access;
    let base = BaseUrl::parse(&base_url, args.avinode_insecure_loopback).map_err(|error| {
        // A password may stand before an @.
        let shown = match base_url.contains('@') {
            true => "the value".to_owned(),
            false => format!("\"{}\"", base_url.escape_debug()),
        };
        SettingError::new(BASE_URL, format_args!("{shown} {error}"))
    })?;
    Ok(ClientSettings {
        base,
        api_token,
        bearer,
        act_as_account: args.avinode_act_as_account.clone(),
        limits: ClientLimits::default(),
    })
}

/// Returns the settings with which `serve` fetches, or `None` where it does not fetch.
///
/// # Errors
/// Those of [`client_settings`].
pub fn settings(args: &AvinodeArgs, fetch: &FetchArgs) -> Result<Option<AvinodeSettings>, SettingError> {
    Ok(client_settings(args)?.map(|client| AvinodeSettings {
        client,
        calls_per_second: fetch.calls_per_second,
        burst: fetch.burst,
        api_lag: fetch.api_lag,
        reconcile_every: fetch.reconcile_interval.0,
    }))
}

/// Makes a client with the system's clock and resolver.
///
/// # Errors
/// This machine cannot make one; most often it has no root certificates.
pub fn client(settings: &ClientSettings) -> Result<AvinodeClient, CliError> {
    AvinodeClient::new(settings, Clock::System).map_err(|error| CliError::to("make a client of Avinode", error))
}

/// For `map_err`: names the attempt, with exit code 69 where Avinode could not be reached.
pub fn failed(attempt: impl std::fmt::Display) -> impl FnOnce(FetchError) -> CliError {
    move |error| {
        let unavailable = error.trips_breaker();
        let unauthorized = error.is_refusal();
        let failure = CliError::to(attempt, error);
        match (unavailable, unauthorized) {
            (true, _) => failure.unavailable(),
            (_, true) => {
                failure.hint("Avinode rejects AVINODE_API_TOKEN or AVINODE_BEARER, or the clock is minutes off")
            }
            _ => failure,
        }
    }
}

/// Warns that the credentials go to this machine, perhaps without TLS.
pub fn warn_of_loopback(settings: &ClientSettings) {
    if settings.base.allowed_addresses() == AllowedAddresses::Loopback {
        tracing::warn!(
            base_url = %settings.base,
            encrypted = settings.base.is_encrypted(),
            "AVINODE_INSECURE_LOOPBACK is set: credentials are sent to {}, for tests and simulators only",
            settings.base
        );
    }
}
