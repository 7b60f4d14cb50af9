//! The receiver of webhooks, as the settings name it.

use std::fmt;
use std::time::Duration;

use url::Url;

use crate::avinode::signature::signer::Signer;

/// The time for one call.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// A URL, and the secrets with which its receiver verifies the sender.
pub struct NotifyTarget {
    pub url: Url,
    /// Each adds a signature, so that the receiver can change its secret.
    pub signers: Vec<Signer>,
    pub call_timeout: Duration,
}

impl NotifyTarget {
    pub fn new(url: Url, signers: Vec<Signer>) -> Self {
        Self {
            url,
            signers,
            call_timeout: CALL_TIMEOUT,
        }
    }
}

/// Without the URL, which may contain a secret.
impl fmt::Debug for NotifyTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotifyTarget")
            .field("signers", &self.signers)
            .field("call_timeout", &self.call_timeout)
            .finish_non_exhaustive()
    }
}
