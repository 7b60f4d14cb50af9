use super::*;

#[test]
fn a_duration_has_a_unit_and_keeps_its_bounds() {
    let parse = duration("500ms", "90d");
    for (text, millis) in [
        ("500ms", 500),
        ("10s", 10_000),
        ("5m", 300_000),
        ("2h", 7_200_000),
        ("1h 30m", 5_400_000),
        ("90d", 7_776_000_000),
    ] {
        assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
    }
    for wrong in ["", "10", "499ms", "91d", "-1s", "s", "ten s", "18446744073709551615d"] {
        assert_eq!(
            parse(wrong),
            Err("is not a duration from 500ms to 90d (with a unit: ms, s, m, h or d)".to_owned()),
            "{wrong:?}"
        );
    }
}

#[test]
fn an_interval_is_off_or_a_bounded_duration() {
    let parse = duration_or_off("10m", "30d");
    let seconds = |seconds| Ok(OptionalInterval(Some(Duration::from_secs(seconds))));
    assert_eq!(parse("off"), Ok(OptionalInterval(None)));
    assert_eq!(parse("10m"), seconds(600));
    assert_eq!(parse("6h"), seconds(21_600));
    assert_eq!(parse("30d"), seconds(2_592_000));
    for wrong in ["", "9m", "31d", "6", "-1h", "18446744073709551615d", "on"] {
        assert!(
            parse(wrong).is_err_and(|error| error.contains("from 10m to 30d")),
            "{wrong:?}"
        );
    }
}

#[test]
fn a_size_is_plain_bytes_or_has_a_binary_or_decimal_unit() {
    let parse = size("1KiB", "64GiB");
    for (text, bytes) in [
        ("1024", 1024),
        ("1KiB", 1024),
        ("256KiB", 262_144),
        ("64MiB", 67_108_864),
        ("1.5 MiB", 1_572_864),
        ("64GiB", 68_719_476_736),
        ("10MB", 10_000_000),
    ] {
        assert_eq!(parse(text), Ok(bytes), "{text}");
    }
    for wrong in ["", "1023", "65GiB", "-1", "KiB", "12 lots", "99999999999999999999"] {
        assert_eq!(
            parse(wrong),
            Err("is not a size from 1KiB to 64GiB (in bytes, or with a unit: KiB, MiB or GiB)".to_owned()),
            "{wrong:?}"
        );
    }
}
