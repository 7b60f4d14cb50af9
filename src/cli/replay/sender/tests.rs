use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Answers each request with the next of these, repeating the last one, and records the requests.
async fn server(answers: &'static [&'static str]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 65536];
            let mut filled = 0;
            while !request[..filled].ends_with(b"END") {
                filled += stream.read(&mut request[filled..]).await.unwrap();
            }
            let index = {
                let mut seen = record.lock().unwrap();
                seen.push(String::from_utf8_lossy(&request[..filled]).into_owned());
                seen.len() - 1
            };
            let answer = answers.get(index).or(answers.last()).unwrap();
            let answer = format!("HTTP/1.1 {answer}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, seen)
}

async fn sent(url: &str, count: usize) -> ReplaySummary {
    let deliveries = (0..count)
        .map(|number| SignedDelivery::new(number, format!("{number} END")))
        .collect();
    let plan = SendPlan {
        deliveries,
        concurrency: 2,
        rate: None,
    };
    let signer = Signer::from_settings(Some("hush"), None).unwrap().unwrap();
    send_all(&plan, url, &client(url).unwrap(), &signer, Clock::System, &|_, _| ()).await
}

#[tokio::test]
async fn every_delivery_is_sent_signed_and_its_response_counted() {
    let (url, seen) = server(&["200 OK", "200 OK", "401 Unauthorized"]).await;
    let summary = sent(&url, 3).await;
    assert!(!summary.is_clean());
    assert_eq!(summary.by_status.into_iter().collect::<Vec<_>>(), [(200, 2), (401, 1)]);
    let seen = seen.lock().unwrap();
    assert!(seen.iter().all(|request| request.starts_with("POST /hook ")));
    assert!(
        seen.iter()
            .all(|request| request.to_ascii_lowercase().contains("x-avinode-signature: ")),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_503_is_retried_after_its_retry_after_and_counted() {
    let (url, seen) = server(&["503 Service Unavailable\r\nretry-after: 0", "200 OK"]).await;
    let summary = sent(&url, 1).await;
    assert!(summary.is_clean());
    assert_eq!(summary.retried, 1);
    assert_eq!(seen.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn retries_of_a_503_end() {
    let (url, seen) = server(&["503 Service Unavailable\r\nretry-after: 0"]).await;
    let summary = sent(&url, 1).await;
    assert_eq!(summary.by_status.into_iter().collect::<Vec<_>>(), [(503, 1)]);
    assert_eq!(seen.lock().unwrap().len(), 11);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_closed_port_is_no_response() {
    let (url, seen) = server(&["307 Temporary Redirect\r\nlocation: /elsewhere"]).await;
    assert_eq!(
        sent(&url, 1).await.by_status.into_iter().collect::<Vec<_>>(),
        [(307, 1)]
    );
    assert_eq!(seen.lock().unwrap().len(), 1);

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let summary = sent(&format!("http://{closed}/"), 2).await;
    assert_eq!(summary.unsent, 2);
    assert!(summary.refusal().contains("could not be sent"), "{}", summary.refusal());
}

#[test]
fn the_rate_spaces_the_deliveries() {
    assert_eq!(send_time(0, 50.0), Duration::ZERO);
    assert_eq!(send_time(100, 50.0), Duration::from_secs(2));
}
