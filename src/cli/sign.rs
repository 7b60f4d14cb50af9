//! `sign FILE`: prints the curl command that delivers a file, signed.
//!
//! curl must send exactly the signed bytes. Where no file holds them (standard input, replaced placeholders), the command holds them
//! itself, so that it works in a pipe and leaves no file behind.

use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::error::{CliError, Context};
use super::fixtures::Fixture;
use super::output::print;
use super::signing::SigningArgs;
use crate::clock::Clock;
use crate::config::target_url::TargetArgs;
use crate::domain::terminal_text::is_unsafe;

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
    let source = if from_stdin || body != fixture.template {
        BodySource::Bytes(&body)
    } else {
        BodySource::File(&args.file)
    };
    let message_id = format!("msg_{}", Uuid::now_v7().simple());
    print(command(
        source,
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

/// The place from which curl takes the body.
#[derive(Debug, Clone, Copy)]
enum BodySource<'a> {
    File(&'a Path),
    /// In the command, for curl's standard input: that of the shell may be the command itself.
    Bytes(&'a [u8]),
}

fn command(source: BodySource<'_>, headers: &[(&str, String)], url: &str) -> String {
    let (before, data) = match source {
        BodySource::File(path) => (String::new(), format!("@{}", path.display())),
        BodySource::Bytes(body) => (format!("{} | ", written(body)), "@-".to_owned()),
    };
    let mut words = vec![
        "curl".to_owned(),
        "-sS".to_owned(),
        "--data-binary".to_owned(),
        quoted(&data),
    ];
    words.extend(["-H".to_owned(), quoted("content-type: application/json")]);
    for (name, value) in headers {
        words.extend(["-H".to_owned(), quoted(&format!("{name}: {value}"))]);
    }
    words.push(quoted(url));
    format!("{before}{}", words.join(" "))
}

/// A command that writes these bytes. What a terminal or a shell would not show or take as it is, is encoded.
fn written(body: &[u8]) -> String {
    let is_plain = |c: char| c == '\n' || c == '\t' || !is_unsafe(c);
    match std::str::from_utf8(body) {
        Ok(text) if text.chars().all(is_plain) => format!("printf %s {}", quoted(text)),
        _ => format!("printf %s {} | base64 -d", STANDARD.encode(body)),
    }
}

/// Quotes a word for a POSIX shell, where it needs quotes.
pub fn quoted(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !word.is_empty() && word.chars().all(harmless) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests;
