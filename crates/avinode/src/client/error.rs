//! Classifies failed calls by the required reaction. One table serves HTTP statuses and the codes of errors inside a 200.

use std::error::Error;
use std::time::Duration;

use super::dns_guard::BlockedAddress;
use super::envelope::{ApiError, quoted};

/// After a 400 Avinode asks for minutes, not seconds; a fault that a person must correct lasts as long.
const LONG_DELAY: Duration = Duration::from_secs(5 * 60);
/// The longest `Retry-After` of a failing server that is honoured.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The response headers about the next attempt.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RetryHints {
    /// `Retry-After`.
    pub(super) retry_after: Option<Duration>,
    /// The time until the rate limit's window resets.
    pub(super) reset: Option<Duration>,
}

/// The reason is one line without secrets, and quotes only a few words of the response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub enum FetchError {
    /// Retry soon.
    Retryable {
        reason: String,
        /// The whole service has failed, not only this resource.
        down: bool,
    },
    /// Retry after the given time.
    RetryAfter {
        after: Duration,
        reason: String,
        /// The whole service has failed, not only this resource.
        down: bool,
    },
    /// Too many calls (429): all calls must pause.
    RateLimited {
        /// `None` if the response does not say.
        after: Option<Duration>,
        reason: String,
    },
    /// The credentials are refused (401): stop calling.
    Unauthorized { reason: String },
    /// Access is refused (403), to this resource or to all: the responses for other resources decide.
    Forbidden { reason: String },
    /// Not there (404), perhaps not yet.
    NotFound { reason: String },
    /// Deleted (410).
    Gone { reason: String },
    /// We refuse, and a retry would fail in the same way.
    Permanent { reason: String },
}

impl FetchError {
    /// True for failures of the whole service: a timeout, no connection, a 5xx, or a response that is not Avinode's.
    pub fn trips_breaker(&self) -> bool {
        matches!(
            self,
            Self::Retryable { down: true, .. } | Self::RetryAfter { down: true, .. }
        )
    }

    pub fn reason(&self) -> &str {
        match self {
            Self::Retryable { reason, .. }
            | Self::RetryAfter { reason, .. }
            | Self::RateLimited { reason, .. }
            | Self::Unauthorized { reason }
            | Self::Forbidden { reason }
            | Self::NotFound { reason }
            | Self::Gone { reason }
            | Self::Permanent { reason } => reason,
        }
    }

    /// A failure of the whole service.
    pub(super) fn service_down(what: &str, why: &str) -> Self {
        Self::Retryable {
            reason: format!("{what}: {why}"),
            down: true,
        }
    }

    pub(super) fn permanent(what: &str, why: &str) -> Self {
        Self::Permanent {
            reason: format!("{what}: {why}"),
        }
    }

    /// The call got no response. A host with a private address is a fault of the configuration or the DNS, not of the
    /// resource, so it is retried.
    pub(super) fn from_transport(what: &str, error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(blocked) = error.downcast_ref::<BlockedAddress>() {
                return Self::RetryAfter {
                    after: LONG_DELAY,
                    reason: format!("{what}: {blocked}"),
                    down: true,
                };
            }
            cause = error.source();
        }
        Self::service_down(what, &chain(error))
    }

    /// Classifies a status other than 200.
    pub(super) fn from_status(what: &str, status: u16, errors: &[ApiError], hints: RetryHints) -> Self {
        let detail = if errors.is_empty() {
            String::new()
        } else {
            format!(": {}", quoted(errors))
        };
        let reason = format!("{what}: Avinode responded with {status}{detail}");
        Self::by_code(status, reason, hints)
    }

    /// Classifies errors inside a 200: the first one with a status as its code decides.
    pub(super) fn from_errors(what: &str, errors: &[ApiError], hints: RetryHints) -> Self {
        let reason = format!("{what}: Avinode responded with 200 and errors: {}", quoted(errors));
        match errors.iter().find_map(ApiError::status) {
            Some(status) => Self::by_code(status, reason, hints),
            None => Self::Retryable { reason, down: false },
        }
    }

    fn by_code(status: u16, reason: String, hints: RetryHints) -> Self {
        match status {
            401 => Self::Unauthorized { reason },
            403 => Self::Forbidden { reason },
            404 => Self::NotFound { reason },
            410 => Self::Gone { reason },
            429 => Self::RateLimited {
                after: hints.retry_after.or(hints.reset),
                reason,
            },
            // A temporary condition at the server: a timeout, a conflict, a lock.
            408 | 409 | 423 | 425 => Self::Retryable { reason, down: false },
            // A redirect may lead to a maintenance page, or to a new base URL.
            300..=399 => Self::RetryAfter {
                after: LONG_DELAY,
                reason: format!("{reason}: a redirect, which is not followed"),
                down: true,
            },
            400..=499 => Self::RetryAfter {
                after: LONG_DELAY,
                reason,
                down: false,
            },
            _ => match hints.retry_after {
                Some(after) => Self::RetryAfter {
                    after: after.min(MAX_RETRY_AFTER),
                    reason,
                    down: true,
                },
                None => Self::Retryable { reason, down: true },
            },
        }
    }
}

/// An error and its sources on one line, each once.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let source = error.to_string();
        if !text.ends_with(&source) {
            text = format!("{text}: {source}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
