//! The program sends credentials only to a server with a valid certificate for its name.

use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::webhooks::webhooks;
use crate::support::program::ProgramRun;
use crate::support::recorder::{ok, serve};

/// A certificate authority.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Configures a TLS server with a certificate for this name.
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

    /// Runs `webhooks list`, trusting `trusted`, against a server with a certificate for `name`. Returns the run and the text that
    /// the server received.
    async fn list(&self, name: &str, trusted: &Self) -> (ProgramRun, String) {
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
        let run = webhooks(&base, &["list"], &[("SSL_CERT_FILE", roots)]).await;
        serving.abort();
        let read = String::from_utf8_lossy(&read.lock().unwrap()).into_owned();
        (run, read)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_sent_only_to_a_server_with_a_valid_certificate_for_its_name() {
    let (known, unknown) = (Authority::new(), Authority::new());
    let (run, read) = known.list("localhost", &known).await;
    assert_eq!(run.code, Some(0), "{}", run.all());
    assert!(read.contains("the-bearer-hush"), "they were not sent: {read}");

    for (name, server, why) in [
        (
            "the certificate of an unknown authority",
            unknown.list("localhost", &known).await,
            "invalid peer certificate",
        ),
        (
            "a certificate for another name",
            known.list("avinode.example", &known).await,
            "not valid for name",
        ),
    ] {
        let (run, read) = server;
        assert_eq!(run.code, Some(69), "{name}: {}", run.all());
        assert!(run.all().contains(why), "{name}: {}", run.all());
        assert_eq!(read, "", "{name}");
    }
}
