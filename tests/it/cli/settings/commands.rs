//! Settings of single commands.

use std::process::Command;

use avinode_ingest::http::router::DOCUMENT;
use serde_json::Value;

use crate::support::program::run_blocking;

#[test]
fn serve_refuses_fewer_connections_than_it_needs() {
    // An address that cannot be bound: a valid configuration fails there, before it reaches a database.
    let serve = |role, connections| {
        let variables = [
            ("AVINODE_WEBHOOK_SECRET", "a-secret-that-is-long-enough"),
            ("INGEST_LISTEN", "192.0.2.1:8080"),
            ("INGEST_WORKERS", "6"),
            ("INGEST_ROLE", role),
            ("INGEST_DATABASE_MAX_CONNECTIONS", connections),
        ];
        let output = run_blocking("serve", &variables);
        (output.code, output.stderr)
    };
    for (role, few, workers, enough) in [
        ("both", "10", 6, "11"),
        ("work", "10", 6, "11"),
        ("receive", "3", 0, "4"),
    ] {
        let (code, line) = serve(role, few);
        let problem = format!("\"{few}\" is too few for {workers} workers; at least {enough}");
        assert_eq!(
            line,
            format!("error: INGEST_DATABASE_MAX_CONNECTIONS (--database-max-connections): {problem}\n")
        );
        assert_eq!(code, Some(64));
        let (code, line) = serve(role, enough);
        assert!(
            code != Some(64) && line.contains("listen on 192.0.2.1:8080"),
            "{role}: {line}"
        );
    }
}

#[test]
fn serve_warns_of_a_short_secret_and_of_optional_encryption_and_refuses_placeholders() {
    let serve = |secret, url, tokens| {
        let variables = [
            ("AVINODE_WEBHOOK_SECRET", secret),
            ("DATABASE_URL", url),
            ("INGEST_API_TOKENS", tokens),
            ("INGEST_LISTEN", "192.0.2.1:8080"),
        ];
        let output = run_blocking("serve", &variables);
        assert!(!output.stderr.contains("hush"), "{}", output.stderr);
        (output.code, output.stderr)
    };
    let url = "postgres://u:p@database.invalid/d";
    let (_, said) = serve("hush", url, "ops:read:a-token-that-is-long-enough");
    assert!(
        said.contains("AVINODE_WEBHOOK_SECRET: entry 1 is shorter than 16 bytes"),
        "{said}"
    );
    assert!(said.contains("without sslmode"), "{said}");
    let secret = "a-secret-that-is-long-enough";
    for (secret, url, tokens, refused) in [
        ("change-me", url, "", "AVINODE_WEBHOOK_SECRET"),
        (secret, "postgres://u:change-me@database.invalid/d", "", "DATABASE_URL"),
        (
            secret,
            "postgres://u@database.invalid/d?password=change-me",
            "",
            "DATABASE_URL",
        ),
        (
            secret,
            url,
            "a:read:hush,b:write:hush",
            "entries 1 and 2 are the same token",
        ),
    ] {
        let (code, said) = serve(secret, url, tokens);
        assert!(code == Some(64) && said.contains(refused), "{code:?} {said}");
    }
}

#[test]
fn serve_refuses_to_start_without_webhook_authentication() {
    let output = run_blocking("serve --role receive", &[]);
    assert!(
        output
            .stderr
            .starts_with("error: AVINODE_WEBHOOK_SECRET (--webhook-secret) or"),
        "{}",
        output.stderr
    );
    assert_eq!(output.code, Some(64));
}

#[test]
fn settings_in_the_environment_do_not_affect_the_demo() {
    let output = run_blocking(
        "demo --fixtures /nowhere",
        &[
            ("DATABASE_URL", "nonsense"),
            ("INGEST_PRIMARY_QUOTE_POLICY", "nonsense"),
        ],
    );
    assert_ne!(output.code, Some(64), "{}", output.stderr);
}

#[test]
fn sign_prints_a_command_that_sends_the_signed_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it's a quote.json");
    std::fs::write(&file, "{\"at\":1}").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_avinode-ingest"))
        .args(["sign", "--secret", "hush"])
        .arg(&file)
        .env("INGEST_LISTEN", "0.0.0.0:9999")
        .env_remove("INGEST_URL")
        .output()
        .unwrap();
    let command = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // A shell reads the command back, with a curl that prints its arguments.
    let script = format!("curl() {{ printf '%s\\n' \"$@\"; }}; {command}");
    let words = Command::new("sh").arg("-c").arg(script).output().unwrap().stdout;
    let words = String::from_utf8(words).unwrap();
    let words: Vec<&str> = words.lines().collect();
    assert_eq!(words[..3], ["-sS", "--data-binary", &format!("@{}", file.display())]);
    assert!(words[6].starts_with("x-avinode-signature: "), "{words:?}");
    assert_eq!(words[7], "http://127.0.0.1:9999/webhooks/avinode");
}

#[test]
fn sign_leaves_no_file_behind() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_avinode-ingest"))
        .args([
            "sign",
            "--secret",
            "hush",
            "fixtures/08-chat-messages/02-from-the-seller.json",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        printed.starts_with("printf %s '{") && printed.contains("' | curl -sS --data-binary @- "),
        "{printed}"
    );
    assert!(!printed.contains("{{now"), "{printed}");
}

#[test]
fn serve_refuses_a_webhook_path_of_another_route_and_one_that_is_listed_twice() {
    let document: Value = serde_json::from_str(&DOCUMENT).unwrap();
    let routes = document["paths"].as_object().unwrap().keys();
    let others: Vec<String> = (routes.filter(|route| *route != "/webhooks/avinode"))
        .map(|route| route.replace("{id}", "7"))
        .collect();
    assert!(others.len() > 10, "{others:?}");
    for path in others.iter().map(String::as_str).chain(["/v1", "/v1/hooks"]) {
        let output = run_blocking("serve --webhook-secret hush", &[("INGEST_WEBHOOK_PATHS", path)]);
        assert_eq!(output.code, Some(64), "{path}: {}", output.stderr);
        assert!(
            output.stderr.contains(&format!("\"{path}\" is not free")),
            "{}",
            output.stderr
        );
    }
    let output = run_blocking("serve --webhook-secret hush", &[("INGEST_WEBHOOK_PATHS", "/a, /b, /a")]);
    assert_eq!(output.code, Some(64), "{}", output.stderr);
    assert!(output.stderr.contains("\"/a\" is listed twice"), "{}", output.stderr);
}

#[test]
fn replay_and_sign_without_a_secret_say_which_settings_are_missing() {
    for line in ["sign Cargo.toml", "replay Cargo.toml"] {
        let output = run_blocking(line, &[]);
        assert_eq!(output.code, Some(64), "{line}");
        assert!(output.stderr.contains("AVINODE_WEBHOOK_SECRET"), "{}", output.stderr);
    }
}

#[test]
fn docs_configuration_md_is_up_to_date() {
    let output = run_blocking("configuration", &[]);
    let written = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md"));
    assert!(
        written.unwrap_or_default() == output.stdout,
        "run: cargo run --locked -- configuration > docs/configuration.md"
    );
}
