//! The operator API that a command uses instead of the database, and its token.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use secrecy::SecretString;
use url::Url;

use super::database::{DATABASE_URL, DatabaseArgs};
use super::secret::credential;
use super::setting_error::SettingError;
use super::value_parsers::url;

/// The name of the variable.
const URL_VARIABLE: &str = "INGEST_URL";
const URL: &str = "INGEST_URL (--url)";
const TOKEN: &str = "INGEST_API_TOKEN (--api-token)";

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Operator API")]
struct Parsed {
    /// Service whose operator API the command uses instead of the database, for example http://127.0.0.1:8080. Its path is not used.
    #[arg(long, env = "INGEST_URL", value_name = "URL", value_parser = url)]
    url: Option<Url>,

    /// Token of that service with the scope read, or admin to change something.
    #[arg(long, env = "INGEST_API_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    api_token: Option<SecretString>,

    /// File with that token; it comes before the variable.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// The arguments of a command that can use the operator API.
#[derive(Debug, Clone)]
pub struct OperatorApiArgs {
    parsed: Parsed,
    /// The URL is a flag, and not a variable.
    is_explicit: bool,
}

/// The operator API of a service.
#[derive(Debug, Clone)]
pub struct OperatorApi {
    /// Without a path.
    pub url: Url,
    pub token: SecretString,
}

impl Args for OperatorApiArgs {
    fn augment_args(command: Command) -> Command {
        Parsed::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Parsed::augment_args_for_update(command)
    }
}

impl FromArgMatches for OperatorApiArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            parsed: Parsed::from_arg_matches(matches)?,
            is_explicit: matches.value_source("url") == Some(ValueSource::CommandLine),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl OperatorApiArgs {
    /// Returns the API to use; `None` if the command uses the database.
    ///
    /// # Errors
    /// The URL comes from a variable and a database is named as well; the token is missing; a value is not valid.
    pub fn api(&self, database: &DatabaseArgs) -> Result<Option<OperatorApi>, SettingError> {
        let Some(url) = &self.parsed.url else {
            return Ok(None);
        };
        let token = self.token()?;
        let names_database = database.database_url.is_some() || database.data_dir.is_some();
        let token = match (token, self.is_explicit, names_database) {
            (Some(_), false, true) => {
                return Err(SettingError(format!(
                    "{URL} and {DATABASE_URL} or INGEST_DATA_DIR (--data-dir) are both set: unset one of them, or use the API with the \
                     flag --url"
                )));
            }
            (Some(token), ..) => token,
            // The variable is also the target of `replay` and `sign`.
            (None, false, true) => return Ok(None),
            (None, ..) => {
                return Err(SettingError(format!(
                    "{TOKEN} must be set: {URL} is the operator API, which needs a token (DATABASE_URL uses the database instead)"
                )));
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SettingError::new(URL, "the URL must not contain a user or a password"));
        }
        let mut url = url.clone();
        url.set_path("");
        url.set_query(None);
        url.set_fragment(None);
        Ok(Some(OperatorApi { url, token }))
    }

    fn token(&self) -> Result<Option<SecretString>, SettingError> {
        match (&self.parsed.token_file, &self.parsed.api_token) {
            (Some(file), _) => {
                let text = std::fs::read_to_string(file);
                let text = text.map_err(|error| {
                    SettingError::new(
                        "--token-file",
                        format_args!("could not read {}: {error}", file.display()),
                    )
                })?;
                credential("--token-file", &text.into()).map(Some)
            }
            (None, Some(token)) => credential(TOKEN, token).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// Returns whether only the operator API is set, in the environment: a command that needs the database has none.
pub fn is_only_target(database: &DatabaseArgs) -> bool {
    #[expect(clippy::disallowed_methods, reason = "config is the reader of the environment")]
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    database.database_url.is_none()
        && database.data_dir.is_none()
        && is_set(URL_VARIABLE)
        && (is_set("INGEST_API_TOKEN") || is_set("INGEST_API_TOKEN_FILE"))
}
