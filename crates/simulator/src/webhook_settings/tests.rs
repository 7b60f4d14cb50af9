use super::*;

#[test]
fn a_setting_is_created_and_changed_and_is_a_target_of_its_event_types() {
    let mut settings = WebhookSettings::default();
    let created = settings.create(json!({
        "targetURI": "http://127.0.0.1:1/hook", "displayName": "x", "clientIdentifier": "a",
        "clientSecret": "b:c", "clientAuthenticationType": "BASIC", "eventTypes": ["TripRequestMine"],
    }));
    let id = created.unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(settings.targets("TripChatMine"), []);
    let target = &settings.targets("TripRequestMine")[0];
    assert_eq!((target.secret.as_str(), target.auth_mode), ("b:c", AuthMode::Challenge));
    let changed = settings
        .update(&id, &json!({"active": false, "id": "whs-9"}))
        .unwrap()
        .unwrap();
    assert_eq!(
        (changed["id"].as_str(), changed["displayName"].as_str()),
        (Some(id.as_str()), Some("x"))
    );
    assert_eq!(settings.targets("TripRequestMine"), []);
    assert_eq!(settings.update("whs-9", &json!({})), Ok(None));
}

#[test]
fn an_invalid_setting_is_refused() {
    let mut settings = WebhookSettings::default();
    assert!(settings.create(json!([])).is_err());
    assert!(settings.create(json!({"targetURI": "x", "eventTypes": []})).is_err());
    let misspelt = json!({"targetURI": "http://a", "eventTypes": ["TripRequestMines"]});
    assert_eq!(settings.create(misspelt), Err("eventTypes has an unknown type"));
}
