//! The load: signed deliveries over connections that stay open.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use avinode_ingest::avinode::signature::signer::Signer;
use avinode_ingest::clock::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Result;
use crate::backlog::event;
use crate::samples::Samples;
use crate::serve::SECRET;

/// Signs bodies, and makes requests of them.
pub struct Requests {
    signer: Signer,
}

impl Requests {
    pub fn new() -> Result<Self> {
        let signer = Signer::from_settings(Some(SECRET), None)?.ok_or("no signer")?;
        Ok(Self { signer })
    }

    pub fn of(&self, body: &str) -> Vec<u8> {
        let mut head = format!(
            "POST /webhooks/avinode HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in self.signer.sign("msg", body.as_bytes(), Clock::System.now()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        format!("{head}\r\n{body}").into_bytes()
    }
}

/// True if a response is complete. Its body is `{"delivery":"…"}`, the only brace at its end.
pub fn is_complete(response: &[u8]) -> bool {
    response.ends_with(b"}")
}

/// Refuses every response but 200.
pub fn accepted(response: &[u8]) -> Result<()> {
    match response.starts_with(b"HTTP/1.1 200") {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(response).into()),
    }
}

/// The result of a closed-loop load: each connection sends the next delivery when the last one is answered.
pub struct Flood {
    pub sent: usize,
    pub rate: f64,
    /// The time until the answer, in milliseconds.
    pub latencies: Samples,
}

/// Sends deliveries over `connections` for some seconds. `first` is the number of the first event.
pub async fn flood(port: u16, connections: usize, seconds: u64, trips: usize, first: usize) -> Result<Flood> {
    let next = Arc::new(AtomicUsize::new(first));
    let began = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|_| {
            tokio::spawn(send_until(
                port,
                began + Duration::from_secs(seconds),
                trips,
                next.clone(),
            ))
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    Ok(Flood {
        sent: latencies.len(),
        rate: latencies.len() as f64 / began.elapsed().as_secs_f64(),
        latencies: latencies.into_iter().collect(),
    })
}

async fn send_until(port: u16, end: Instant, trips: usize, next: Arc<AtomicUsize>) -> Result<Vec<f64>> {
    let requests = Requests::new()?;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let (mut response, mut latencies) = (Vec::new(), Vec::new());
    while Instant::now() < end {
        let request = requests.of(&event(next.fetch_add(1, Ordering::Relaxed), trips));
        let sent = Instant::now();
        stream.write_all(&request).await?;
        response.clear();
        while !is_complete(&response) {
            if stream.read_buf(&mut response).await? == 0 {
                return Err("the connection was closed".into());
            }
        }
        latencies.push(sent.elapsed().as_secs_f64() * 1000.0);
        accepted(&response)?;
    }
    Ok(latencies)
}
