//! The list of hosts in a database URL: in its authority, or in the parameters `host`, `hostaddr` and `port`, which replace those of the
//! authority. A parameter holds a list, or is repeated.

use std::borrow::Cow;
use std::net::IpAddr;

use sqlx_core::percent_encoding::percent_decode_str;

use super::error::DatabaseUrlError;
use crate::percent_encoding::percent_encoded;

/// A name, an address, or the folder of a socket; both parts have defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Host {
    name: Option<String>,
    port: Option<u16>,
}

impl Host {
    pub(super) fn has_name(&self) -> bool {
        self.name.is_some()
    }

    /// Returns it as parameters of a URL.
    pub(super) fn parameters(&self) -> String {
        let host = self.name.as_ref().map(|name| format!("host={}", percent_encoded(name)));
        let port = self.port.map(|port| format!("port={port}"));
        host.into_iter().chain(port).collect::<Vec<_>>().join("&")
    }
}

/// Returns the hosts, or none where only defaults apply.
pub(super) fn host_list(authority: &str, parameters: &[&str]) -> Result<Vec<Host>, DatabaseUrlError> {
    let named: Vec<Host> = match authority {
        "" => Vec::new(),
        _ => authority.split(',').map(with_port).collect::<Result<_, _>>()?,
    };
    let (mut hosts, ports): (Vec<Option<String>>, Vec<Option<u16>>) =
        named.into_iter().map(|host| (host.name, host.port)).unzip();
    let names = list(parameters, "host")?;
    if !names.is_empty() {
        hosts = names
            .iter()
            .map(|name| host_name(name).map(Some))
            .collect::<Result<_, _>>()?;
    }
    let addresses = list(parameters, "hostaddr")?;
    if !addresses.is_empty() {
        if hosts.is_empty() {
            hosts = vec![None; addresses.len()];
        }
        let (hosts_given, addresses_given) = (hosts.len(), addresses.len());
        if hosts_given != addresses_given {
            return Err(DatabaseUrlError::Addresses {
                hosts: hosts_given,
                addresses: addresses_given,
            });
        }
        for (host, address) in hosts.iter_mut().zip(addresses) {
            if !address.is_empty() {
                let address: IpAddr = address.parse().map_err(|_| DatabaseUrlError::Hosts)?;
                *host = Some(address.to_string());
            }
        }
        if hosts.iter().any(Option::is_none) {
            return Err(DatabaseUrlError::Hosts);
        }
    }
    let given: Vec<String> = list(parameters, "port")?;
    let ports = match given.is_empty() {
        true => ports,
        false => given.iter().map(|port| port_number(port)).collect::<Result<_, _>>()?,
    };
    if hosts.is_empty() && ports.len() == 1 {
        hosts.push(None);
    }
    if ports.len() > 1 && ports.len() != hosts.len() {
        let (hosts, ports) = (hosts.len(), ports.len());
        return Err(DatabaseUrlError::Ports { hosts, ports });
    }
    let of_all = ports.first().copied().flatten();
    let hosts = hosts.into_iter().enumerate().map(|(index, name)| Host {
        name,
        port: if ports.len() > 1 { ports[index] } else { of_all },
    });
    Ok(hosts.collect())
}

/// Returns the entries of all parameters of this name.
fn list(parameters: &[&str], name: &str) -> Result<Vec<String>, DatabaseUrlError> {
    let mut entries = Vec::new();
    for parameter in parameters {
        if let Some((found, value)) = parameter.split_once('=')
            && found == name
            && !value.is_empty()
        {
            entries.extend(decoded(value)?.split(',').map(str::to_owned));
        }
    }
    Ok(entries)
}

/// Parses `host`, `host:port` or `[address]:port`.
fn with_port(entry: &str) -> Result<Host, DatabaseUrlError> {
    let (name, port) = match entry.rsplit_once(':') {
        // The last colon is one of the address.
        Some((_, rest)) if rest.ends_with(']') => (entry, ""),
        Some((name, port)) => (name, port),
        None => (entry, ""),
    };
    if name.contains(':') && !name.starts_with('[') {
        return Err(DatabaseUrlError::Hosts);
    }
    Ok(Host {
        name: Some(host_name(&decoded(name)?)?),
        port: port_number(port)?,
    })
}

fn host_name(name: &str) -> Result<String, DatabaseUrlError> {
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_socket = name.starts_with('/');
    let name = address.unwrap_or(name);
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-._".contains(c));
    let is_address = name.parse::<IpAddr>().is_ok();
    if (is_name && address.is_none()) || is_address || is_socket {
        return Ok(name.to_owned());
    }
    Err(DatabaseUrlError::Hosts)
}

/// An empty one is the default.
fn port_number(port: &str) -> Result<Option<u16>, DatabaseUrlError> {
    match port {
        "" => Ok(None),
        port => match port.parse() {
            Ok(0) | Err(_) => Err(DatabaseUrlError::Hosts),
            Ok(port) => Ok(Some(port)),
        },
    }
}

fn decoded(text: &str) -> Result<String, DatabaseUrlError> {
    let text = percent_decode_str(text).decode_utf8();
    text.map(Cow::into_owned).map_err(|_| DatabaseUrlError::Hosts)
}
