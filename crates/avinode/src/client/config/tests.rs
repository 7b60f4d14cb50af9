use super::*;

fn settings(api_token: &str, bearer: &str, account: Option<&str>) -> ClientSettings {
    ClientSettings {
        base: BaseUrl::parse("https://sandbox.avinode.com/api", false).unwrap(),
        api_token: api_token.into(),
        bearer: bearer.into(),
        act_as_account: account.map(str::to_owned),
        query_parameters: QueryParameters::default(),
        limits: ClientLimits::default(),
    }
}

#[test]
fn the_digest_changes_with_every_credential_and_contains_none() {
    let base = settings("hush-a", "hush-b", None);
    assert_eq!(base.digest(), settings("hush-a", "hush-b", None).digest());
    for other in [
        settings("hush-", "ahush-b", None),
        settings("hush-a", "hush-c", None),
        settings("hush-a", "hush-b", Some("me")),
    ] {
        assert_ne!(base.digest(), other.digest());
    }
    assert!(!format!("{base:?} {}", base.digest()).contains("hush"));
}
