//! The paths of the webhook endpoint: as set, because a sender may be configured with a path that this service did not choose.

use clap::Args;

use super::setting_error::SettingError;

/// The path of the webhook endpoint unless others are set.
pub const WEBHOOK_PATH: &str = "/webhooks/avinode";

/// The other routes of the service; a path below one of them is refused as well.
const OTHER_ROUTES: [&str; 4] = ["/livez", "/readyz", "/openapi.json", "/v1"];

#[derive(Debug, Clone, Args)]
pub struct WebhookPathArgs {
    /// Paths that receive deliveries, separated by commas. The first one is also where replay, sign and simulate send if their URL
    /// has no path.
    #[arg(long, env = "INGEST_WEBHOOK_PATHS", value_name = "PATHS", default_value = WEBHOOK_PATH, value_delimiter = ',',
          value_parser = webhook_path, help_heading = "Receiving")]
    pub webhook_paths: Vec<String>,
}

impl WebhookPathArgs {
    /// Returns the path to send to.
    pub fn first(&self) -> &str {
        self.webhook_paths.first().map_or(WEBHOOK_PATH, String::as_str)
    }

    /// Refuses a path that is listed twice.
    pub fn check(&self) -> Result<(), SettingError> {
        let paths = &self.webhook_paths;
        let mut repeated = (paths.iter().enumerate()).filter(|(place, path)| paths[..*place].contains(path));
        repeated.next().map_or(Ok(()), |(_, path)| {
            Err(SettingError::new(
                "INGEST_WEBHOOK_PATHS (--webhook-paths)",
                format_args!("\"{path}\" is listed twice"),
            ))
        })
    }
}

/// Parses one path. Only characters that no client or proxy rewrites, and no segment that one would remove.
fn webhook_path(text: &str) -> Result<String, String> {
    let path = text.trim();
    let plain = |segment: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        !matches!(segment, "" | "." | "..") && segment.bytes().all(allowed)
    };
    let well_formed = path
        .strip_prefix('/')
        .is_some_and(|segments| segments.split('/').all(plain));
    if !well_formed {
        return Err(
            "is not a path such as /webhooks/avinode: it begins with a slash, does not end with one, and has letters, \
             digits, hyphens, dots, underscores and tildes between single slashes"
                .to_owned(),
        );
    }
    let taken = |route: &&&str| {
        path.strip_prefix(**route)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    match OTHER_ROUTES.iter().find(taken) {
        Some(route) => Err(format!("is not free: the service has the route {route}")),
        None => Ok(path.to_owned()),
    }
}

#[cfg(test)]
mod tests;
