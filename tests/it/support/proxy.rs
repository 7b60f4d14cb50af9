//! A TCP proxy before the tests' cluster, which can become silent on its connections without closing them.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::cluster::Db;

/// A running proxy; its connections end with it.
pub struct Proxy {
    database: String,
    port: u16,
    /// Connections of an older generation are silent.
    generation: Arc<watch::Sender<u64>>,
    _running: JoinSet<()>,
}

impl Proxy {
    /// Starts one before the cluster of `db`.
    pub async fn start(db: &Db) -> Self {
        let socket = format!(
            "{}/.s.PGSQL.{}",
            db.options.get_socket().unwrap().display(),
            db.options.get_port()
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let generation = Arc::new(watch::Sender::new(0));
        let mut running = JoinSet::new();
        running.spawn(accept(listener, PathBuf::from(socket), generation.clone()));
        Self {
            database: db.options.get_database().unwrap().to_owned(),
            port,
            generation,
            _running: running,
        }
    }

    /// Its address, as `DATABASE_URL` takes it.
    pub fn url(&self) -> String {
        format!(
            "postgres://avinode@127.0.0.1:{}/{}?sslmode=disable",
            self.port, self.database
        )
    }

    /// Swallows from now on all that the present connections send and receive. New ones work.
    pub fn swallow(&self) {
        self.generation.send_modify(|generation| *generation += 1);
    }
}

async fn accept(listener: TcpListener, socket: PathBuf, generation: Arc<watch::Sender<u64>>) {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let server = UnixStream::connect(&socket).await.unwrap();
        let mut silent = generation.subscribe();
        let own = *silent.borrow_and_update();
        connections.spawn(async move {
            let (client, server) = (client.into_split(), server.into_split());
            let relayed = async {
                tokio::select! {
                    () = relay(client.0, server.1) => {}
                    () = relay(server.0, client.1) => {}
                }
            };
            tokio::pin!(relayed);
            tokio::select! {
                () = &mut relayed => return,
                _ = silent.wait_for(|generation| *generation > own) => {}
            }
            // Both sockets stay open, and nothing is read from them.
            std::future::pending::<()>().await;
        });
    }
}

async fn relay(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
