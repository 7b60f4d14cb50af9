use super::*;

fn of(majors: &[u32]) -> impl Iterator<Item = PostgresBinaries> {
    majors.iter().map(|&major| PostgresBinaries {
        bin_dir: PathBuf::from(format!("/pg/{major}")),
        major,
    })
}

#[test]
fn the_version_is_read_from_what_the_server_says() {
    assert_eq!(
        major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
        Some(15)
    );
    assert_eq!(major_of("postgres (PostgreSQL) 17beta1"), Some(17));
    assert_eq!(major_of("postgres (PostgreSQL) 16"), Some(16));
    assert_eq!(major_of("something else"), None);
}

#[test]
fn the_first_that_is_new_enough_is_taken_and_a_kept_cluster_gets_its_own_version() {
    assert_eq!(choose(of(&[17, 15]), None).unwrap().major, 17);
    assert_eq!(choose(of(&[13, 15]), None).unwrap().major, 15);
    assert_eq!(choose(of(&[17, 15]), Some(15)).unwrap().major, 15);
}

#[test]
fn each_refusal_says_what_to_do_in_one_line() {
    let none = choose(of(&[]), None).unwrap_err().to_string();
    assert!(
        none.contains("apt-get install postgresql") && none.contains("INGEST_POSTGRES_BIN"),
        "{none}"
    );
    let old = choose(of(&[12, 13]), None).unwrap_err().to_string();
    assert!(old.contains("/pg/13") && old.contains("14 or newer"), "{old}");
    let other = choose(of(&[17, 16]), Some(15)).unwrap_err().to_string();
    assert!(
        other.contains("made by Postgres 15, but only 16, 17 is installed"),
        "{other}"
    );
    let named = PostgresBinaries::find(Some(Path::new("/nowhere")), None)
        .unwrap_err()
        .to_string();
    assert!(named.contains("/nowhere"), "{named}");
    for text in [none, old, other, named] {
        assert!(!text.contains('\n'));
    }
}
