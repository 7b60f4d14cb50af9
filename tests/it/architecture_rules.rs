//! The house rules, held by reading the code as text: which part may know which, where SQL stands, who reads the
//! environment. The compiler allows all of it, and a reviewer forgets.

use std::path::{Path, PathBuf};

/// Each part of the crate and the parts that it may import, top down. Whatever stands here may also import itself.
const MAY_IMPORT: [(&str, &str); 11] = [
    ("main", "cli telemetry"),
    (
        "cli",
        "service http sessions jobs ingest queue store avinode domain postgres config clock shutdown simulator",
    ),
    // `config` for the defaults: those of the command line are those of the service.
    (
        "service",
        "http sessions jobs ingest queue store avinode domain postgres config clock heartbeat activity_log",
    ),
    ("http", "sessions ingest avinode domain clock heartbeat activity_log"),
    ("sessions", "queue store domain postgres clock"),
    (
        "jobs",
        "ingest queue store avinode domain postgres clock heartbeat activity_log",
    ),
    ("ingest", "queue store avinode domain postgres heartbeat"),
    ("store", "domain postgres"),
    ("telemetry", "config"),
    // Settings are parsed into the types that the service uses: policies, scopes and webhook secrets.
    ("config", "domain avinode"),
    // Imported by any part, and importing none.
    ("activity_log shutdown", ""),
];

/// Each crate below the root, and the crates that its manifest may name. The compiler holds the rest.
const CRATES: [(&str, &[&str]); 5] = [
    ("domain", &[]),
    ("postgres", &[]),
    ("queue", &["postgres"]),
    ("avinode", &["domain"]),
    // For the clock only: a simulated Avinode must not agree with the service because it shares its code.
    ("simulator", &["domain"]),
];
/// Modules of these crates that the root re-exports.
const RE_EXPORTED: [(&str, &str); 2] = [("domain", "clock"), ("queue", "heartbeat")];

/// Words that may stand in some parts only.
const ONLY_IN: [(&str, &[&str], &str); 7] = [
    (
        "only `http`, and the stand-in for Avinode, name axum",
        &["axum::", "use axum", "extern crate axum"],
        "http simulator",
    ),
    (
        "SQL stands in `store`, `queue`, `ingest` and `postgres` only",
        &[
            "sqlx::query",
            "query!(",
            "query_as!(",
            "query_scalar!(",
            "query_file",
            "raw_sql(",
            "QueryBuilder",
        ],
        "store queue ingest postgres",
    ),
    (
        "only `postgres` knows connections that would send a named statement, or one outside of a transaction",
        &[
            "PgPool",
            "PgConnection",
            "PgListener",
            "sqlx::Pool",
            "sqlx::Transaction",
            "PoolConnection",
        ],
        "postgres",
    ),
    (
        "only `config` reads the environment",
        &["env::var", "env::set_var", "env::remove_var"],
        "config",
    ),
    (
        "only Avinode's client, the command line and the stand-in for Avinode call anybody over HTTP",
        &["reqwest::", "use reqwest"],
        "avinode cli simulator",
    ),
    ("only the queue knows `backoff`", &["backoff::", "use backoff"], "queue"),
    (
        "only `clock` reads the system clock",
        &["Utc::now(", "SystemTime::now(", "Local::now("],
        "clock",
    ),
];

#[test]
fn imports_run_down_only() {
    let parts: Vec<&str> = MAY_IMPORT
        .iter()
        .flat_map(|(names, _)| names.split_whitespace())
        .chain(CRATES.map(|(name, _)| name))
        .chain(RE_EXPORTED.map(|(_, module)| module))
        .collect();
    let mut wrong = Vec::new();
    for source in sources("src") {
        let part = source.part();
        if part == "lib" || source.is_of_crate() {
            continue;
        }
        let allowed = MAY_IMPORT.iter().find(|(names, _)| has(names, part));
        let Some((_, allowed)) = allowed else {
            panic!("{}: `{part}` has no place in MAY_IMPORT yet", source.name);
        };
        for imported in source.imports() {
            if parts.contains(&imported.as_str()) && imported != part && !has(allowed, &imported) {
                wrong.push(format!("{}: `{part}` may not know `{imported}`", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn crates_depend_on_crates_below_them_only() {
    for (name, allowed) in CRATES {
        let manifest = std::fs::read_to_string(root().join(format!("crates/{name}/Cargo.toml"))).unwrap();
        let named = manifest.lines().filter_map(|line| line.strip_prefix("ingest-"));
        let named: Vec<&str> = named.filter_map(|line| line.split('.').next()).collect();
        assert_eq!(named, allowed, "crates/{name}/Cargo.toml");
    }
    let folders = std::fs::read_dir(root().join("crates")).unwrap().count();
    assert_eq!(folders, CRATES.len(), "a crate is missing in CRATES");
    for source in sources("src").iter().filter(|source| source.part() == "simulator") {
        let rules = source.code.matches("ingest_domain::").count();
        let clocks = source.code.matches("ingest_domain::clock::").count();
        assert_eq!(
            rules, clocks,
            "{} shares more than the clock with the service",
            source.name
        );
    }
}

#[test]
fn some_things_stand_in_one_place_only() {
    let mut wrong = Vec::new();
    for source in sources("src").iter().filter(|source| !source.is_test()) {
        for (rule, words, allowed) in ONLY_IN {
            for word in words.iter().filter(|word| source.code.contains(**word)) {
                if !has(allowed, source.part()) {
                    wrong.push(format!("{}: {rule} ({word})", source.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn beside_its_client_the_outside_worlds_language_does_nothing() {
    let words = ["reqwest", "tokio::", "std::fs", "std::net::Tcp", "std::time::Instant"];
    for source in sources("src")
        .iter()
        .filter(|source| source.part() == "avinode" && !source.is_test())
    {
        let told = words.iter().find(|word| source.code.contains(**word));
        assert!(
            source.path().get(1) == Some(&"client") || told.is_none(),
            "{}: {told:?}",
            source.name
        );
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for folder in ["src", "tests", "benches"] {
        // A `tests.rs` is about the file beside it.
        for source in sources(folder)
            .iter()
            .filter(|source| !source.name.ends_with("/tests.rs"))
        {
            assert!(
                source.text.starts_with("//! "),
                "{} does not open with a `//!` sentence",
                source.name
            );
        }
    }
}

#[test]
fn files_that_list_modules_hold_nothing_else() {
    for source in sources("src") {
        let room = source.path().len() == 1
            && ![
                "main",
                "service",
                "clock",
                "shutdown",
                "heartbeat",
                "telemetry",
                "activity_log",
            ]
            .contains(&source.part());
        if !room {
            continue;
        }
        for line in source
            .code
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("#"))
        {
            let line_of =
                |keyword: &str| line.strip_prefix("pub ").unwrap_or(line).starts_with(keyword) && line.ends_with(';');
            let re_exported = source.part() == "lib" && line_of("use ingest_");
            assert!(
                line_of("mod ") || re_exported,
                "{}: `{line}` belongs into a file of its own",
                source.name
            );
        }
    }
}

#[test]
fn the_reader_sees_through_groups_comments_and_super() {
    let read = |name: &str, text: &str| Source::new(name.to_owned(), text.to_owned()).imports();
    assert_eq!(read("src/queue/a.rs", "use crate::{http::x, jobs};"), ["http", "jobs"]);
    assert_eq!(
        read("src/queue/a.rs", "// crate::http\nlet x = crate::jobs::y();"),
        ["jobs"]
    );
    assert_eq!(read("src/queue/a.rs", "use super::super::http;"), ["http"]);
    assert_eq!(read("src/queue.rs", "use super::http;"), ["http"]);
    assert_eq!(read("src/main.rs", "use avinode_ingest::cli;"), ["cli"]);
}

/// Whether a list of words has this one.
fn has(words: &str, word: &str) -> bool {
    words.split_whitespace().any(|each| each == word)
}

/// A file of the repository.
struct Source {
    /// Its path from the repository's root; of a crate below the root, as if it were a part of the root's.
    name: String,
    text: String,
    /// The text without comments.
    code: String,
}

impl Source {
    fn new(name: String, text: String) -> Self {
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        let code = code.collect::<Vec<_>>().join("\n");
        Self { name, text, code }
    }

    /// Its modules from the crate's root, a test's own file below what it tests.
    fn path(&self) -> Vec<&str> {
        let name = self.name.trim_start_matches("src/").trim_end_matches(".rs");
        name.split('/').collect()
    }

    /// The part of the crate it belongs to: the first module of its path.
    fn part(&self) -> &str {
        self.path()[0]
    }

    /// True for a file of a crate below the root.
    fn is_of_crate(&self) -> bool {
        CRATES.iter().any(|(name, _)| *name == self.part()) || RE_EXPORTED.iter().any(|(_, name)| *name == self.part())
    }

    fn is_test(&self) -> bool {
        self.path().contains(&"tests")
    }

    /// The parts that it names: by `crate::`, by the crate's own name, or by climbing up to the root.
    fn imports(&self) -> Vec<String> {
        let mut found = Vec::new();
        for root in ["crate::", "avinode_ingest::"] {
            for (at, _) in self.code.match_indices(root) {
                let before = self.code[..at].chars().next_back();
                if before.is_none_or(|c| !c.is_alphanumeric() && !"_$:".contains(c)) {
                    found.extend(heads(&self.code[at + root.len()..]));
                }
            }
        }
        for (at, _) in self.code.match_indices("super::") {
            let mut rest = &self.code[at..];
            let mut climbed = 0;
            while let Some(next) = rest.strip_prefix("super::") {
                (rest, climbed) = (next, climbed + 1);
            }
            if !self.code[..at].ends_with("super::") && climbed == self.path().len() {
                found.extend(heads(rest));
            }
        }
        found
    }
}

/// The first names of what follows a path: one, or each of a group.
fn heads(rest: &str) -> Vec<String> {
    let name = |text: &str| {
        let text = text.trim_start();
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let Some(group) = rest.strip_prefix('{') else {
        return vec![name(rest)];
    };
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.push(name(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files of a folder, which need not exist; with `src` also those of the crates.
fn sources(folder: &str) -> Vec<Source> {
    let (mut folders, mut files): (Vec<PathBuf>, Vec<Source>) = (vec![root().join(folder)], Vec::new());
    if folder == "src" {
        folders.extend(CRATES.map(|(name, _)| root().join(format!("crates/{name}/src"))));
    }
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                files.push(Source::new(logical(&name), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(folder != "src" || files.len() > 50, "the sources were not found");
    files
}

/// `crates/queue/src/job.rs` is `src/queue/job.rs`, and `crates/queue/src/lib.rs` is `src/queue.rs`.
fn logical(name: &str) -> String {
    let Some((package, module)) = name.strip_prefix("crates/").and_then(|rest| rest.split_once("/src/")) else {
        return name.to_owned();
    };
    let first = module.split(['/', '.']).next().unwrap_or_default();
    match first {
        "lib" => format!("src/{package}.rs"),
        _ if RE_EXPORTED.contains(&(package, first)) => format!("src/{module}"),
        _ => format!("src/{package}/{module}"),
    }
}
