//! The encoding of a database. Deliveries, and ids and texts made from them, are UTF-8: another encoding refuses or garbles some of
//! them, and which ones is seen only when they arrive.

/// The clause of CREATE DATABASE for a database of ours. `template0` and the locale `C`, because any other template or locale
/// may exclude UTF-8.
pub(crate) const CREATE_OPTIONS: &str = "TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'";

/// SQL for the encoding of the database that a connection is in.
pub(crate) const SERVER_ENCODING: &str = "current_setting('server_encoding')";

/// The database is not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the encoding of the database is {encoding}, and UTF-8 is needed: create a database WITH TEMPLATE template0 ENCODING \
     'UTF8', restore a pg_dump of the application's data into it if there is any, and set DATABASE_URL to it"
)]
pub struct UnsupportedEncoding {
    /// Its name on the server, such as `SQL_ASCII`.
    pub encoding: String,
}

/// Accepts UTF-8 only.
pub(crate) fn require_utf8(encoding: String) -> Result<(), UnsupportedEncoding> {
    match encoding.as_str() {
        "UTF8" => Ok(()),
        _ => Err(UnsupportedEncoding { encoding }),
    }
}
