//! Runs the program in a terminal of a width, and returns what the terminal gets.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use nix::pty::{Winsize, openpty};
use textwrap::core::display_width;

use super::cluster::Db;

/// Standard output is a terminal; there are no environment variables but these, `PATH`, `TERM` and `DATABASE_URL`.
pub async fn run_in_terminal(db: &Db, columns: u16, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let size = Winsize {
        ws_row: 50,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let terminal = openpty(&size, None).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_avinode-ingest"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("TERM", "xterm")
        .env("DATABASE_URL", db.url())
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .stdout(terminal.slave);
    let read = move || {
        let mut child = command.spawn().unwrap();
        drop(command); // it holds the program's end of the terminal
        let (mut master, mut bytes) = (File::from(terminal.master), Vec::new());
        // Reading fails when nothing has the other end any more.
        let _ = master.read_to_end(&mut bytes);
        child.wait().unwrap();
        String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

/// The text without the sequences that colour it.
pub fn uncoloured(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once('m').map_or(part, |(_, rest)| rest)
    })
}

/// Lines that are wider than this. A cursor is never broken, so that it can be copied.
pub fn too_wide(text: &str, columns: u16) -> Vec<String> {
    let text = uncoloured(text);
    let lines = text.lines().filter(|line| !line.starts_with("--cursor "));
    let wide = lines.filter(|line| display_width(line) > columns.into());
    wide.map(str::to_owned).collect()
}
