use super::*;

#[test]
fn a_shell_reads_the_command_back_word_for_word() {
    let headers = [("X-Avinode-Signature", "sha256=00ff".to_owned())];
    assert_eq!(
        command(
            Path::new("fixtures/a.json"),
            &headers,
            "http://127.0.0.1:8080/webhooks/avinode"
        ),
        "curl --data-binary @fixtures/a.json -H 'content-type: application/json' \
         -H 'X-Avinode-Signature: sha256=00ff' http://127.0.0.1:8080/webhooks/avinode"
    );
    for odd in ["it's", "a b", "$(x)", "`x`", "*?", "a&b;c", "", "~", "é"] {
        let output = std::process::Command::new("sh")
            .arg("-c")
            .arg(format!("printf %s {}", quoted(odd)))
            .output();
        assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), odd);
    }
}

#[test]
fn a_body_without_a_file_is_written_to_one() {
    let path = keep(Path::new("fixtures/quote.json"), b"{}\n").unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("quote-") && name.ends_with(".signed.json"), "{name}");
    assert_eq!(std::fs::read(&path).unwrap(), b"{}\n");
    std::fs::remove_file(path).unwrap();
}
