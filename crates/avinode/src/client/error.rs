//! Classifies failed calls by the required reaction. One table serves HTTP statuses and the codes of errors inside a 200.

use std::error::Error;
use std::time::Duration;

use strum::IntoStaticStr;

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

/// A failed call. The reason is one line without secrets, and quotes only a few words of the response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct FetchError {
    pub kind: FetchErrorKind,
    reason: String,
    /// The status or the code is 400.
    bad_request: bool,
}

/// The required reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum FetchErrorKind {
    Retryable {
        /// The time to wait; `None` for soon.
        after: Option<Duration>,
        /// The whole service has failed, not only this resource.
        down: bool,
    },
    /// Too many calls (429): all calls must pause. `None` if the response does not say how long.
    RateLimited { after: Option<Duration> },
    /// The credentials are refused (401): stop calling.
    Unauthorized,
    /// Access is refused (403), to this resource or to all: the responses for other resources decide.
    Forbidden,
    /// Not there (404), perhaps not yet.
    NotFound,
    /// Deleted (410).
    Gone,
    /// We refuse, and a retry would fail in the same way.
    Permanent,
}

impl FetchErrorKind {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// A failure of the whole service.
    const DOWN: Self = Self::Retryable {
        after: None,
        down: true,
    };
}

impl FetchError {
    pub fn new(kind: FetchErrorKind, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            kind,
            reason,
            bad_request: false,
        }
    }

    /// True if Avinode did not understand the call (400).
    pub(super) fn is_bad_request(&self) -> bool {
        self.bad_request
    }

    /// True for failures of the whole service: a timeout, no connection, a 5xx, or a response that is not Avinode's.
    pub fn trips_breaker(&self) -> bool {
        matches!(self.kind, FetchErrorKind::Retryable { down: true, .. })
    }

    /// True if Avinode refused access (401 or 403).
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind, FetchErrorKind::Unauthorized | FetchErrorKind::Forbidden)
    }

    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// A failure of the whole service.
    pub(super) fn service_down(what: &str, why: &str) -> Self {
        Self::new(FetchErrorKind::DOWN, format!("{what}: {why}"))
    }

    pub(super) fn permanent(what: &str, why: &str) -> Self {
        Self::new(FetchErrorKind::Permanent, format!("{what}: {why}"))
    }

    /// The call got no response. A host with a private address is a fault of the configuration or the DNS, not of the
    /// resource, so it is retried.
    pub(super) fn from_transport(what: &str, error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(blocked) = error.downcast_ref::<BlockedAddress>() {
                let kind = FetchErrorKind::Retryable {
                    after: Some(LONG_DELAY),
                    down: true,
                };
                return Self::new(kind, format!("{what}: {blocked}"));
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
            None => {
                let kind = FetchErrorKind::Retryable {
                    after: None,
                    down: false,
                };
                Self::new(kind, reason)
            }
        }
    }

    fn by_code(status: u16, reason: String, hints: RetryHints) -> Self {
        let retryable = |after, down| FetchErrorKind::Retryable { after, down };
        let kind = match status {
            401 => FetchErrorKind::Unauthorized,
            403 => FetchErrorKind::Forbidden,
            404 => FetchErrorKind::NotFound,
            410 => FetchErrorKind::Gone,
            429 => FetchErrorKind::RateLimited {
                after: hints.retry_after.or(hints.reset),
            },
            // A temporary condition at the server: a timeout, a conflict, a lock.
            408 | 409 | 423 | 425 => retryable(None, false),
            // A redirect may lead to a maintenance page, or to a new base URL.
            300..=399 => {
                let reason = format!("{reason}: a redirect, which is not followed");
                return Self::new(retryable(Some(LONG_DELAY), true), reason);
            }
            400..=499 => retryable(Some(LONG_DELAY), false),
            _ => retryable(hints.retry_after.map(|after| after.min(MAX_RETRY_AFTER)), true),
        };
        Self {
            bad_request: status == 400,
            ..Self::new(kind, reason)
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
