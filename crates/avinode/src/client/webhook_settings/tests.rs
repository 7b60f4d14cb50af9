use super::*;

fn setting(value: &Value) -> WebhookSetting {
    WebhookSetting::read(value).unwrap()
}

#[test]
fn a_setting_is_parsed_leniently_and_without_its_secret() {
    let whole = setting(&json!({
        "id": "whs-1583", "displayName": "ours", "targetURI": "https://u:hush@a.example/webhooks/avinode", "active": true,
        "clientIdentifier": "avinode", "clientSecret": "hush", "clientAuthenticationType": "BASIC",
        "eventTypes": ["TripChatFromSeller", 7], "new": {"kept": 1},
    }));
    assert_eq!(whole.events, ["TripChatFromSeller"]);
    assert_eq!(whole.properties["new"], json!({"kept": 1}));
    let shown = format!("{:?}", whole.target) + &serde_json::to_string(&whole).unwrap();
    assert!(!shown.contains("hush"), "{shown}");
    let least = setting(&json!({"id": "whs-1", "active": "yes", "eventTypes": null}));
    assert!(!least.active && least.events.is_empty() && least.target.is_none());
    for odd in [json!({}), json!([]), json!("whs-1"), json!(null), json!({"id": null})] {
        assert!(WebhookSetting::read(&odd).is_none(), "{odd}");
    }
}

#[test]
fn an_event_type_is_missing_if_no_active_setting_sends_it_to_our_target() {
    let ours = "https://a.example/webhooks/avinode";
    let of = |id: &str, active: bool, target: &str, events: &[&str]| {
        setting(&json!({"id": id, "active": active, "targetURI": target, "eventTypes": events}))
    };
    let all: Vec<&str> = NEEDED_EVENTS.iter().map(|(event, _)| *event).collect();
    assert_eq!(missing(&[], None), all);
    let inactive = of("whs-1", false, ours, &all);
    let elsewhere = of("whs-2", true, "https://b.example/", &all);
    let one = of("whs-3", true, "https://A.example:443/webhooks/avinode", &all[..1]);
    assert_eq!(missing(std::slice::from_ref(&inactive), None), all);
    assert_eq!(missing(std::slice::from_ref(&elsewhere), Some(ours)), all);
    assert!(missing(std::slice::from_ref(&elsewhere), None).is_empty());
    assert_eq!(missing(&[inactive, elsewhere, one], Some(ours)), all[1..]);
}

#[test]
fn only_the_changed_properties_are_written() {
    assert!(WebhookSettingPatch::default().properties().is_empty());
    let patch = WebhookSettingPatch {
        active: Some(false),
        ..WebhookSettingPatch::default()
    };
    assert_eq!(Value::Object(patch.properties()), json!({"active": false}));
    let patch = WebhookSettingPatch {
        credentials: Some(("avinode".into(), "hush".into())),
        ..WebhookSettingPatch::default()
    };
    let expected = json!({"clientIdentifier": "avinode", "clientSecret": "hush", "clientAuthenticationType": "BASIC"});
    assert_eq!(Value::Object(patch.properties()), expected);
    assert!(!format!("{patch:?}").contains("hush"));
}
