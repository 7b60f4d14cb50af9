use super::*;

const EXAMPLE: &str = r#"{"scenarios":[{"folder":"one","about":"A quote.","sentence":"A quote",
    "sessions":[{"name":"s","trip_id":null,"has_request":true,"status":"active","current_step":"searching_aircraft",
        "quotes_received_count":0,"quotes_expected_count":3,"operators_contacted_count":3}],
    "afterwards":[{"session":"s","set_trip_id":"A1B2C3"}],
    "expect":{"sessions":[{"name":"s","current_step":"requesting_quotes","quotes_received_count":1,
        "quotes_expected_count":3,"operators_contacted_count":3,"primary_quote":"aquote-1","primary_operator":"X",
        "primary_price":"1200.50","avinode_trip_status":null}],"waiting":0,"dead":0}}]}"#;

fn read(text: &str) -> Result<FixtureManifest, FixtureError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(MANIFEST), text).unwrap();
    FixtureManifest::read(folder.path())
}

#[test]
fn a_manifest_is_parsed_completely() {
    let manifest = read(EXAMPLE).unwrap();
    let scenario = &manifest.scenarios[0];
    assert_eq!(scenario.afterwards[0].set_trip_id, "A1B2C3");
    assert_eq!(scenario.expect.sessions[0].primary_price.as_deref(), Some("1200.50"));
}

#[test]
fn a_misspelt_field_is_refused_by_name() {
    let error = read(&EXAMPLE.replace("\"dead\"", "\"daed\"")).unwrap_err();
    let FixtureError::Manifest { source, .. } = error else {
        panic!("{error}")
    };
    assert!(source.to_string().contains("daed"));
}
