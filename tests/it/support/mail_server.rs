//! A small SMTP server that keeps every message.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A received message.
#[derive(Debug, Clone, Default)]
pub struct ReceivedMail {
    pub from: String,
    pub to: Vec<String>,
    /// Headers and body.
    pub content: String,
}

/// The server.
pub struct MailServer {
    pub address: SocketAddr,
    mails: Arc<Mutex<Vec<ReceivedMail>>>,
}

impl MailServer {
    /// Starts it on a free port; it ends with the test's runtime.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mails: Arc<Mutex<Vec<ReceivedMail>>> = Arc::default();
        let kept = mails.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, kept.clone()));
            }
        });
        Self { address, mails }
    }

    pub fn mails(&self) -> Vec<ReceivedMail> {
        self.mails.lock().unwrap().clone()
    }
}

/// Answers the commands of RFC 5321 that a client without extensions sends.
async fn serve(stream: TcpStream, mails: Arc<Mutex<Vec<ReceivedMail>>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut mail = ReceivedMail::default();
    stream.write_all(b"220 mail.test ESMTP\r\n").await.ok()?;
    loop {
        let line = line(&mut stream).await?;
        let command = line.to_ascii_uppercase();
        let answer = if command.starts_with("MAIL FROM:") {
            mail.from = address(&line);
            "250 ok"
        } else if command.starts_with("RCPT TO:") {
            mail.to.push(address(&line));
            "250 ok"
        } else if command.starts_with("DATA") {
            stream.write_all(b"354 go on\r\n").await.ok()?;
            loop {
                let line = self::line(&mut stream).await?;
                if line == "." {
                    break;
                }
                mail.content.push_str(&format!("{line}\n"));
            }
            mails.lock().unwrap().push(std::mem::take(&mut mail));
            "250 kept"
        } else if command.starts_with("QUIT") {
            stream.write_all(b"221 bye\r\n").await.ok()?;
            return None;
        } else {
            "250 ok"
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
}

async fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The text between the angle brackets.
fn address(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.unwrap_or_else(|| panic!("{line}")).0.to_owned()
}
