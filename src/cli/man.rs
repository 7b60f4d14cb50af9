//! `man`: the manual page, or a page for each command.

use std::path::PathBuf;

use clap_mangen::Man;

use super::error::{CliError, Context};
use super::output::write;

#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Directory for a page of each command. Without it the page of the program is printed.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `root`: the declaration of the command line.
pub fn run(args: &ManArgs, root: clap::Command) -> Result<(), CliError> {
    let Some(folder) = &args.out else {
        let mut page = Vec::new();
        Man::new(root).render(&mut page).context("write the manual page")?;
        return write(&page);
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(root, folder))
        .context(format_args!("write the manual pages to {}", folder.display()))
}
