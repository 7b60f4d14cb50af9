//! Deliveries whose bytes name an id: no index finds them.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::postgres::transaction::Pool;
use crate::store::admin::delivery_list::{self, DeliveryFilter};
use crate::store::deliveries;

/// The most deliveries that are read for one text.
const MAX_FOUND: i64 = 50;
/// The texts that are searched, each in [`delivery_list::TEXT_WINDOW`] deliveries.
const MAX_TEXTS: usize = 4;

/// Returns those of the newest deliveries whose bodies mention one of these texts.
pub async fn naming(
    pool: &Pool,
    texts: &[String],
    mentions: impl Fn(&[u8], &str) -> bool,
) -> Result<BTreeSet<Uuid>, sqlx::Error> {
    let mut naming = BTreeSet::new();
    for text in texts.iter().take(MAX_TEXTS) {
        let filter = DeliveryFilter {
            text: Some(text.clone()),
            limit: MAX_FOUND,
            ..DeliveryFilter::default()
        };
        // The text may be a part of another id.
        let (candidates, _) = delivery_list::ids(pool, &filter).await?;
        let mut tx = pool.begin().await?;
        let bodies = deliveries::read(&mut tx, &candidates).await?;
        tx.commit().await?;
        let found = bodies.into_iter().filter(|(_, stored)| mentions(&stored.body, text));
        naming.extend(found.map(|(id, _)| id));
    }
    Ok(naming)
}
