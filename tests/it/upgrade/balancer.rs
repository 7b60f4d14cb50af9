//! HAProxy before two processes, configured as docs/deployment.md shows it.

use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::support::PATIENCE;
use crate::support::eventually::eventually;

/// The part of the configuration that the document shows, with the addresses of this run in place of the document's.
const DOCUMENT: &str = include_str!("../../../docs/deployment.md");
const SHOWN: (&str, &str) = ("```haproxy\n", "```");
/// The addresses in the document: the public one, and those of the two processes.
const ADDRESSES: [&str; 3] = ["127.0.0.1:8080", "10.0.0.11:8080", "10.0.0.12:8080"];
/// Debian keeps it in sbin, which an ordinary user's PATH may lack.
const PATH: &str = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin";

/// A running HAProxy; it ends when it is dropped.
pub struct Balancer {
    pub address: String,
    _folder: TempDir,
    _running: Child,
}

impl Balancer {
    /// Starts one on an address, before processes on these.
    pub async fn start(address: &str, processes: [&str; 2]) -> Self {
        let (_, rest) = DOCUMENT
            .split_once(SHOWN.0)
            .expect("docs/deployment.md shows a configuration");
        let (shown, _) = rest.split_once(SHOWN.1).unwrap();
        let mut configuration = shown.to_owned();
        for (shown, real) in ADDRESSES.iter().zip([address, processes[0], processes[1]]) {
            assert_eq!(configuration.matches(shown).count(), 1, "{shown} in docs/deployment.md");
            configuration = configuration.replace(shown, real);
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, configuration).unwrap();
        let running = Command::new("haproxy")
            .env("PATH", PATH)
            .args(["-db", "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("HAProxy is on this machine (scripts/need-program haproxy)");
        eventually(PATIENCE, "HAProxy answers", async || {
            let answer = reqwest::get(format!("http://{address}/readyz")).await;
            answer.is_ok_and(|answer| answer.status().as_u16() == 200)
        })
        .await;
        Self {
            address: address.to_owned(),
            _folder: folder,
            _running: running,
        }
    }
}
