//! The description of the API: kept in the repository, and true.

use std::collections::BTreeSet;

use avinode_ingest::http::openapi::spec;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Api, READ, auth_matrix, said};

const KEPT: &str = include_str!("../../../openapi.json");

#[test]
fn what_is_kept_in_the_repository_is_what_the_code_says() {
    assert!(
        KEPT == spec::text(),
        "openapi.json is not what the code says; renew it with: cargo run -- openapi > openapi.json"
    );
}

/// The operations under `/v1`, with the id of their session filled in.
fn described() -> Vec<(String, String, Value)> {
    let document = spec::document();
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let path = path.replace("{id}", &Uuid::from_u128(7).to_string());
            found.push((method.to_uppercase(), path, operation.clone()));
        }
    }
    found.retain(|(_, path, _)| path.starts_with("/v1/"));
    found
}

#[test]
fn every_operation_is_described_with_its_scope_and_its_refusals() {
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
    for (method, path, changes) in auth_matrix::operations() {
        let found = described.iter().find(|(m, p, _)| *m == method.as_str() && *p == path);
        let operation = &found.unwrap().2;
        let scope = if changes { "write" } else { "read" };
        assert_eq!(operation["security"], json!([{"bearer": [scope]}]), "{method} {path}");
        let has = |status: &str| operation["responses"].get(status).is_some();
        assert!(
            ["401", "500", "503"].iter().all(|status| has(status)),
            "{method} {path}"
        );
        assert_eq!(has("403"), changes, "{method} {path}");
        assert_eq!(
            has("404"),
            path.contains(&Uuid::from_u128(7).to_string()),
            "{method} {path}"
        );
        assert_eq!(has("413"), operation.get("requestBody").is_some(), "{method} {path}");
    }
}

#[test]
fn it_is_openapi_3_1_and_the_webhook_stands_among_the_webhooks() {
    let document = spec::document();
    assert_eq!(document["openapi"], "3.1.0");
    let webhook = &document["webhooks"]["avinode"]["post"];
    let body = webhook["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        .as_str()
        .unwrap();
    assert_eq!(body, "#/components/schemas/Delivery");
    let formats = document["components"]["schemas"]["Delivery"]["oneOf"]
        .as_array()
        .unwrap();
    assert_eq!(formats.len(), 2);
    for status in ["200", "400", "401", "408", "413", "415", "503"] {
        assert!(webhook["responses"].get(status).is_some(), "{status}");
    }
    // Whatever it refers to is there.
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
fn a_body_that_may_be_left_out_is_not_described_as_null() {
    let body = &spec::document()["paths"]["/v1/sessions/{id}/activity"]["post"]["requestBody"];
    let schema = &body["content"]["application/json"]["schema"];
    assert_eq!(schema, &json!({"$ref": "#/components/schemas/ActivityUpdate"}));
    assert_ne!(body["required"], json!(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_parameter_that_is_described_is_taken_and_the_document_is_served() {
    let api = Api::start().await;
    let shown = said(api.request(Method::GET, "/openapi.json")).await;
    assert_eq!((shown.status, &shown.body), (200, &spec::document()));
    for (method, path, operation) in described() {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let asked = parameters.iter().filter(|parameter| parameter["in"] == "query");
        let names: Vec<&str> = asked.map(|parameter| parameter["name"].as_str().unwrap()).collect();
        if names.is_empty() {
            continue;
        }
        let query: Vec<String> = names.iter().map(|name| format!("{name}=%00")).collect();
        let request = api.request(method.parse().unwrap(), &format!("{path}?{}", query.join("&")));
        let refused = said(request.bearer_auth(READ)).await;
        // No value is right, and no name is unknown.
        assert_eq!(refused.problem(422, "invalid").len(), names.len(), "{path}");
        assert!(
            !refused.body.to_string().contains("is not a parameter"),
            "{path}: {refused:?}"
        );
    }
    api.service.stop().await;
}
