//! The files that pages load, embedded in the program. Nothing is loaded from another origin, and nothing is built.
//!
//! `htmx.min.js` is htmx 2.0.11, and `sse.min.js` htmx-ext-sse 2.2.4, both from npm, unchanged, under the licence 0BSD. A test compares
//! their digests. To renew one: `npm pack htmx.org@2`, copy `dist/htmx.min.js`, and state version and digest here.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE};
use sha2::{Digest, Sha256};

use crate::http::problem::Problem;

/// SHA-256 of htmx 2.0.11.
#[cfg(test)]
const HTMX: &str = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717";
/// SHA-256 of htmx-ext-sse 2.2.4.
#[cfg(test)]
const SSE: &str = "98a46496de0c3605fbffdce9167ba427bdd9553184f83f149c261891a92c0136";

/// An embedded file.
struct EmbeddedFile {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

impl EmbeddedFile {
    const fn new(name: &'static str, content_type: &'static str, bytes: &'static [u8]) -> Self {
        Self {
            name,
            content_type,
            bytes,
        }
    }
}

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

static FILES: [EmbeddedFile; 5] = [
    EmbeddedFile::new("console.css", STYLE, include_bytes!("assets/console.css")),
    EmbeddedFile::new("console.js", SCRIPT, include_bytes!("assets/console.js")),
    EmbeddedFile::new("htmx.min.js", SCRIPT, include_bytes!("assets/htmx.min.js")),
    EmbeddedFile::new("sse.min.js", SCRIPT, include_bytes!("assets/sse.min.js")),
    EmbeddedFile::new("icon.svg", "image/svg+xml", include_bytes!("assets/icon.svg")),
];

/// The beginning of the digest of all files: a new version of the program has other paths, so that browsers may keep a file for ever.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut digest = Sha256::new();
    FILES.iter().for_each(|file| digest.update(file.bytes));
    hex::encode(&digest.finalize()[..6])
});

/// Returns the path of a file.
pub fn path(name: &str) -> String {
    format!("/console/assets/{}/{name}", *VERSION)
}

/// `GET /console/assets/{version}/{name}`: public, because the page for signing in needs them.
pub async fn get(Path((version, name)): Path<(String, String)>) -> Response {
    match FILES.iter().find(|file| file.name == name) {
        Some(file) if version == *VERSION => {
            let headers = [
                (CONTENT_TYPE, file.content_type),
                (CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ];
            (headers, file.bytes).into_response()
        }
        _ => Problem::NotFound.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendored_files_have_the_stated_digests() {
        for (name, stated) in [("htmx.min.js", HTMX), ("sse.min.js", SSE)] {
            let file = FILES.iter().find(|file| file.name == name).unwrap();
            assert_eq!(hex::encode(Sha256::digest(file.bytes)), stated, "{name}");
        }
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for file in FILES.iter().filter(|file| file.name != "icon.svg") {
            let text = std::str::from_utf8(file.bytes).unwrap();
            assert!(
                !text.contains("@import") && !text.contains("src=\"http"),
                "{}",
                file.name
            );
        }
    }
}
