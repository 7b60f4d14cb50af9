//! Sends spans to an OpenTelemetry collector, by OTLP over HTTP. The standard variables (`OTEL_…`) set headers, limits, sampling and
//! the name of the service.

use async_trait::async_trait;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use reqwest::{Client, redirect};
use tokio::runtime::Handle;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::registry::LookupSpan;

use crate::trace_context;

const SERVICE_NAME: &str = "avinode-ingest";
/// Appended to the endpoint, as the variable `OTEL_EXPORTER_OTLP_ENDPOINT` demands.
const TRACES_PATH: &str = "v1/traces";

/// The export does not start.
#[derive(Debug, thiserror::Error)]
#[error("cannot export spans: {0}; check OTEL_EXPORTER_OTLP_ENDPOINT")]
pub struct SpanExportError(String);

/// A running export. Dropped, it sends the spans that wait, for at most five seconds.
#[derive(Debug)]
pub struct SpanExport(SdkTracerProvider);

impl SpanExport {
    /// Starts the export to a collector; its calls run on `runtime`.
    pub fn start(endpoint: &str, runtime: &Handle) -> Result<Self, SpanExportError> {
        let failed = |error: &dyn std::error::Error| SpanExportError(error.to_string());
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(ExportClient::new(endpoint, runtime).map_err(|error| failed(&error))?)
            .with_endpoint(format!("{}/{TRACES_PATH}", endpoint.trim_end_matches('/')))
            .build()
            .map_err(|error| failed(&error))?;
        // Read from the environment, unless it names no service.
        let resource = Resource::builder().build();
        let is_named = resource
            .get(&"service.name".into())
            .is_some_and(|name| !name.as_str().starts_with("unknown_service"));
        let resource = match is_named {
            true => resource,
            false => Resource::builder().with_service_name(SERVICE_NAME).build(),
        };
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .build();
        trace_context::install(continue_trace);
        Ok(Self(provider))
    }

    /// The layer that turns the spans of the log into exported ones.
    pub(super) fn layer<S>(&self) -> OpenTelemetryLayer<S, SdkTracer>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(SERVICE_NAME))
            .with_location(false)
            .with_threads(false)
    }
}

impl Drop for SpanExport {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!("the last spans were not exported: {error}");
        }
    }
}

fn continue_trace(span: &Span, traceparent: &str) {
    let headers = std::collections::HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    // Fails if the span is disabled or has begun in the exporter's eyes; it then stays a root.
    let _ = span.set_parent(TraceContextPropagator::new().extract(&headers));
}

/// Sends from the runtime of the service: the exporter calls from a thread of its own.
#[derive(Debug)]
struct ExportClient {
    client: Client,
    runtime: Handle,
}

impl ExportClient {
    fn new(endpoint: &str, runtime: &Handle) -> Result<Self, reqwest::Error> {
        // Installed once per process; later calls fail, and the same provider is there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder().no_proxy().redirect(redirect::Policy::none());
        if endpoint.starts_with("http:") {
            // Without this, a machine without root certificates could not build a client, although none are needed here.
            client = client.tls_certs_only([]);
        }
        Ok(Self {
            client: client.build()?,
            runtime: runtime.clone(),
        })
    }
}

#[async_trait]
impl HttpClient for ExportClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sending = self.runtime.spawn(async move {
            let response = client.execute(request.try_into()?).await?;
            let status = response.status();
            Ok::<_, reqwest::Error>((status, response.bytes().await?))
        });
        let (status, body) = sending.await??;
        Ok(Response::builder().status(status).body(body)?)
    }
}
