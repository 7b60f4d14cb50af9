//! How a call fails, by what is to be done about it, with a reason for operators. One table for statuses and for the
//! codes of errors inside a 200.

use std::error::Error;
use std::time::Duration;

use super::dns_guard::BlockedAddress;
use super::envelope::{ApiError, quoted};

/// After a 400 Avinode wants minutes, not seconds; what a person has to mend takes as long.
const LATER: Duration = Duration::from_secs(5 * 60);
/// The longest that a `Retry-After` of a server in trouble is obeyed.
const LONGEST: Duration = Duration::from_secs(3600);

/// What an answer's headers say about when to come again.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RetryHints {
    /// `Retry-After`.
    pub(super) retry_after: Option<Duration>,
    /// When the rate limit's window begins anew.
    pub(super) reset: Option<Duration>,
}

/// Why nothing was fetched. The reason is one line, holds no secret and at most some words of the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub enum FetchError {
    /// Try again soon.
    Retryable {
        /// Why.
        reason: String,
        /// Whether it is the service's own trouble rather than this resource's.
        down: bool,
    },
    /// Try again after so long.
    RetryAfter {
        /// How long.
        after: Duration,
        /// Why.
        reason: String,
        /// Whether it is the service's own trouble rather than this resource's.
        down: bool,
    },
    /// Too many calls (429): all of them have to wait.
    RateLimited {
        /// How long, where we were told.
        after: Option<Duration>,
        /// Why.
        reason: String,
    },
    /// The credentials are not taken (401): stop calling.
    Unauthorized {
        /// Why.
        reason: String,
    },
    /// They are not taken here (403): for this resource, or for any. Which of the two others' answers tell.
    Forbidden {
        /// Why.
        reason: String,
    },
    /// Not there (404): perhaps not yet.
    NotFound {
        /// Why.
        reason: String,
    },
    /// Not there any more (410).
    Gone {
        /// Why.
        reason: String,
    },
    /// Refused by us, and trying again would end the same.
    Permanent {
        /// Why.
        reason: String,
    },
}

impl FetchError {
    /// Whether it speaks for the whole service being in trouble: time-outs, no connection, 5xx, an answer that is not
    /// Avinode's.
    pub fn trips_breaker(&self) -> bool {
        matches!(
            self,
            Self::Retryable { down: true, .. } | Self::RetryAfter { down: true, .. }
        )
    }

    /// The reason.
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

    /// The service did not answer as a service does.
    pub(super) fn broken(what: &str, why: &str) -> Self {
        Self::Retryable {
            reason: format!("{what}: {why}"),
            down: true,
        }
    }

    /// Our own refusal.
    pub(super) fn refused(what: &str, why: &str) -> Self {
        Self::Permanent {
            reason: format!("{what}: {why}"),
        }
    }

    /// No answer came. A host that led to a private network is a fault of the configuration or of the DNS, and nobody's
    /// resource: it is tried again, not given up.
    pub(super) fn of_transport(what: &str, error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(forbidden) = error.downcast_ref::<BlockedAddress>() {
                return Self::RetryAfter {
                    after: LATER,
                    reason: format!("{what}: {forbidden}"),
                    down: true,
                };
            }
            cause = error.source();
        }
        Self::broken(what, &chain(error))
    }

    /// What a status other than 200 means.
    pub(super) fn of_status(what: &str, status: u16, errors: &[ApiError], told: RetryHints) -> Self {
        let said = if errors.is_empty() {
            String::new()
        } else {
            format!(": {}", quoted(errors))
        };
        let reason = format!("{what}: Avinode answered {status}{said}");
        Self::by_code(status, reason, told)
    }

    /// What errors inside a 200 mean: the first one with a code that is a status decides.
    pub(super) fn of_errors(what: &str, errors: &[ApiError], told: RetryHints) -> Self {
        let reason = format!("{what}: Avinode answered 200 with errors: {}", quoted(errors));
        match errors.iter().find_map(ApiError::status) {
            Some(status) => Self::by_code(status, reason, told),
            None => Self::Retryable { reason, down: false },
        }
    }

    fn by_code(status: u16, reason: String, told: RetryHints) -> Self {
        match status {
            401 => Self::Unauthorized { reason },
            403 => Self::Forbidden { reason },
            404 => Self::NotFound { reason },
            410 => Self::Gone { reason },
            429 => Self::RateLimited {
                after: told.retry_after.or(told.reset),
                reason,
            },
            // In the server's way at the moment: its own time-out, a conflict, a lock.
            408 | 409 | 423 | 425 => Self::Retryable { reason, down: false },
            // A redirect is not followed. It may be a page for maintenance, or a base URL that has moved.
            300..=399 => Self::RetryAfter {
                after: LATER,
                reason: format!("{reason}, which leads elsewhere and is not followed"),
                down: true,
            },
            400..=499 => Self::RetryAfter {
                after: LATER,
                reason,
                down: false,
            },
            _ => match told.retry_after {
                Some(after) => Self::RetryAfter {
                    after: after.min(LONGEST),
                    reason,
                    down: true,
                },
                None => Self::Retryable { reason, down: true },
            },
        }
    }
}

/// An error and its causes on one line, each once.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !told.ends_with(&text) {
            told = format!("{told}: {text}");
        }
        cause = error.source();
    }
    told
}

#[cfg(test)]
mod tests;
