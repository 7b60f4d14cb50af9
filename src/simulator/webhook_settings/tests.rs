use super::*;

#[test]
fn a_setting_is_made_changed_and_told_by_what_it_subscribes_to() {
    let mut settings = WebhookSettings::default();
    let made = settings.create(json!({
        "targetURI": "http://127.0.0.1:1/hook", "displayName": "x", "clientIdentifier": "a",
        "clientSecret": "b:c", "clientAuthenticationType": "BASIC", "eventTypes": ["TripRequestMine"],
    }));
    let id = made.unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(settings.targets("TripChatMine"), []);
    let target = &settings.targets("TripRequestMine")[0];
    assert_eq!((target.secret.as_str(), target.proof), ("b:c", AuthMode::Challenge));
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
fn a_setting_that_cannot_work_is_refused() {
    let mut settings = WebhookSettings::default();
    assert!(settings.create(json!([])).is_err());
    assert!(settings.create(json!({"targetURI": "x", "eventTypes": []})).is_err());
    let misspelt = json!({"targetURI": "http://a", "eventTypes": ["TripRequestMines"]});
    assert_eq!(
        settings.create(misspelt),
        Err("eventTypes holds a type that there is not")
    );
}
