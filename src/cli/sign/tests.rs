use std::process::Command;

use super::*;

fn shell(script: &str) -> Vec<u8> {
    Command::new("sh").arg("-c").arg(script).output().unwrap().stdout
}

#[test]
fn a_shell_reads_the_command_back_word_for_word() {
    let headers = [("X-Avinode-Signature", "sha256=00ff".to_owned())];
    assert_eq!(
        command(
            BodySource::File(Path::new("fixtures/a.json")),
            &headers,
            "http://127.0.0.1:8080/webhooks/avinode"
        ),
        "curl -sS --data-binary @fixtures/a.json -H 'content-type: application/json' \
         -H 'X-Avinode-Signature: sha256=00ff' http://127.0.0.1:8080/webhooks/avinode"
    );
    for odd in ["it's", "a b", "$(x)", "`x`", "*?", "a&b;c", "", "~", "é"] {
        let printed = shell(&format!("printf %s {}", quoted(odd)));
        assert_eq!(String::from_utf8(printed).unwrap(), odd);
    }
}

#[test]
fn a_body_without_a_file_reaches_curl_byte_for_byte() {
    let bodies: [&[u8]; 7] = [
        b"{\"a\": \"it's 100 %s \\n $(x)\"}\n\n",
        b"",
        b"-n\\c",
        "Zürich 空\t".as_bytes(),
        b"\x1b[2J\x00end",
        b"\xff\xfe",
        "\u{202e}".as_bytes(),
    ];
    for body in bodies {
        let command = command(BodySource::Bytes(body), &[], "http://127.0.0.1/");
        assert!(
            !command.chars().any(|c| c != '\n' && c != '\t' && is_unsafe(c)),
            "{command}"
        );
        // A curl that prints what it would send.
        assert_eq!(shell(&format!("curl() {{ cat; }}; {command}")), body, "{command}");
    }
}
