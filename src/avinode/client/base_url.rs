//! Where the API is. Checked so strictly that a URL made of it leads to that host and no other, under `/api`.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use super::vouch::HrefMismatch;
use crate::avinode::resource::Resource;

/// Which addresses the host may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowedAddresses {
    /// Public ones only.
    Public,
    /// Loopback ones only: a simulator on this machine.
    Loopback,
}

/// The API's base URL, for example `https://sandbox.avinode.com/api`; in its one spelling, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    reach: AllowedAddresses,
    encrypted: bool,
}

/// Why a text is no base URL, in words that complete `AVINODE_BASE_URL: "VALUE" …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not a URL of the web.
    #[error("is not a URL such as https://sandbox.avinode.com/api")]
    NotAUrl,
    /// Credentials within.
    #[error("holds a user name or password before the host; credentials have settings of their own")]
    UserInfo,
    /// Not to the API's path.
    #[error(
        "does not lead to a plain path that ends in /api, without a query, such as https://sandbox.avinode.com/api"
    )]
    NotTheApi,
    /// It could be read in two ways.
    #[error("is to be written {0}")]
    Written(String),
    /// A host that nobody outside of a private network has.
    #[error("has a host that is not a full name in the DNS (an IP address, a single word or a dot at its end)")]
    NotAName,
    /// On this machine, without leave.
    #[error("leads to this machine, which only AVINODE_INSECURE_LOOPBACK=true allows, for tests and simulators")]
    Loopback,
    /// Without encryption.
    #[error("is not https: credentials are sent encrypted only")]
    NotEncrypted,
    /// Another port than that of https.
    #[error("names a port; Avinode is called at that of https (443) only")]
    Port,
}

impl BaseUrl {
    /// Checks a text. `insecure_loopback` allows `http`, any port and no encryption where the host is `localhost` or a
    /// loopback address; it changes nothing for other hosts.
    ///
    /// # Errors
    /// What is not as it must be.
    pub fn parse(text: &str, insecure_loopback: bool) -> Result<Self, BaseUrlError> {
        let url = Url::parse(text).map_err(|_| BaseUrlError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BaseUrlError::NotAUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::UserInfo);
        }
        let path = url.path().trim_end_matches('/');
        let plain = |segment: &str| {
            !segment.is_empty()
                && segment
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let is_api = path.ends_with("/api") && path.split('/').skip(1).all(plain);
        if !is_api || url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::NotTheApi);
        }
        let reach = match url.host().ok_or(BaseUrlError::NotAUrl)? {
            Host::Ipv4(ip) if IpAddr::V4(ip).is_loopback() => AllowedAddresses::Loopback,
            Host::Ipv6(ip) if IpAddr::V6(ip).is_loopback() => AllowedAddresses::Loopback,
            Host::Domain("localhost") => AllowedAddresses::Loopback,
            Host::Domain(name) if name.contains('.') && !name.ends_with('.') => AllowedAddresses::Public,
            _ => return Err(BaseUrlError::NotAName),
        };
        let encrypted = url.scheme() == "https";
        match reach {
            AllowedAddresses::Loopback if !insecure_loopback => return Err(BaseUrlError::Loopback),
            AllowedAddresses::Public if !encrypted => return Err(BaseUrlError::NotEncrypted),
            AllowedAddresses::Public if url.port().is_some() => return Err(BaseUrlError::Port),
            AllowedAddresses::Loopback | AllowedAddresses::Public => {}
        }
        // The parser forgives (case, backslashes, tabs, `..`, numbers for addresses); whoever reads the setting may not.
        let written = url.as_str().trim_end_matches('/').to_owned();
        if text.trim_end_matches('/') != written {
            return Err(BaseUrlError::Written(written));
        }
        Ok(Self {
            text: written,
            reach,
            encrypted,
        })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Which addresses its host may have.
    pub fn reach(&self) -> AllowedAddresses {
        self.reach
    }

    /// Whether calls are encrypted; only on loopback they may not be.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// The URL of a resource: this, the kind, the id.
    ///
    /// # Errors
    /// The id is of no shape that can stand in a path as it is.
    pub fn of(&self, resource: &Resource) -> Result<Url, HrefMismatch> {
        let id = resource.id.as_str();
        if !is_plain(id) {
            return Err(HrefMismatch::odd_id(id));
        }
        self.below(&[resource.kind.as_str(), id])
            .ok_or_else(|| HrefMismatch::odd_id(id))
    }

    /// The URL of plain segments below this one.
    pub(super) fn below(&self, segments: &[&str]) -> Option<Url> {
        let url = Url::parse(&format!("{}/{}", self.text, segments.join("/"))).ok()?;
        // What the parser changes is not what was checked.
        (url.as_str().strip_prefix(&self.text)?.strip_prefix('/')? == segments.join("/")).then_some(url)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether an id has the documented shape (`[a-zA-Z]+-[\d]+(-[^-]+)?`), its last part held to letters, digits and `_`.
pub(super) fn is_plain(id: &str) -> bool {
    let mut parts = id.split('-');
    let letters = parts
        .next()
        .is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let digits = parts
        .next()
        .is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let last = parts
        .next()
        .is_none_or(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    letters && digits && last && parts.next().is_none()
}

#[cfg(test)]
mod tests;
