use super::*;

#[test]
fn bounds_are_part_of_what_is_allowed() {
    let workers = whole::<usize>(1, 64);
    assert_eq!(workers("1"), Ok(1));
    assert_eq!(workers("64"), Ok(64));
    for wrong in ["0", "65", "-1", "2.5", "two", "", " 2"] {
        assert_eq!(
            workers(wrong),
            Err("is not a whole number from 1 to 64".to_owned()),
            "{wrong:?}"
        );
    }
    assert_eq!(seconds(5, 60)("7"), Ok(Duration::from_secs(7)));
    assert_eq!(millis(5, 60)("7"), Ok(Duration::from_millis(7)));
    assert!(seconds(5, 60)("4").unwrap_err().ends_with("(seconds)"));
}

#[test]
fn a_number_that_its_type_cannot_hold_is_refused_not_wrapped() {
    assert!(whole::<u8>(0, 1000)("256").is_err());
}

#[test]
fn a_misspelt_level_is_refused_instead_of_silencing_the_log() {
    assert!(log_level("info").is_ok());
    assert!(log_level("INFO,sqlx=warn").is_ok());
    for wrong in ["loud", "info,verbose", "sqlx=loud", ""] {
        assert!(log_level(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn only_web_urls_and_whole_addresses_are_taken() {
    assert!(url("http://localhost:8080").is_ok());
    for wrong in ["localhost:8080", "ftp://host/", "/webhooks", ""] {
        assert!(url(wrong).is_err(), "{wrong:?}");
    }
    assert!(address("[::1]:8080").is_ok());
    for wrong in ["8080", "localhost:8080", "127.0.0.1", "127.0.0.1:99999"] {
        assert!(address(wrong).is_err(), "{wrong:?}");
    }
    assert!(rate("0.5").is_ok());
    for wrong in ["0", "-1", "NaN", "inf"] {
        assert!(rate(wrong).is_err(), "{wrong:?}");
    }
    assert!(share("0").is_ok() && share("1").is_ok());
    for wrong in ["-0.1", "1.1", "10%", "NaN"] {
        assert!(share(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_schedule_is_off_or_a_bounded_time_with_its_unit() {
    let seconds = |seconds| Ok(OptionalInterval(Some(Duration::from_secs(seconds))));
    assert_eq!(every("off"), Ok(OptionalInterval(None)));
    assert_eq!(every("10m"), seconds(600));
    assert_eq!(every("6h"), seconds(21_600));
    assert_eq!(every("30d"), seconds(2_592_000));
    for wrong in [
        "",
        "9m",
        "31d",
        "6",
        "6 h",
        "1w",
        "-1h",
        "18446744073709551615d",
        "1.5h",
    ] {
        assert!(every(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_switch_is_spelt_as_people_spell_it() {
    assert_eq!(switch("Yes"), Ok(true));
    assert_eq!(switch("0"), Ok(false));
    assert!(switch("maybe").is_err());
}
