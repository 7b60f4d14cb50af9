//! Session tracking as a Rust API: one method on [`service::SessionService`] for each operation of the application's
//! `track-chat-session`.
//!
//! This module begins the transactions, takes the locks in order (conversation, session, then the session's own rows) and
//! retries when the application holds one of them; the SQL is in `store::chat_sessions`. Its writes look like the
//! application's to the triggers: a new trip id enqueues a rematch, a new primary quote is pinned.
//!
//! ```no_run
//! # use std::time::Duration;
//! # use avinode_ingest::{clock::Clock, domain, sessions::service::SessionService};
//! use avinode_ingest::postgres::{database_url, pool};
//! use domain::chat_session::page::{PageRequest, SessionFilter};
//! use domain::chat_session::input::NewChatSession;
//!
//! # async fn example(conversation_id: uuid::Uuid, iso_agent_id: uuid::Uuid) -> Result<(), Box<dyn std::error::Error>> {
//! let address = database_url::parse("postgres://app@localhost/app")?;
//! let sessions = SessionService::new(pool::pool(address, 4, "my-app", Duration::from_secs(5)), Clock::System);
//! let new = NewChatSession { conversation_id, iso_agent_id, ..NewChatSession::default() };
//! let result = sessions.create_or_update(&new).await?;
//! println!("{} quotes received", result.session.quotes_received_count);
//!
//! let filter = SessionFilter { iso_agent_id: Some(iso_agent_id), ..SessionFilter::default() };
//! for session in sessions.list(&filter, &PageRequest::default()).await?.data {
//!     println!("{} is {}", session.id, session.status);
//! }
//! # Ok(())
//! # }
//! ```

pub mod activity;
pub mod board;
pub mod complete;
pub mod conversation_type;
pub mod create;
pub mod entry_reader;
pub mod entry_stream;
pub mod error;
pub mod live_entries;
pub mod query;
pub mod quotes;
pub mod retry;
pub mod search;
pub mod service;
pub mod trip;
pub mod validate;
