//! The service manager that started the process, such as systemd: it names its socket in a variable of its own.

/// Returns whether a service manager waits for messages of this process.
pub fn is_notified() -> bool {
    #[expect(clippy::disallowed_methods, reason = "config is the reader of the environment")]
    let socket = std::env::var_os("NOTIFY_SOCKET");
    socket.is_some_and(|socket| !socket.is_empty())
}
