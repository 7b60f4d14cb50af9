//! A TCP proxy before Postgres that cuts, delays or swallows connections.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The present treatment of connections. They are numbered in the order in which they were accepted.
#[derive(Debug, Clone, Copy, Default)]
struct Conduct {
    accepted: u64,
    /// Connections up to this number are closed.
    cut: u64,
    /// Connections up to this number stay open and forward nothing, not even their end.
    swallowed: u64,
    delay: Duration,
    refuses: bool,
}

/// A running proxy; it ends when it is dropped.
pub struct Proxy {
    host: String,
    database: String,
    conduct: watch::Sender<Conduct>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts one on a free port, before the server of these options.
    pub async fn start(server: &PgConnectOptions) -> Self {
        let upstream = server
            .get_socket()
            .unwrap()
            .join(format!(".s.PGSQL.{}", server.get_port()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (conduct, _) = watch::channel(Conduct::default());
        let shared = conduct.clone();
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let mut number = 0;
                shared.send_modify(|conduct| {
                    conduct.accepted += 1;
                    number = conduct.accepted;
                });
                if !shared.borrow().refuses {
                    tokio::spawn(connect(client, upstream.clone(), number, shared.subscribe()));
                }
            }
        });
        Self {
            host: address.to_string(),
            database: server.get_database().unwrap().to_owned(),
            conduct,
            accepting,
        }
    }

    /// Its address, as `DATABASE_URL` takes it.
    pub fn url(&self) -> String {
        format!("postgres://avinode@{}/{}?sslmode=disable", self.host, self.database)
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Closes every open connection.
    pub fn cut(&self) {
        self.conduct.send_modify(|conduct| conduct.cut = conduct.accepted);
    }

    /// Closes new connections at once, or no longer.
    pub fn refuse(&self, refuses: bool) {
        self.conduct.send_modify(|conduct| conduct.refuses = refuses);
    }

    /// Forwards nothing more of the open connections; new ones work.
    pub fn swallow(&self) {
        self.conduct.send_modify(|conduct| conduct.swallowed = conduct.accepted);
    }

    /// Forwards each piece this much later.
    pub fn delay(&self, delay: Duration) {
        self.conduct.send_modify(|conduct| conduct.delay = delay);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn connect(client: TcpStream, upstream: PathBuf, number: u64, conduct: watch::Receiver<Conduct>) {
    let Ok(server) = UnixStream::connect(upstream).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(
        forward(from_client, to_server, number, conduct.clone()),
        forward(from_server, to_client, number, conduct)
    );
}

async fn forward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    number: u64,
    mut conduct: watch::Receiver<Conduct>,
) {
    let mut cut = conduct.clone();
    let mut buffer = vec![0; 16 * 1024];
    let forwarding = async {
        loop {
            let read = from.read(&mut buffer).await.unwrap_or(0);
            let Conduct { swallowed, delay, .. } = *conduct.borrow_and_update();
            if number <= swallowed {
                std::future::pending::<()>().await;
            }
            if read == 0 {
                break;
            }
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            if to.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::select! {
        () = forwarding => {}
        _ = cut.wait_for(|conduct| number <= conduct.cut) => {}
    }
}
