//! Session tracking as a Rust API: every operation of the application's `track-chat-session`, one method each on
//! [`service::SessionService`].
//!
//! It begins the transactions, takes the locks in order (conversation, session, then what stands under it) and gives way
//! where the application waits; the SQL is in `store::chat_sessions`. It writes as the application does, so that a trip id that it
//! sets is matched and a primary quote that it sets is pinned.
//!
//! ```no_run
//! # use std::time::Duration;
//! # use avinode_ingest::{clock::Clock, domain, postgres::pool, sessions::service::SessionService};
//! use domain::chat_session::page::{PageRequest, SessionFilter};
//! use domain::chat_session::input::NewChatSession;
//!
//! # async fn example(conversation_id: uuid::Uuid, iso_agent_id: uuid::Uuid) -> Result<(), Box<dyn std::error::Error>> {
//! let address = pool::connect_options("postgres://app@localhost/app")?;
//! let sessions = SessionService::new(pool::pool(address, 4, "my-app", Duration::from_secs(5)), Clock::System);
//! let new = NewChatSession { conversation_id, iso_agent_id, ..NewChatSession::default() };
//! let started = sessions.create_or_update(&new).await?;
//! println!("{} quotes received", started.session.quotes_received_count);
//!
//! let filter = SessionFilter { iso_agent_id: Some(iso_agent_id), ..SessionFilter::default() };
//! for session in sessions.list(&filter, &PageRequest::default()).await?.data {
//!     println!("{} is {}", session.id, session.status);
//! }
//! # Ok(())
//! # }
//! ```

pub mod activity;
pub mod complete;
pub mod create;
pub mod error;
pub mod query;
pub mod quotes;
pub mod retry;
pub mod service;
pub mod trip;
pub mod validate;
