//! Rules that the compiler does not check, held by reading the code as text: imports, places of SQL, readers of the
//! environment. The compiler allows all of it, and a reviewer forgets.

mod sleeps;
mod source;

use source::{root, sources};

/// Each part of the crate and the parts that it may import, top down. Each part may also import itself.
const MAY_IMPORT: [(&str, &str); 15] = [
    ("main", "cli telemetry stderr"),
    (
        "cli",
        "service http admin alerts sessions jobs notify ingest queue store avinode domain postgres config clock shutdown stderr telemetry simulator",
    ),
    // `config` for the defaults: those of the command line are those of the service.
    (
        "service",
        "http admin alerts sessions jobs notify ingest queue store avinode domain postgres config clock heartbeat activity_log",
    ),
    // `queue` and `store` for the types of their rows: `http` has no connections.
    (
        "http",
        "admin sessions ingest queue store avinode domain clock heartbeat activity_log trace_context",
    ),
    // Reads and actions of operators, for the command line, the API and the workers.
    ("admin", "alerts jobs queue store avinode domain postgres clock"),
    ("alerts", "jobs queue store avinode domain postgres clock"),
    ("sessions", "queue store domain postgres clock"),
    (
        "jobs",
        "notify ingest queue store avinode domain postgres clock heartbeat activity_log trace_context",
    ),
    ("notify", "avinode domain"),
    ("ingest", "queue store avinode domain postgres heartbeat activity_log"),
    ("store", "domain postgres"),
    ("telemetry", "config stderr trace_context"),
    // Settings are parsed into the types that the service uses: policies, scopes, webhook secrets and receivers.
    ("config", "domain avinode notify stderr"),
    // Imported by any part, and importing none.
    ("activity_log stderr trace_context", ""),
    ("shutdown", "stderr"),
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
const ONLY_IN: [(&str, &[&str], &str); 10] = [
    (
        "only `http`, and the stand-in for Avinode, name axum",
        &["axum::", "use axum", "extern crate axum"],
        "http simulator",
    ),
    (
        "SQL is in `store`, `queue`, `ingest` and `postgres` only",
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
        "only `postgres` begins transactions, all at READ COMMITTED",
        &["\"BEGIN", "ISOLATION LEVEL", "default_transaction_isolation"],
        "postgres",
    ),
    (
        "only `config` reads the environment",
        &["env::var", "env::set_var", "env::remove_var"],
        "config",
    ),
    (
        "only Avinode's client, alerts, the sender of webhooks, the export of spans, the command line and the stand-in for Avinode call anybody over HTTP",
        &["reqwest::", "use reqwest"],
        "avinode alerts notify telemetry cli simulator",
    ),
    (
        "only alerts send e-mail; their settings are addresses",
        &["lettre::", "use lettre"],
        "alerts config",
    ),
    (
        "only `service` sends messages to the service manager",
        &["sd_notify::", "use sd_notify"],
        "service",
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

/// It gives the programs that it starts a few of our variables, and reads none.
const PASSES_ENVIRONMENT_ON: &str = "src/postgres/child_environment.rs";

#[test]
fn sql_axum_the_clock_and_the_environment_are_used_in_their_own_parts_only() {
    let mut wrong = Vec::new();
    for source in sources("src").iter().filter(|source| !source.is_test()) {
        for (rule, words, allowed) in ONLY_IN {
            for word in words.iter().filter(|word| source.code.contains(**word)) {
                let passes_on = source.name == PASSES_ENVIRONMENT_ON && word.starts_with("env::");
                if !has(allowed, source.part()) && !passes_on {
                    wrong.push(format!("{}: {rule} ({word})", source.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_avinode_wire_format_does_no_io_outside_of_its_client() {
    let words = ["reqwest", "tokio::", "std::fs", "std::net::Tcp", "std::time::Instant"];
    for source in sources("src")
        .iter()
        .filter(|source| source.part() == "avinode" && !source.is_test())
    {
        let found = words.iter().find(|word| source.code.contains(**word));
        assert!(
            source.path().get(1) == Some(&"client") || found.is_none(),
            "{}: {found:?}",
            source.name
        );
    }
}

#[test]
fn every_file_opens_with_a_sentence_about_its_purpose() {
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
                "stderr",
                "heartbeat",
                "telemetry",
                "activity_log",
                "trace_context",
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

/// Returns whether a list of words contains this one.
fn has(words: &str, word: &str) -> bool {
    words.split_whitespace().any(|each| each == word)
}
