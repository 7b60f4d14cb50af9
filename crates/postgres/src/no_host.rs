//! The error of a connect that found no usable host: each host with its own cause.

use std::fmt;
use std::io;

use sqlx::Error;

use super::server_error::readable;

/// The reason for which a host is not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Failed(#[from] Error),
    #[error("it is a standby")]
    Standby,
    #[error("it is read-only")]
    ReadOnly,
}

impl Refusal {
    pub(super) fn readable(self) -> Self {
        match self {
            Self::Failed(error) => Self::Failed(readable(error)),
            other => other,
        }
    }
}

/// No host was usable.
#[derive(Debug)]
pub(super) struct NoHost(Vec<(String, Refusal)>);

impl NoHost {
    /// Returns the error of these hosts, by their names. The failure of an only host needs no name.
    pub(super) fn error(mut refusals: Vec<(String, Refusal)>) -> Error {
        if refusals.len() == 1
            && let Some((name, refusal)) = refusals.pop()
        {
            match refusal {
                Refusal::Failed(error) => return error,
                refusal => refusals.push((name, refusal)),
            }
        }
        Error::Io(io::Error::other(Self(refusals)))
    }

    /// Returns the reasons, if the error is one of this kind.
    pub(super) fn refusals(error: &Error) -> Option<impl Iterator<Item = &Refusal>> {
        let Error::Io(error) = error else { return None };
        let no_host: &Self = error.get_ref()?.downcast_ref()?;
        Some(no_host.0.iter().map(|(_, refusal)| refusal))
    }
}

impl fmt::Display for NoHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = |(_, refusal): &(String, Refusal)| !matches!(refusal, Refusal::Failed(_));
        f.write_str(match self.0.iter().any(refused) {
            true => "no host of the database URL accepts writes: ",
            false => "no host of the database URL can be used: ",
        })?;
        for (index, (name, refusal)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{name}: {refusal}")?;
        }
        Ok(())
    }
}

impl std::error::Error for NoHost {}
