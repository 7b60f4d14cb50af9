//! The load: signed deliveries, one at a time or over many connections.

use std::time::{Duration, Instant};

use avinode_ingest::avinode::signature::signer::Signer;
use avinode_ingest::clock::Clock;
use avinode_ingest::postgres::transaction::Pool;
use avinode_ingest::store::admin;
use avinode_ingest::store::demo_data::{self, NewSession};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::numbers::percentile;
use crate::{CONNECTIONS, Result, SECRET};

pub fn body(event_id: &str, trip: &str, quote: &str) -> String {
    format!(
        r#"{{"event":"TripRequestSellerResponse","eventId":"{event_id}","timestamp":"2026-01-02T03:04:05.678Z","apiVersion":"v1.0","data":{{"type":"TripRequestSellerResponse","trip":{{"id":"{trip}","href":"https://sandbox.avinode.com/api/trips/{trip}"}},"request":{{"id":"arfq-12345678","href":"https://sandbox.avinode.com/api/rfqs/arfq-12345678","status":"quoted"}},"seller":{{"id":"seller-77","name":"Example Person","companyId":"company-42","companyName":"Northwind Jets"}},"quote":{{"id":"{quote}","href":"https://sandbox.avinode.com/api/quotes/{quote}","totalPrice":{{"amount":18500.50,"currency":"USD"}},"aircraft":{{"type":"Light Jet","model":"Example 300","tailNumber":"N000XX","capacity":7}},"schedule":{{"departureTime":"2026-03-01T09:00:00Z","arrivalTime":"2026-03-01T11:40:00Z"}}}}}}}}"#
    )
}

fn request(signer: &Signer, body: &str) -> Vec<u8> {
    let mut head = format!(
        "POST /webhooks/avinode HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in signer.sign("msg", body.as_bytes(), Clock::System.now()) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    format!("{head}\r\n{body}").into_bytes()
}

fn signer() -> Result<Signer> {
    Ok(Signer::from_settings(Some(SECRET), None)?.ok_or("no signer")?)
}

/// Sends a request on a keep-alive connection and waits for the complete response.
async fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> Result<()> {
    stream.write_all(request).await?;
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err("the connection was closed".into());
        }
        // The body is {"delivery":"…"}.
        if buffer.ends_with(b"}") {
            break;
        }
    }
    if buffer.starts_with(b"HTTP/1.1 200") {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(buffer).into())
    }
}

/// Returns the milliseconds from the first byte of a request until another database connection sees the changed session.
pub async fn latency(pool: &Pool, port: u16, count: usize) -> Result<Vec<f64>> {
    let signer = signer()?;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let (mut buffer, mut latencies) = (Vec::new(), Vec::new());
    for number in 0..count {
        let trip = format!("atrip-7{number:07}");
        let session = demo_data::session(
            pool,
            &NewSession {
                name: "measured".to_owned(),
                trip_id: Some(trip.clone()),
                has_request: true,
                status: "active".to_owned(),
                current_step: None,
                counts: [0, 0, 0],
            },
        )
        .await?;
        // Wait for the rematch of the new session, which is not measured.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let request = request(
            &signer,
            &body(&format!("evt-light-{number}"), &trip, &format!("aquote-7{number}")),
        );
        let began = Instant::now();
        exchange(&mut stream, &request, &mut buffer).await?;
        while admin::sessions(pool, &[session]).await?[0].primary_quote.is_none() {
            if began.elapsed() > Duration::from_secs(10) {
                return Err("the session did not change".into());
            }
            // Polling without a pause would take CPU time from the service.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        latencies.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(latencies)
}

/// Returns deliveries per second over all connections, and p50 and p99 of the response time in milliseconds.
pub async fn flood(port: u16, seconds: u64, round: usize) -> Result<(f64, f64, f64)> {
    let mut tasks = Vec::new();
    let began = Instant::now();
    for connection in 0..CONNECTIONS {
        tasks.push(tokio::spawn(async move {
            let signer = signer()?;
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.set_nodelay(true)?;
            let (mut buffer, mut latencies) = (Vec::new(), Vec::new());
            while began.elapsed() < Duration::from_secs(seconds) {
                let number = latencies.len();
                // A hundred quotes per trip: a busy broker, and some contention for the workers.
                let trip = format!("atrip-8{:07}", (number * CONNECTIONS + connection) / 100);
                let id = format!("{round}-{connection}-{number}");
                let request = request(&signer, &body(&format!("evt-{id}"), &trip, &format!("aquote-{id}")));
                let sent = Instant::now();
                exchange(&mut stream, &request, &mut buffer).await?;
                latencies.push(sent.elapsed().as_secs_f64() * 1000.0);
            }
            Result::Ok(latencies)
        }));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let rate = latencies.len() as f64 / began.elapsed().as_secs_f64();
    Ok((rate, percentile(&mut latencies, 50), percentile(&mut latencies, 99)))
}
