//! Tells whether a process of this machine still runs.

use std::fs;

use serde::{Deserialize, Serialize};

/// Identifies a process among all that ever ran on any machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// The boot and the PID namespace in which `pid` has a meaning: two containers of one host differ.
    machine: String,
    pid: u32,
    /// Start of the process in clock ticks since the boot: process ids are used again.
    started: u64,
}

impl ProcessIdentity {
    /// Identifies this process. `None` where there is no `/proc`.
    pub fn of_this_process() -> Option<Self> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
        let pid = std::process::id();
        Some(Self {
            machine: format!("{} {}", boot.trim(), namespace.display()),
            pid,
            started: start_of(pid)?,
        })
    }

    /// Returns `true` if this process knows that the other one has ended. It cannot know of another machine's.
    pub fn knows_ended(&self, other: &Self) -> bool {
        self.machine == other.machine && start_of(other.pid) != Some(other.started)
    }
}

/// The start of a running process; `None` if it has ended, also while it is a zombie.
fn start_of(pid: u32) -> Option<u64> {
    const STATE: usize = 0;
    const START: usize = 19;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // After the name, which may contain anything: proc(5).
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    match *fields.get(STATE)? {
        "Z" | "X" => None,
        _ => fields.get(START)?.parse().ok(),
    }
}

#[cfg(test)]
mod tests;
