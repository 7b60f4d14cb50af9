//! The settings of the console.

use clap::Args;
use hyper::header::HeaderName;

use super::http::HttpArgs;
use super::setting_error::SettingError;
use crate::domain::api_scope::ApiScope;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Console")]
pub struct ConsoleArgs {
    /// Header in which an authenticating proxy names the user of the console, such as X-Forwarded-User. It is believed from
    /// INGEST_TRUSTED_PROXIES only; the proxy must remove it from what clients send. Without it, users sign in with a token of
    /// INGEST_API_TOKENS.
    #[arg(long, env = "INGEST_CONSOLE_USER_HEADER", value_name = "HEADER", value_parser = header)]
    pub console_user_header: Option<HeaderName>,

    /// Scope of users whom the proxy names: read, write or admin.
    #[arg(long, env = "INGEST_CONSOLE_USER_SCOPE", value_name = "SCOPE", default_value = "read", value_parser = scope)]
    pub console_user_scope: ApiScope,
}

impl ConsoleArgs {
    pub(super) fn check(&self, http: &HttpArgs) -> Result<(), SettingError> {
        if self.console_user_header.is_some() && http.trusted_proxies.is_empty() {
            return Err(SettingError(
                "INGEST_CONSOLE_USER_HEADER (--console-user-header) needs INGEST_TRUSTED_PROXIES (--trusted-proxies): the header is \
                 believed from these networks only"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

fn header(text: &str) -> Result<HeaderName, &'static str> {
    text.trim().parse().map_err(|_| "is not the name of a header")
}

fn scope(text: &str) -> Result<ApiScope, &'static str> {
    text.trim().parse().map_err(|_| "is not read, write or admin")
}
