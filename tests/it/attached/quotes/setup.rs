//! The sessions of the attached database.

use uuid::Uuid;

/// The application's session with this number.
pub fn application_session(number: u128) -> Uuid {
    Uuid::from_u128(0x0600_0000_0000_4000_8000_0000_0000_0000 + number)
}
