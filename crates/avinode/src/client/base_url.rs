//! The base URL of Avinode's API, and the URLs of its resources. A base URL is checked so strictly that every URL built from
//! it leads to the same host and below its path.
//!
//! The `href` of a notification is compared with the URL that we build for the same id, and never followed.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use crate::parse_error::quoted;
use crate::resource::{Resource, ResourceKind, is_short_id};

/// The addresses to which the host name may resolve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowedAddresses {
    Public,
    /// A simulator on this machine.
    Loopback,
}

/// For example `https://sandbox.avinode.com/api`: in its canonical spelling, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    allowed_addresses: AllowedAddresses,
    encrypted: bool,
}

/// The messages complete `AVINODE_BASE_URL: "VALUE" …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    #[error("is not a URL such as https://sandbox.avinode.com/api")]
    NotAUrl,
    #[error("contains a user name or password before the host; credentials have settings of their own")]
    UserInfo,
    #[error("does not have a plain path that ends in /api, without a query, such as https://sandbox.avinode.com/api")]
    NotTheApi,
    #[error("must be written {0}")]
    NotCanonical(String),
    #[error("has a host that is not a full DNS name (an IP address, a single word or a dot at its end)")]
    NotAName,
    #[error("leads to this machine, which only AVINODE_INSECURE_LOOPBACK=true allows, for tests and simulators")]
    Loopback,
    #[error("is not https: credentials are sent encrypted only")]
    NotEncrypted,
    #[error("has a port; Avinode is called at the https port (443) only")]
    Port,
}

/// The reason why a resource is not fetched. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("refused to fetch: {0}")]
pub struct HrefMismatch(String);

impl BaseUrl {
    /// Parses a base URL. `insecure_loopback` allows `http` and any port if the host is `localhost` or a loopback address; it
    /// changes nothing for other hosts.
    pub fn parse(text: &str, insecure_loopback: bool) -> Result<Self, BaseUrlError> {
        let url = Url::parse(text).map_err(|_| BaseUrlError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BaseUrlError::NotAUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::UserInfo);
        }
        let path = url.path().trim_end_matches('/');
        let is_plain_segment = |segment: &str| {
            !segment.is_empty()
                && segment
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let is_api = path.ends_with("/api") && path.split('/').skip(1).all(is_plain_segment);
        if !is_api || url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::NotTheApi);
        }
        let allowed_addresses = match url.host().ok_or(BaseUrlError::NotAUrl)? {
            Host::Ipv4(ip) if IpAddr::V4(ip).is_loopback() => AllowedAddresses::Loopback,
            Host::Ipv6(ip) if IpAddr::V6(ip).is_loopback() => AllowedAddresses::Loopback,
            Host::Domain("localhost") => AllowedAddresses::Loopback,
            Host::Domain(name) if name.contains('.') && !name.ends_with('.') => AllowedAddresses::Public,
            _ => return Err(BaseUrlError::NotAName),
        };
        let encrypted = url.scheme() == "https";
        match allowed_addresses {
            AllowedAddresses::Loopback if !insecure_loopback => return Err(BaseUrlError::Loopback),
            AllowedAddresses::Public if !encrypted => return Err(BaseUrlError::NotEncrypted),
            AllowedAddresses::Public if url.port().is_some() => return Err(BaseUrlError::Port),
            AllowedAddresses::Loopback | AllowedAddresses::Public => {}
        }
        // The parser is lenient (case, backslashes, tabs, `..`, numbers for addresses); a person may misread such a setting.
        let canonical = url.as_str().trim_end_matches('/').to_owned();
        if text.trim_end_matches('/') != canonical {
            return Err(BaseUrlError::NotCanonical(canonical));
        }
        Ok(Self {
            text: canonical,
            allowed_addresses,
            encrypted,
        })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn allowed_addresses(&self) -> AllowedAddresses {
        self.allowed_addresses
    }

    /// Only calls to loopback addresses may be unencrypted.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// The URL of a resource: `BASE/KIND/ID`. A trip, and the list of its RFQs, also has one with its short id.
    ///
    /// # Errors
    /// The id does not have the shape of Avinode's ids, so it cannot be part of a path.
    pub fn resource_url(&self, resource: &Resource) -> Result<Url, HrefMismatch> {
        let id = resource.id.as_str();
        let of_trip = matches!(resource.kind, ResourceKind::Trips | ResourceKind::Rfqs) && is_short_id(id);
        let url = self.join(&[resource.kind.as_str(), id]);
        let url = url.filter(|_| of_trip || is_plain_id(id));
        url.ok_or_else(|| {
            let id = quoted(id);
            HrefMismatch(format!("the id \"{id}\" does not have the shape of Avinode's ids"))
        })
    }

    /// Verifies that `href` is the URL of this resource: byte for byte, so also in case and encoding, without user info or a
    /// fragment. Optional are `:443` after an https host, the word of the id (`/rfqs/408` for `arfq-408`), a slash at the end, and
    /// a query. They name the same resource, and are never sent: only the URL that we build is called.
    ///
    /// # Errors
    /// It is another URL, or the id cannot be part of a path.
    pub fn verify_href(&self, href: &str, resource: &Resource) -> Result<(), HrefMismatch> {
        let expected = self.resource_url(resource)?;
        let expected = expected.as_str();
        let plain = without_query(href);
        let plain = plain.strip_suffix('/').unwrap_or(plain);
        let bare = expected.rsplit_once('/').zip(resource.id.as_str().split_once('-'));
        let bare = bare.map(|((start, _), (_, number))| format!("{start}/{number}"));
        let spellings = [Some(expected.to_owned()), bare];
        if spellings.into_iter().flatten().any(|spelling| is_url(plain, &spelling)) {
            return Ok(());
        }
        let href = quoted(href);
        Err(HrefMismatch(format!(
            "the href \"{href}\" is not {expected}, the URL of this id"
        )))
    }

    /// The URL of plain path segments below the base URL.
    pub(super) fn join(&self, segments: &[&str]) -> Option<Url> {
        let url = Url::parse(&format!("{}/{}", self.text, segments.join("/"))).ok()?;
        // A segment that the parser changes was not plain.
        (url.as_str().strip_prefix(&self.text)?.strip_prefix('/')? == segments.join("/")).then_some(url)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The text before a query of plain characters; the whole text if the query has others, or if there is a fragment.
fn without_query(href: &str) -> &str {
    match href.split_once('?') {
        Some((plain, query))
            if query
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"#\\".contains(&byte)) =>
        {
            plain
        }
        _ => href,
    }
}

/// True if `href` is this URL, with or without the port of https.
fn is_url(href: &str, url: &str) -> bool {
    let parts = url.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    let with_port = parts
        .filter(|(host, _)| !host.contains(':'))
        .map(|(host, path)| format!("https://{host}:443/{path}"));
    href == url || with_port.is_some_and(|with_port| href == with_port)
}

/// True for an id of the documented shape (`[a-zA-Z]+-[\d]+(-[^-]+)?`) with only letters, digits and `_` in its last part.
pub(super) fn is_plain_id(id: &str) -> bool {
    let all = |part: &str, is: fn(&u8) -> bool| !part.is_empty() && part.bytes().all(|byte| is(&byte));
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let has_start = |letters, digits| all(letters, u8::is_ascii_alphabetic) && all(digits, u8::is_ascii_digit);
    match id.split('-').collect::<Vec<_>>()[..] {
        [letters, digits] => has_start(letters, digits),
        [letters, digits, last] => has_start(letters, digits) && all(last, is_word),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
