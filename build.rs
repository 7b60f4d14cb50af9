//! Hands the commit and the date of the source on to `--version`. Runs again only after a commit or a checkout.
//!
//! Of a source without git, or of one that lies in the repository of something else, the commit is that of AVINODE_INGEST_COMMIT, or
//! unknown. SOURCE_DATE_EPOCH replaces the date of the commit, as reproducible builds ask for, and AVINODE_INGEST_EPOCH does the same: a change of
//! the former makes cargo compile every dependency in C again.

use std::path::Path;
use std::process::Command;

/// By a constant: the files outside of the source are no part of what an image is built from.
const RERUN: &str = "rerun-if-changed";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=AVINODE_INGEST_COMMIT");
    println!("cargo:rerun-if-env-changed=AVINODE_INGEST_EPOCH");
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let in_git = is_own_repository();
    if in_git {
        // Git adds a line to it at each commit and each checkout. A file that does not exist would make every build run this.
        for file in ["logs/HEAD", "HEAD"] {
            let path = git(&["rev-parse", "--git-path", file]).unwrap_or_default();
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
            if path.is_file() {
                println!("cargo:{RERUN}={}", path.display());
                break;
            }
        }
    }
    let from_git = |format: &str| git(&["log", "-1", &format!("--format={format}")]).filter(|_| in_git);
    let commit = variable("AVINODE_INGEST_COMMIT").or_else(|| from_git("%h"));
    let stated = variable("AVINODE_INGEST_EPOCH").or_else(|| variable("SOURCE_DATE_EPOCH"));
    let epoch = stated.or_else(|| from_git("%ct"));
    println!("cargo:rustc-env=BUILD_COMMIT={}", commit.unwrap_or_default());
    println!("cargo:rustc-env=BUILD_EPOCH={}", epoch.unwrap_or_default());
}

fn is_own_repository() -> bool {
    let root = git(&["rev-parse", "--show-toplevel"]).and_then(|root| Path::new(&root).canonicalize().ok());
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().ok();
    root.is_some() && root == own
}

/// One line of git's output; `None` without git, without a repository, and in a repository that git refuses to read.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// One word: a line end would end the instruction to cargo.
fn variable(name: &str) -> Option<String> {
    #[allow(clippy::disallowed_methods, reason = "a build has no other settings")]
    let value = std::env::var(name).ok()?;
    let word = value.trim();
    (!word.is_empty() && !word.contains(char::is_whitespace)).then(|| word.to_owned())
}
