//! The sources as text, and the names that they import.

use std::path::{Path, PathBuf};

use super::{CRATES, RE_EXPORTED};

#[test]
fn imports_are_found_in_groups_and_behind_super_and_not_in_comments() {
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

/// A file of the repository.
pub struct Source {
    /// Its path from the repository's root; of a crate below the root, as if it were a part of the root's.
    pub name: String,
    pub text: String,
    /// The text without comments.
    pub code: String,
}

impl Source {
    fn new(name: String, text: String) -> Self {
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        let code = code.collect::<Vec<_>>().join("\n");
        Self { name, text, code }
    }

    /// Its modules from the crate's root, a test's own file below what it tests.
    pub fn path(&self) -> Vec<&str> {
        let name = self.name.trim_start_matches("src/").trim_end_matches(".rs");
        name.split('/').collect()
    }

    /// The part of the crate it belongs to: the first module of its path.
    pub fn part(&self) -> &str {
        self.path()[0]
    }

    /// True for a file of a crate below the root.
    pub fn is_of_crate(&self) -> bool {
        CRATES.iter().any(|(name, _)| *name == self.part()) || RE_EXPORTED.iter().any(|(_, name)| *name == self.part())
    }

    pub fn is_test(&self) -> bool {
        self.path().contains(&"tests")
    }

    /// The parts that it names: by `crate::`, by the crate's own name, or by climbing up to the root.
    pub fn imports(&self) -> Vec<String> {
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

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files of a folder, which need not exist; with `src` also those of the crates.
pub fn sources(folder: &str) -> Vec<Source> {
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
