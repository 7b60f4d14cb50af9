//! What the program says about itself: completions, manual pages and its version, with the build script that finds the commit.

use std::path::Path;
use std::process::Command;

use crate::support::program::run_blocking;

#[test]
fn completions_and_manual_pages_name_the_commands() {
    for (shell, word) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef avinode-ingest"),
        ("fish", "complete -c avinode-ingest"),
    ] {
        let output = run_blocking(&format!("completions {shell}"), &[]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        assert!(
            output.stdout.contains(word) && output.stdout.contains("deliveries"),
            "{shell}"
        );
    }
    let bash = run_blocking("completions bash", &[]).stdout;
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("completions");
    std::fs::write(&script, bash).unwrap();
    assert!(Command::new("bash").arg("-n").arg(&script).status().unwrap().success());
    let page = run_blocking("man", &[]).stdout;
    assert!(
        page.contains(".TH avinode-ingest 1") && page.contains("Exit codes"),
        "{page}"
    );
    let out = folder.path().join("man");
    let pages = run_blocking(&format!("man --out {}", out.display()), &[]);
    assert_eq!(pages.code, Some(0), "{}", pages.stderr);
    for page in [
        "avinode-ingest.1",
        "avinode-ingest-jobs-summary.1",
        "avinode-ingest-tail.1",
    ] {
        assert!(out.join(page).exists(), "{page}");
    }
    assert!(!out.join("avinode-ingest-demo-worker.1").exists());
}

#[test]
fn the_version_names_commit_and_schema() {
    let said = run_blocking("--version", &[]).stdout;
    let migrations = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap();
    let versions = migrations.filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.split('_').next()?.parse::<i64>().ok()
    });
    let schema = versions.max().unwrap();
    let start = format!("avinode-ingest {} (commit ", env!("CARGO_PKG_VERSION"));
    assert!(
        said.starts_with(&start) && said.ends_with(&format!(", schema {schema})\n")),
        "{said}"
    );
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
    let output = Command::new("git")
        .args(identity)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Compiles the build script for a source in this folder, and returns what it says to cargo.
fn build_script(source: &Path, variables: &[(&str, &str)]) -> String {
    let program = source.join("build-script");
    let compiled = Command::new("rustc")
        .args(["--edition", "2024", "-o"])
        .arg(&program)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/build.rs"))
        .env("CARGO_MANIFEST_DIR", source)
        .output()
        .unwrap();
    assert!(
        compiled.status.success(),
        "{}",
        String::from_utf8_lossy(&compiled.stderr)
    );
    let mut command = Command::new(program);
    for name in ["SOURCE_DATE_EPOCH", "AVINODE_INGEST_COMMIT"] {
        command.env_remove(name);
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_build_script_knows_a_checkout_and_no_other_repository_and_watches_only_files_that_exist() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path();
    let said = build_script(source, &[]);
    assert!(
        said.contains("BUILD_COMMIT=\n") && said.contains("BUILD_EPOCH=\n"),
        "{said}"
    );
    let said = build_script(
        source,
        &[
            ("SOURCE_DATE_EPOCH", "1769817600"),
            ("AVINODE_INGEST_COMMIT", "1a2b3c4"),
        ],
    );
    assert!(
        said.contains("BUILD_COMMIT=1a2b3c4\n") && said.contains("BUILD_EPOCH=1769817600\n"),
        "{said}"
    );

    git(source, &["init", "-q"]);
    git(source, &["commit", "-q", "--allow-empty", "-m", "first"]);
    let said = build_script(source, &[]);
    let commit = git(source, &["log", "-1", "--format=%h"]);
    assert!(said.contains(&format!("BUILD_COMMIT={commit}\n")), "{said}");
    assert!(!said.contains("BUILD_EPOCH=\n"), "{said}");
    let watched: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("cargo:rerun-if-changed="))
        .collect();
    assert_eq!(watched.len(), 2, "{said}");
    assert!(source.join(watched[1]).is_file(), "{said}");

    // A tarball, unpacked in the repository of something else.
    let inner = source.join("inner");
    std::fs::create_dir(&inner).unwrap();
    let said = build_script(&inner, &[]);
    assert!(said.contains("BUILD_COMMIT=\n"), "{said}");
}
