use super::*;

#[test]
fn an_integer_outside_its_bounds_is_refused_with_the_bounds() {
    let workers = integer_in::<usize>(1, 64);
    assert_eq!(workers("1"), Ok(1));
    assert_eq!(workers("64"), Ok(64));
    for wrong in ["0", "65", "-1", "2.5", "two", "", " 2"] {
        assert_eq!(
            workers(wrong),
            Err("is not a whole number from 1 to 64".to_owned()),
            "{wrong:?}"
        );
    }
}

#[test]
fn an_integer_that_its_type_cannot_hold_is_refused() {
    assert!(integer_in::<u8>(0, 1000)("256").is_err());
}

#[test]
fn a_misspelt_log_level_is_refused() {
    assert!(log_level("info").is_ok());
    assert!(log_level("INFO,sqlx=warn").is_ok());
    for wrong in ["loud", "info,verbose", "sqlx=loud", ""] {
        assert!(log_level(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn urls_addresses_rates_and_ratios_are_checked() {
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
    assert!(ratio("0").is_ok() && ratio("1").is_ok());
    for wrong in ["-0.1", "1.1", "10%", "NaN"] {
        assert!(ratio(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_boolean_has_the_usual_spellings() {
    assert_eq!(boolean("Yes"), Ok(true));
    assert_eq!(boolean("0"), Ok(false));
    assert!(boolean("maybe").is_err());
}
