//! A sample of the refused requests of each second, in bounded memory: what an admin may later ask for. Nothing of a body is kept but
//! its digest and its length.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::rejection_log::Rejection;

/// The most requests that are kept until the sample is taken.
const MAX_REQUESTS: usize = 32;

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampledRejection {
    /// SHA-256 of the body; of the reason and the hour, if it was not read.
    pub digest: [u8; 32],
    pub at: DateTime<Utc>,
    pub reason: &'static str,
    /// `None` if the body was not read.
    pub length: Option<usize>,
    /// Requests with this digest.
    pub times: i64,
}

#[derive(Debug, Default)]
pub struct RejectionSample(Mutex<Vec<SampledRejection>>);

impl RejectionSample {
    /// Keeps a rejection, unless there are enough already: then it costs a look at a lock.
    pub fn offer(&self, rejection: &Rejection, at: DateTime<Utc>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_REQUESTS {
            return;
        }
        let sampled = sampled(rejection, at);
        match kept.iter_mut().find(|known| known.digest == sampled.digest) {
            Some(known) => known.times += 1,
            None => kept.push(sampled),
        }
    }

    /// Returns the sample, and begins another one.
    pub fn take(&self) -> Vec<SampledRejection> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn sampled(rejection: &Rejection, at: DateTime<Utc>) -> SampledRejection {
    let Rejection { reason, body, .. } = rejection;
    let unread = || Sha256::digest(format!("{reason}\n{}", at.format("%Y-%m-%dT%H")));
    SampledRejection {
        digest: body.as_ref().map_or_else(unread, Sha256::digest).into(),
        at,
        reason,
        length: body.as_ref().map(Bytes::len),
        times: 1,
    }
}

#[cfg(test)]
mod tests;
