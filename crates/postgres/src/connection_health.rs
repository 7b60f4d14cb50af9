//! The state of a connection in use, shared with the transaction on it and its savepoints.

use std::sync::{Mutex, PoisonError};

use sqlx::Error;

use super::limits::is_no_answer;
use super::server_error::readable;
use super::sqlstate::{is_connection_lost, is_read_only};

/// Decides what becomes of a connection that is given back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum ConnectionState {
    #[default]
    Usable,
    /// Broken, or in an unknown state.
    Lost,
    /// No answer in time: its server process may still work.
    Silent,
    /// Leads to a demoted server.
    ReadOnly,
}

#[derive(Debug, Default)]
pub(super) struct ConnectionHealth(Mutex<ConnectionState>);

impl ConnectionHealth {
    pub(super) fn state(&self) -> ConnectionState {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers an error after which the connection is not used again, and makes it readable.
    pub(super) fn examine(&self, error: Error) -> Error {
        if is_no_answer(&error) {
            self.become_state(ConnectionState::Silent);
        } else if is_read_only(&error) {
            self.become_state(ConnectionState::ReadOnly);
        } else if is_connection_lost(&error) {
            self.lose();
        }
        readable(error)
    }

    /// The connection is not used again.
    pub(super) fn lose(&self) {
        self.become_state(ConnectionState::Lost);
    }

    fn become_state(&self, state: ConnectionState) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The first cause tells more than what followed from it, but a silent server process must be ended.
        if *current == ConnectionState::Usable || state == ConnectionState::Silent {
            *current = state;
        }
    }
}
