//! `sign FILE`: prints the curl command that delivers a file, signed.
//!
//! curl must send exactly the signed bytes. Where no file holds them (standard input, replaced placeholders), they are written to a
//! temporary file, which the command names.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::error::{CliError, Context};
use super::fixtures::Fixture;
use super::output::print;
use super::signing::SigningArgs;
use crate::clock::Clock;
use crate::config::target_url::TargetArgs;
use crate::stderr;

#[derive(Debug, clap::Args)]
pub struct SignArgs {
    /// File with the body to sign; - reads standard input. Placeholders such as {{now-30m}} are replaced.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    #[command(flatten)]
    pub signing: SigningArgs,

    #[command(flatten)]
    pub target: TargetArgs,
}

pub async fn run(args: &SignArgs) -> Result<(), CliError> {
    let signer = args.signing.signer()?;
    let now = Clock::System.now();
    let from_stdin = args.file.as_os_str() == "-";
    let fixture = if from_stdin {
        read_stdin()?
    } else {
        Fixture::read(&args.file).context("sign the file")?
    };
    let body = fixture.body(now).context("replace the placeholders")?;
    let path = if from_stdin || body != fixture.template {
        let path = keep(&fixture.path, &body).context("write the body to a temporary file")?;
        stderr::line(format_args!("the signed body is in {}", path.display()));
        path
    } else {
        args.file.clone()
    };
    let message_id = format!("msg_{}", Uuid::now_v7().simple());
    print(command(
        &path,
        &signer.sign(&message_id, &body, now),
        &args.target.url(),
    ))
}

fn read_stdin() -> Result<Fixture, CliError> {
    let mut template = Vec::new();
    std::io::stdin()
        .read_to_end(&mut template)
        .context("read standard input")?;
    Ok(Fixture {
        path: "stdin".into(),
        template,
    })
}

/// Writes the body to a new file with a random name, in the system's temporary directory.
fn keep(of: &Path, body: &[u8]) -> std::io::Result<PathBuf> {
    let stem = of
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mut file = tempfile::Builder::new()
        .prefix(&format!("{stem}-"))
        .suffix(".signed.json")
        .tempfile()?;
    file.write_all(body)?;
    let (_, path) = file.keep().map_err(|error| error.error)?;
    Ok(path)
}

fn command(path: &Path, headers: &[(&str, String)], url: &str) -> String {
    let mut words = vec![
        "curl".to_owned(),
        "--data-binary".to_owned(),
        quoted(&format!("@{}", path.display())),
    ];
    words.extend(["-H".to_owned(), quoted("content-type: application/json")]);
    for (name, value) in headers {
        words.extend(["-H".to_owned(), quoted(&format!("{name}: {value}"))]);
    }
    words.push(quoted(url));
    words.join(" ")
}

/// Quotes a word for a POSIX shell, where it needs quotes.
fn quoted(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !word.is_empty() && word.chars().all(harmless) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests;
