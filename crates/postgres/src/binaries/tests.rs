use super::*;

fn candidates(majors: &[u32]) -> impl Iterator<Item = PostgresBinaries> {
    majors.iter().map(|&major| PostgresBinaries {
        bin_dir: PathBuf::from(format!("/pg/{major}")),
        major,
    })
}

#[test]
fn the_major_version_is_parsed_from_the_servers_output() {
    assert_eq!(
        parse_major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
        Some(15)
    );
    assert_eq!(parse_major("postgres (PostgreSQL) 17beta1"), Some(17));
    assert_eq!(parse_major("postgres (PostgreSQL) 16"), Some(16));
    assert_eq!(parse_major("something else"), None);
}

#[test]
fn the_first_supported_version_is_chosen_and_an_existing_cluster_gets_its_own() {
    assert_eq!(choose(candidates(&[17, 15]), None).unwrap().major, 17);
    assert_eq!(choose(candidates(&[13, 15]), None).unwrap().major, 15);
    assert_eq!(choose(candidates(&[17, 15]), Some(15)).unwrap().major, 15);
}

#[test]
fn each_error_is_one_line_with_a_remedy() {
    let none = choose(candidates(&[]), None).unwrap_err().to_string();
    assert!(
        none.contains("apt-get install postgresql") && none.contains("INGEST_POSTGRES_BIN"),
        "{none}"
    );
    let old = choose(candidates(&[12, 13]), None).unwrap_err().to_string();
    assert!(old.contains("/pg/13") && old.contains("14 or newer"), "{old}");
    let other = choose(candidates(&[17, 16]), Some(15)).unwrap_err().to_string();
    assert!(
        other.contains("created by Postgres 15, but only 16, 17 is installed"),
        "{other}"
    );
    let configured = PostgresBinaries::find(Some(Path::new("/nowhere")), None)
        .unwrap_err()
        .to_string();
    assert!(configured.contains("/nowhere"), "{configured}");
    for text in [none, old, other, configured] {
        assert!(!text.contains('\n'));
    }
}
