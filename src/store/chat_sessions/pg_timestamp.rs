//! A timestamp as Postgres stores it: microseconds since 2000, with infinities. The driver's own decoder overflows on an
//! infinity, which the application may have written.

use chrono::{DateTime, Utc};
use sqlx::decode::Decode;
use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef, Postgres};
use sqlx::{Type, ValueRef};

/// Seconds from 1970 to 2000.
const EPOCH: i64 = 946_684_800;

/// A `timestamptz`. NULL is read as `-infinity`, which is no time either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PgTimestamp(pub i64);

impl PgTimestamp {
    /// As a `DateTime`; `None` for the infinities and for times beyond chrono's range.
    pub fn time(self) -> Option<DateTime<Utc>> {
        if self.0 == i64::MAX || self.0 == i64::MIN {
            return None;
        }
        let seconds = self.0.div_euclid(1_000_000).checked_add(EPOCH)?;
        let nanos = u32::try_from(self.0.rem_euclid(1_000_000) * 1_000).ok()?;
        DateTime::from_timestamp(seconds, nanos)
    }
}

impl From<PgTimestamp> for Option<DateTime<Utc>> {
    fn from(timestamp: PgTimestamp) -> Self {
        timestamp.time()
    }
}

impl Type<Postgres> for PgTimestamp {
    fn type_info() -> PgTypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for PgTimestamp {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<'_, Postgres>>::encode_by_ref(&self.0, buffer)
    }
}

impl<'r> Decode<'r, Postgres> for PgTimestamp {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        if value.is_null() {
            return Ok(Self(i64::MIN));
        }
        // Eight bytes in the binary format of every statement with parameters; text would be an error here.
        let bytes: [u8; 8] = value.as_bytes()?.try_into()?;
        Ok(Self(i64::from_be_bytes(bytes)))
    }
}

#[cfg(test)]
mod tests;
