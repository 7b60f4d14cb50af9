//! The client of Avinode's API for the commands.

use crate::avinode::client::avinode_client::AvinodeClient;
use crate::avinode::client::base_url::AllowedAddresses;
use crate::avinode::client::config::ClientSettings;
use crate::avinode::client::error::FetchError;
use crate::cli::error::CliError;
use crate::clock::Clock;

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
