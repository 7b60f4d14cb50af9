use std::process::{Child, Command};

use super::*;

fn identity_of(child: &Child) -> ProcessIdentity {
    ProcessIdentity {
        pid: child.id(),
        started: start_of(child.id()).expect("it runs"),
        ..ProcessIdentity::of_this_process().unwrap()
    }
}

#[test]
fn a_process_has_ended_once_it_is_killed_even_before_it_is_waited_for() {
    let this = ProcessIdentity::of_this_process().unwrap();
    let mut child = Command::new("sleep").arg("60").spawn().unwrap();
    let other = identity_of(&child);
    assert!(!this.knows_ended(&this));
    assert!(!this.knows_ended(&other));
    child.kill().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !this.knows_ended(&other) {
        assert!(
            std::time::Instant::now() < deadline,
            "killed, and not known to have ended"
        );
        std::thread::yield_now();
    }
    child.wait().unwrap();
    assert!(this.knows_ended(&other));
}

#[test]
fn a_process_id_that_is_used_again_belongs_to_a_process_that_has_ended() {
    let this = ProcessIdentity::of_this_process().unwrap();
    let earlier = ProcessIdentity {
        started: this.started - 1,
        ..this.clone()
    };
    assert!(this.knows_ended(&earlier));
}

#[test]
fn nothing_is_known_of_another_machine() {
    let this = ProcessIdentity::of_this_process().unwrap();
    let elsewhere = ProcessIdentity {
        machine: "another boot pid:[4026531836]".to_owned(),
        pid: u32::MAX,
        ..this.clone()
    };
    assert!(!this.knows_ended(&elsewhere));
}
