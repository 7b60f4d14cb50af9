//! What the limiter is told of a call, and what people are told of the limiter: each thing once.

use super::FetchHandler;
use crate::queue::claim_by_key::KeyBatch;
use crate::queue::limit::{Heard, Left, News, Verdict};

impl FetchHandler {
    /// Tells the limiter, where that may change anything. A failure to do so costs a little caution and no job. Returns whether
    /// credentials were refused already when it heard of this call, or nobody could tell.
    pub(super) async fn tell(&self, group: &KeyBatch, verdict: Verdict, left: Left) -> bool {
        if verdict == Verdict::Well && !group.slot.watched && !left.is_low() {
            return false;
        }
        let heard = self.limiter.hear(&self.applier.pool, &verdict, left).await;
        let Heard { news, was_stopped } = match heard {
            Ok(heard) => heard,
            Err(error) => {
                tracing::warn!(%error, "the limiter could not be told of a call");
                return true;
            }
        };
        match news {
            Some(News::Stopped(because)) => tracing::error!(
                because,
                "Avinode refuses our credentials: fetching has stopped; it is tried again slowly, or with other credentials"
            ),
            Some(News::Resumed) => tracing::info!("Avinode takes our credentials again: fetching goes on"),
            Some(News::Opened(pause)) => {
                tracing::warn!(
                    ?pause,
                    "Avinode does not answer as it should: fetching pauses and then probes"
                );
            }
            Some(News::Closed) => tracing::info!("Avinode answers again: fetching goes on"),
            Some(News::Paused(pause)) => tracing::warn!(?pause, "Avinode limits our calls: fetching pauses"),
            None => {}
        }
        was_stopped
    }
}
