//! The OpenAPI document: committed, complete and correct.

use std::collections::BTreeSet;

use avinode_ingest::domain::api_scope::ApiScope;
use avinode_ingest::http::router::DOCUMENT;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ADMIN, Api, ApiResponse, READ, auth_matrix, send};

const COMMITTED: &str = include_str!("../../../openapi.json");

#[test]
fn the_committed_document_is_that_of_the_code() {
    assert!(
        COMMITTED == *DOCUMENT,
        "openapi.json is out of date, update it with: cargo run -- openapi > openapi.json"
    );
}

fn document() -> Value {
    serde_json::from_str(&DOCUMENT).unwrap()
}

/// The operations under `/v1`, with a session id in their paths.
fn described() -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (path, methods) in document()["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let path = path.replace("{id}", &Uuid::from_u128(7).to_string());
            found.push((method.to_uppercase(), path, operation.clone()));
        }
    }
    found.retain(|(_, path, _)| path.starts_with("/v1/"));
    found
}

#[test]
fn every_operation_is_described_with_its_scope_and_its_problems() {
    let described = described();
    let names: BTreeSet<_> = described
        .iter()
        .map(|(method, path, _)| (method.clone(), path.clone()))
        .collect();
    let operations: BTreeSet<_> = auth_matrix::operations()
        .into_iter()
        .map(|(method, path, _)| (method.to_string(), path))
        .collect();
    assert_eq!(names, operations);
    for (method, path, scope) in auth_matrix::operations() {
        let found = described.iter().find(|(m, p, _)| *m == method.as_str() && *p == path);
        let operation = &found.unwrap().2;
        let security = json!([{"bearer": [scope.as_str()]}]);
        assert_eq!(operation["security"], security, "{method} {path}");
        let has = |status: &str| operation["responses"].get(status).is_some();
        assert!(
            ["401", "500", "503"].iter().all(|status| has(status)),
            "{method} {path}"
        );
        assert_eq!(has("403"), scope > ApiScope::Read, "{method} {path}");
        assert_eq!(
            has("404"),
            path.contains(&Uuid::from_u128(7).to_string()),
            "{method} {path}"
        );
        assert_eq!(has("413"), operation.get("requestBody").is_some(), "{method} {path}");
    }
}

#[test]
fn the_webhook_endpoint_is_a_path_with_both_formats_and_every_authentication() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(
        document.get("webhooks").is_none(),
        "those are endpoints of the API's consumer"
    );
    let webhook = &document["paths"]["/webhooks/avinode"]["post"];
    let body = &webhook["requestBody"]["content"]["application/json"];
    assert_eq!(body["schema"], json!({"$ref": "#/components/schemas/Delivery"}));
    let formats = &document["components"]["schemas"]["Delivery"]["oneOf"];
    assert_eq!(formats.as_array().unwrap().len(), 2);
    let examples = body["examples"].as_object().unwrap();
    let thin = &examples["thin notification"]["value"];
    let properties: Vec<&String> = thin.as_object().unwrap().keys().collect();
    assert_eq!(properties, ["href", "id", "tripId", "type"]);
    assert_eq!(examples["full event"]["value"]["event"], "TripRequestSellerResponse");
    for status in ["200", "400", "401", "408", "413", "415", "503"] {
        assert!(webhook["responses"].get(status).is_some(), "{status}");
    }
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    assert_eq!(
        webhook["security"],
        json!([{"basic": []}, {"hmac": []}, {"standardWebhooks": []}])
    );
    for scheme in webhook["security"].as_array().unwrap() {
        let name = scheme.as_object().unwrap().keys().next().unwrap();
        assert!(schemes[name]["description"].is_string(), "{name}");
    }
}

#[test]
fn every_reference_resolves() {
    let document = document();
    let mut left = vec![&document];
    while let Some(value) = left.pop() {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(reference)) = object.get("$ref") {
                    let found = document.pointer(reference.strip_prefix('#').unwrap());
                    assert!(found.is_some(), "{reference}");
                }
                left.extend(object.values());
            }
            Value::Array(values) => left.extend(values),
            _ => {}
        }
    }
}

#[test]
fn an_optional_body_is_not_described_as_null() {
    for (path, schema) in [
        ("/v1/sessions/{id}/activity", "ActivityUpdate"),
        ("/v1/admin/jobs/{id}/retry", "ActionRequest"),
        ("/v1/admin/jobs/{id}/discard", "DiscardRequest"),
        ("/v1/admin/deliveries/{id}/replay", "ActionRequest"),
    ] {
        let body = &document()["paths"][path]["post"]["requestBody"];
        let described = &body["content"]["application/json"]["schema"];
        assert_eq!(described, &json!({"$ref": format!("#/components/schemas/{schema}")}));
        assert_ne!(body["required"], json!(true), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_served_and_every_described_parameter_is_known() {
    let api = Api::start().await;
    let served = send(api.request(Method::GET, "/openapi.json")).await;
    assert_eq!((served.status, &served.body), (200, &document()));
    for (method, path, operation) in described() {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            let request = api.request(method.parse().unwrap(), &format!("{path}?{name}=%00"));
            let rejected = send(request.bearer_auth(READ)).await;
            // The value is invalid; an unknown name would be rejected as such.
            assert_eq!(rejected.assert_problem(422, "validation-failed"), [name], "{path}");
            assert!(!rejected.body.to_string().contains("is unknown"), "{rejected:?}");
            assert_plain(&rejected);
        }
    }
    api.service.stop().await;
}

/// No word of serde, and no name of a type.
fn assert_plain(rejected: &ApiResponse) {
    let detail = rejected.body["detail"].as_str().unwrap();
    for word in [
        "expected ",
        "invalid ",
        "variant",
        "struct",
        "enum ",
        "parsing",
        "`",
        "::",
    ] {
        assert!(!detail.contains(word), "{rejected:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_value_of_a_described_field_is_rejected_in_plain_words() {
    let api = Api::start().await;
    let mut rejections = 0;
    for (method, path, operation) in described() {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let Some(name) = schema["$ref"]
            .as_str()
            .and_then(|reference| reference.rsplit('/').next())
        else {
            continue;
        };
        let properties = document()["components"]["schemas"][name]["properties"].clone();
        let fields: Vec<&str> = properties.as_object().unwrap().keys().map(String::as_str).collect();
        for field in fields.into_iter().chain(["unknown"]) {
            for value in [json!(1.5), json!("?"), json!(true), json!([]), json!({}), json!(-1)] {
                let path = path.replace("{id}", &Uuid::nil().to_string());
                let request = api.request(method.parse().unwrap(), &path);
                let answer = send(
                    request
                        .bearer_auth(ADMIN)
                        .header("content-type", "application/json")
                        .body(json!({field: value}).to_string()),
                )
                .await;
                if answer.status == 422 {
                    assert_plain(&answer);
                    rejections += 1;
                }
            }
        }
    }
    assert!(rejections > 100, "{rejections}");
    api.service.stop().await;
}
