//! The demo's console: on a loopback address, with a token that is made for this run and its database.

use std::net::SocketAddr;

use rand::RngExt;
use tokio::net::TcpListener;

use super::output::note;
use crate::cli::error::{CliError, Context};
use crate::cli::output::print;
use crate::domain::api_scope::ApiScope;
use crate::http::console::router::CONSOLE_PATH;
use crate::http::v1::auth::BearerTokens;

/// The address of the console, and the token that opens it.
pub struct DemoConsole {
    address: SocketAddr,
    token: String,
}

impl DemoConsole {
    /// Listens on a free port.
    pub async fn listen() -> Result<(Self, TcpListener), CliError> {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.context("listen for the console")?;
        let console = Self {
            address: listener.local_addr().context("read the address of the console")?,
            token: format!("demo-{}", hex::encode(rand::rng().random::<[u8; 12]>())),
        };
        Ok((console, listener))
    }

    pub fn tokens(&self) -> BearerTokens {
        BearerTokens::new([("demo", ApiScope::Admin, self.token.as_str())])
    }

    /// Prints the address and the token.
    pub fn show(&self) -> Result<(), CliError> {
        note("\nthe board of the sessions, where new quotes arrive for an hour:")?;
        // To be copied: not broken.
        print(format_args!(
            "http://{}{CONSOLE_PATH} (sign in with {})",
            self.address, self.token
        ))
    }
}
