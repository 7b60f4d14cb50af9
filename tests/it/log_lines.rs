//! The rules of docs/logging.md that can be read from the sources.

use std::path::{Path, PathBuf};

/// A log statement: its file, and the text between the parentheses.
struct LogLine {
    file: String,
    arguments: String,
}

impl LogLine {
    /// The fields, and the message with the arguments after it.
    fn split(&self) -> (&str, &str) {
        let at = self.arguments.find('"').expect("a message");
        self.arguments.split_at(at)
    }

    fn message(&self) -> &str {
        let (_, rest) = self.split();
        &rest[1..1 + literal_length(&rest[1..])]
    }
}

/// The length of a string literal without its quotes; `text` begins after the first one.
fn literal_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().find(|(_, c)| {
        let closes = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        closes
    });
    end.map_or(text.len(), |(at, _)| at)
}

fn log_lines() -> Vec<LogLine> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = vec![root.join("src"), root.join("crates")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let file = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            if file.contains("/tests") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.extend(calls(&text).map(|arguments| LogLine {
                    file: file.clone(),
                    arguments,
                }));
            }
        }
    }
    assert!(found.len() > 50, "the log lines were not found");
    found
}

fn calls(text: &str) -> impl Iterator<Item = String> {
    let levels = ["trace", "debug", "info", "warn", "error"];
    let starts = levels.into_iter().flat_map(|level| {
        let name = format!("tracing::{level}!(");
        let length = name.len();
        text.match_indices(&name)
            .map(move |(at, _)| at + length)
            .collect::<Vec<_>>()
    });
    starts.map(|start| arguments(&text[start..]))
}

/// The text up to the parenthesis that closes a call.
fn arguments(text: &str) -> String {
    let (mut depth, mut at) = (1, 0);
    while depth > 0 {
        let c = text[at..].chars().next().expect("a closed call");
        at += c.len_utf8();
        match c {
            '"' => at += literal_length(&text[at..]) + 1,
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
    }
    text[..at - 1].to_owned()
}

#[test]
fn log_lines_follow_the_written_rules() {
    let mut wrong = Vec::new();
    for line in log_lines() {
        let (fields, _) = line.split();
        let message = line.message();
        if fields.contains('?') {
            wrong.push(format!("{}: a field with `?` prints Rust syntax: {message}", line.file));
        }
        let names = fields.split(',').map(|field| field.trim().trim_start_matches('%'));
        if names
            .map(|field| field.split(' ').next())
            .any(|name| name == Some("error"))
        {
            wrong.push(format!(
                "{}: the cause ends the message, and is no field: {message}",
                line.file
            ));
        }
        if message.ends_with('.') {
            wrong.push(format!("{}: a full stop at the end: {message}", line.file));
        }
        if message.contains(":?}") {
            wrong.push(format!("{}: Debug in the message: {message}", line.file));
        }
        let first = message.split([' ', ':']).next().unwrap_or_default();
        let is_name = first.len() > 1 && first.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        if first.starts_with(char::is_uppercase) && !is_name && first != "Avinode" {
            wrong.push(format!("{}: the message starts with a capital: {message}", line.file));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_reader_of_log_lines_sees_strings_and_parentheses() {
    let text = r#"tracing::info!(a = f("x)"), "b \"(\" {}", g(1)); other()"#;
    assert_eq!(calls(text).collect::<Vec<_>>(), [r#"a = f("x)"), "b \"(\" {}", g(1)"#]);
}
