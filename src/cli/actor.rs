//! The actor of a command.

use crate::domain::actor::Actor;

/// The user of the operating system and the host.
pub fn current() -> Actor {
    let user = nix::unistd::Uid::effective();
    let name = nix::unistd::User::from_uid(user).ok().flatten();
    let name = name.map_or_else(|| user.to_string(), |user| user.name);
    let host = nix::unistd::gethostname().map(|host| host.to_string_lossy().into_owned());
    Actor::command_line(&name, host.as_deref().unwrap_or("unknown"))
}
