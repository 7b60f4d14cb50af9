//! The programs of two releases, which `scripts/check-upgrade` builds.

use std::path::PathBuf;

use crate::crash::program::Program;
use crate::support::PATIENCE;
use crate::support::cluster::Db;

/// The program of a release.
pub struct Release {
    pub name: &'static str,
    pub file: PathBuf,
}

impl Release {
    pub fn previous() -> Self {
        Self::of("the previous program", "UPGRADE_PREVIOUS")
    }

    pub fn next() -> Self {
        Self::of("the next program", "UPGRADE_NEXT")
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the script's variables are no settings of the service"
    )]
    fn of(name: &'static str, variable: &str) -> Self {
        let file =
            std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run scripts/check-upgrade"));
        let file = PathBuf::from(file);
        assert!(file.is_file(), "{variable}: there is no file {}", file.display());
        Self { name, file }
    }

    /// Runs `migrate` and returns what it printed.
    pub async fn migrate(&self, db: &Db) -> String {
        let url = db.url();
        let mut migrate = Program::start_file(&self.file, "migrate", &[("DATABASE_URL", &url)]);
        let status = migrate.ended(PATIENCE).await;
        assert_eq!(status.code(), Some(0), "`migrate` of {}: {}", self.name, migrate.said());
        migrate.said()
    }
}
