//! A server on loopback that keeps every byte it is sent and answers by script: what arrived is what a test asks.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

/// A part of an answer.
#[derive(Debug, Clone)]
pub enum Part {
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes again and again until the client is gone, with this pause between them.
    Endless(Vec<u8>, Duration),
    /// Nothing more, with the connection open.
    Silence,
}

/// The answer to each request, independent of the request.
pub type Script = Vec<Part>;

/// A whole answer with a status line's rest, further header lines and a body.
pub fn answer(status: &str, headers: &[&str], body: &[u8]) -> Script {
    let mut lines = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for header in headers {
        lines += &format!("{header}\r\n");
    }
    vec![Part::Bytes([lines.as_bytes(), b"\r\n", body].concat())]
}

/// A 200 with this body.
pub fn ok(body: impl std::fmt::Display) -> Script {
    answer(
        "200 OK",
        &["content-type: application/json"],
        body.to_string().as_bytes(),
    )
}

/// The server.
pub struct Recorder {
    /// Its address.
    pub address: SocketAddr,
    connections: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Recorder {
    /// Listens on a free port, and answers the requests with the scripts in turn, the last one for ever.
    pub async fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let kept = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = {
                    let mut all = kept.lock().unwrap();
                    all.push(Vec::new());
                    all.len() - 1
                };
                let script = scripts.get(number).or(scripts.last()).cloned().unwrap_or_default();
                let kept = kept.clone();
                tokio::spawn(async move {
                    serve(stream, &script, |bytes| {
                        kept.lock().unwrap()[number].extend_from_slice(bytes);
                    })
                    .await;
                });
            }
        });
        Self { address, connections }
    }

    /// One that answers everything alike.
    pub async fn answering(script: Script) -> Self {
        Self::start(vec![script]).await
    }

    /// The base URL of an API here.
    pub fn base(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// The bytes that each connection sent.
    pub fn connections(&self) -> Vec<String> {
        let all = self.connections.lock().unwrap();
        all.iter()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .collect()
    }

    /// Everything that came, in one text.
    pub fn everything(&self) -> String {
        self.connections().concat()
    }
}

/// Reads one request, keeps its bytes and answers it.
pub async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, script: &Script, mut keep: impl FnMut(&[u8])) {
    let mut request = Vec::new();
    let mut piece = [0; 8192];
    while !whole(&request) {
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(read) => {
                keep(&piece[..read]);
                request.extend_from_slice(&piece[..read]);
            }
        }
    }
    for part in script {
        let sent = match part {
            Part::Bytes(bytes) => stream.write_all(bytes).await,
            Part::Endless(bytes, pause) => loop {
                if let Err(gone) = stream.write_all(bytes).await {
                    break Err(gone);
                }
                // The server is slow on purpose.
                tokio::time::sleep(*pause).await;
            },
            Part::Silence => std::future::pending().await,
        };
        if sent.is_err() {
            return;
        }
    }
    let _ = stream.shutdown().await;
}

/// Returns whether a request is complete: its headers, and the body that they announce.
fn whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((headers, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = headers.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().unwrap())
    });
    body.len() >= length.unwrap_or(0)
}
