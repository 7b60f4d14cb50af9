//! The words with which a shell calls the running program again.

use std::env;
use std::path::{Path, PathBuf};

use crate::cli::sign::quoted;

/// Returns the program as it was called; below the current folder, from there.
pub fn program() -> String {
    let called = env::args_os()
        .next()
        .map_or_else(|| "avinode-ingest".into(), PathBuf::from);
    quoted(&seen_from(&called, env::current_dir().ok().as_deref()))
}

fn seen_from(called: &Path, folder: Option<&Path>) -> String {
    match folder.and_then(|folder| called.strip_prefix(folder).ok()) {
        // A shell looks a name without a folder up in PATH.
        Some(below) if below.components().count() == 1 => format!("./{}", below.display()),
        Some(below) => below.display().to_string(),
        None => called.display().to_string(),
    }
}

#[cfg(test)]
mod tests;
