//! The visitor of a page: a signed-in token, or the user whom an authenticating proxy names.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use hyper::Method;
use hyper::http::request::Parts;

use super::cookie;
use super::error::ConsoleError;
use super::state::{Console, ConsoleState};
use crate::domain::actor::Actor;
use crate::domain::api_scope::ApiScope;
use crate::domain::terminal_text::is_unsafe;

/// Characters of a user's name.
const MAX_USER: usize = 100;

/// A person with access to the console.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The name of the token or of the user.
    pub name: String,
    pub scope: ApiScope,
    /// The author of what the visitor changes.
    pub actor: Actor,
    /// The text that each form carries.
    pub form_token: String,
    /// True if the visitor can sign out here.
    pub has_signed_in: bool,
}

impl Visitor {
    /// Returns whether the visitor may use an action with this scope.
    pub fn may(&self, needed: ApiScope) -> bool {
        self.scope >= needed
    }

    /// Finds the visitor of a request. The header of a trusted proxy comes before the cookie.
    fn of(parts: &Parts, console: &Console) -> Option<Self> {
        if let Some(visitor) = proxy_user(parts, console) {
            return Some(visitor);
        }
        let session = cookie::open(&parts.headers, &console.api.tokens, console.clock.now())?;
        Some(Self {
            actor: Actor::token(&session.token.name),
            name: session.token.name,
            scope: session.token.scope,
            form_token: session.form_token,
            has_signed_in: true,
        })
    }
}

/// The user whom the proxy at the other end of the connection names. Others could send the header themselves.
fn proxy_user(parts: &Parts, console: &Console) -> Option<Visitor> {
    let header = console.user_header.as_ref()?;
    if !peer(parts).is_some_and(|peer| console.proxies.trusts(peer)) {
        return None;
    }
    let mut values = parts.headers.get_all(&header.name).iter();
    let name = values.next().filter(|_| values.next().is_none())?;
    let name = name.to_str().ok()?.trim();
    if name.is_empty() || name.len() > MAX_USER || name.chars().any(is_unsafe) {
        return None;
    }
    Some(Visitor {
        actor: Actor::user(name),
        form_token: cookie::form_token(&console.form_key, name.as_bytes()),
        name: name.to_owned(),
        scope: header.scope,
        has_signed_in: false,
    })
}

/// The address at the other end of the connection.
pub fn peer(parts: &Parts) -> Option<IpAddr> {
    let info = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(info.0.ip())
}

/// Extractor that requires a visitor with this [`ApiScope`], or a higher one. Without a visitor it leads to the page for signing in.
#[derive(Debug)]
pub struct Access<const SCOPE: u8>(pub Visitor);

/// Requires a visitor.
pub type Reader = Access<{ ApiScope::Read as u8 }>;
/// Requires a visitor with the scope `admin`.
pub type Admin = Access<{ ApiScope::Admin as u8 }>;

impl<const SCOPE: u8> FromRequestParts<ConsoleState> for Access<SCOPE> {
    type Rejection = ConsoleError;

    async fn from_request_parts(parts: &mut Parts, console: &ConsoleState) -> Result<Self, ConsoleError> {
        let needed = ApiScope::from_repr(SCOPE).unwrap_or(ApiScope::Admin);
        require(parts, console, needed).map(Self)
    }
}

/// Returns the visitor of a request, who needs this scope.
pub fn require(parts: &Parts, console: &Console, needed: ApiScope) -> Result<Visitor, ConsoleError> {
    let Some(visitor) = Visitor::of(parts, console) else {
        // A form cannot be sent again after the visitor has signed in.
        let path = match parts.method {
            Method::GET => parts.uri.path_and_query().map_or("/console", |path| path.as_str()),
            _ => "/console",
        };
        return Err(ConsoleError::SignIn {
            path: path.to_owned(),
            is_htmx: parts.headers.contains_key("hx-request"),
        });
    };
    match visitor.may(needed) {
        true => Ok(visitor),
        false => Err(ConsoleError::Forbidden { needed }),
    }
}
