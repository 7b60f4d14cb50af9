//! Readable errors of the server: its message and SQLSTATE.
//!
//! The driver's own text adds "at line N", a line of Postgres's source code that reads like a line of the statement. Everything in
//! `postgres` that talks to the server returns its errors through [`readable`], so no other part has to think of it.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use sqlx::Error;
use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::migrate::MigrateError;

/// An error of the server, displayed as `relation "x" does not exist (SQLSTATE 42P01)`.
#[derive(Debug)]
struct ServerError(Box<dyn DatabaseError>);

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.message())?;
        match self.0.code() {
            Some(code) => write!(f, " (SQLSTATE {code})"),
            None => Ok(()),
        }
    }
}

impl StdError for ServerError {}

impl DatabaseError for ServerError {
    fn message(&self) -> &str {
        self.0.message()
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        self.0.code()
    }

    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    fn is_transient_in_connect_phase(&self) -> bool {
        self.0.is_transient_in_connect_phase()
    }

    fn constraint(&self) -> Option<&str> {
        self.0.constraint()
    }

    fn table(&self) -> Option<&str> {
        self.0.table()
    }

    fn kind(&self) -> ErrorKind {
        self.0.kind()
    }
}

/// Gives an error of the server its readable text, and leaves any other error as it is.
pub fn readable(error: Error) -> Error {
    match error {
        Error::Database(error) if error.try_downcast_ref::<ServerError>().is_none() => {
            Error::Database(Box::new(ServerError(error)))
        }
        error => error,
    }
}

/// The same for an error of a migration.
pub fn readable_migration(error: MigrateError) -> MigrateError {
    match error {
        MigrateError::Execute(error) => MigrateError::Execute(readable(error)),
        MigrateError::ExecuteMigration(error, version) => MigrateError::ExecuteMigration(readable(error), version),
        error => error,
    }
}
