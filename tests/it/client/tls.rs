//! Who a server is: the real program, real certificates, and no credentials for whoever cannot prove the name.

use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::webhooks::{Ran, webhooks};
use crate::support::recorder::{ok, serve};

/// An authority of a test's own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// What a TLS server shows for a name.
    fn server(&self, name: &str) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()])
            .unwrap()
            .signed_by(&key, &self.0)
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap()
    }

    /// Runs `webhooks list` against a server that shows a certificate for `name`, by a program that trusts `trusted`.
    /// Returns what became of it and what the server could read.
    async fn list(&self, name: &str, trusted: &Self) -> (Ran, String) {
        let acceptor = TlsAcceptor::from(Arc::new(self.server(name)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let read: Arc<Mutex<Vec<u8>>> = Arc::default();
        let kept = read.clone();
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                if let Ok(stream) = acceptor.accept(stream).await {
                    let script = ok(json!({"data": []}));
                    serve(stream, &script, |bytes| kept.lock().unwrap().extend_from_slice(bytes)).await;
                }
            }
        });
        let roots = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(roots.path(), trusted.0.pem()).unwrap();
        let base = format!("https://localhost:{port}/api");
        let roots = roots.path().to_str().unwrap();
        let ran = webhooks(&base, &["list"], &[("SSL_CERT_FILE", roots)]).await;
        serving.abort();
        let read = String::from_utf8_lossy(&read.lock().unwrap()).into_owned();
        (ran, read)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_go_to_whoever_proves_the_name_and_to_nobody_else() {
    let (known, unknown) = (Authority::new(), Authority::new());
    let (ran, read) = known.list("localhost", &known).await;
    assert_eq!(ran.code, Some(0), "{}", ran.all);
    assert!(read.contains("the-bearer-hush"), "it was not sent at all: {read}");

    for (name, server, why) in [
        (
            "a stranger's certificate",
            unknown.list("localhost", &known).await,
            "invalid peer certificate",
        ),
        (
            "another name's certificate",
            known.list("avinode.example", &known).await,
            "not valid for name",
        ),
    ] {
        let (ran, read) = server;
        assert_eq!(ran.code, Some(69), "{name}: {}", ran.all);
        assert!(ran.all.contains(why), "{name}: {}", ran.all);
        assert_eq!(read, "", "{name}");
    }
}
