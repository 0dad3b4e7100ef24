//! The values of the configuration: their types, and the check of each where it is read, so that the error has its line.

use std::net::SocketAddr;

use serde::de::{Deserialize, Deserializer, Error};

use crate::jid::Jid;

/// A bound that 0 in the file switches off, made so that a comparison cannot forget it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(Option<u64>);

impl Limit {
    pub const OFF: Limit = Limit(None);

    /// A limit as it stands in the file.
    pub const fn of(value: u64) -> Limit {
        if value == 0 { Limit::OFF } else { Limit(Some(value)) }
    }

    /// The bound, or `None` where there is none.
    pub const fn get(self) -> Option<u64> {
        self.0
    }

    /// The bound as a number to compare with; where there is none, the largest.
    pub const fn max(self) -> u64 {
        match self.0 {
            Some(value) => value,
            None => u64::MAX,
        }
    }

    /// The same for lengths.
    pub fn max_len(self) -> usize {
        usize::try_from(self.max()).unwrap_or(usize::MAX)
    }

    /// A bound in seconds, in milliseconds.
    pub const fn max_millis(self) -> u64 {
        self.max().saturating_mul(1000)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        u64::deserialize(input).map(Limit::of)
    }
}

/// Who can make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    Closed,
    Open,
}

/// What is archived for an account that has not said what it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArchiveDefault {
    Always,
    Roster,
    Never,
}

/// The value of a key whose name is reserved for a feature of a later version: there is none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct NotYet;

impl<'de> Deserialize<'de> for NotYet {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("this listener is not in this version yet; remove the line"))
    }
}

/// A string, or a list of strings.
#[derive(serde::Deserialize)]
#[serde(untagged, expecting = "expected a domain such as \"example.org\", or a list of domains")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

pub(super) fn domains<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    let domains = match OneOrMany::deserialize(input)? {
        OneOrMany::One(domain) => vec![domain],
        OneOrMany::Many(domains) => domains,
    };
    let mut seen = Vec::new();
    each(domains, |domain| {
        let jid = Jid::parse(&domain).ok().filter(Jid::is_domain);
        let jid =
            jid.ok_or_else(|| format!("{domain:?} is not a domain; write one such as \"example.org\""))?;
        if seen.contains(&jid) {
            return Err(format!("{domain:?} is here twice; remove one"));
        }
        seen.push(jid.clone());
        Ok(jid.to_string())
    })
}

pub(super) fn subdomain<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let name = String::deserialize(input)?;
    if name.is_empty() {
        return Ok(name);
    }
    // What comes of it must be a domain.
    let jid = Jid::parse(&format!("{name}.example")).ok().filter(Jid::is_domain);
    let prepared = jid.and_then(|jid| jid.domain().strip_suffix(".example").map(str::to_owned));
    prepared.ok_or_else(|| {
        D::Error::custom(format!(
            "{name:?} can't stand in front of a domain; write a name such as \"pubsub\""
        ))
    })
}

pub(super) fn bare_addresses<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    each(Vec::<String>::deserialize(input)?, |address| {
        let jid = Jid::parse(&address).ok().filter(|jid| jid.is_bare() && !jid.is_domain());
        let hint = "write one such as \"me@example.org\"";
        jid.map(|jid| jid.to_string())
            .ok_or_else(|| format!("{address:?} is not the address of an account; {hint}"))
    })
}

pub(super) fn names<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    each(Vec::<String>::deserialize(input)?, |name| {
        let hint = "write the part of an address before the @";
        Jid::localpart(&name).map_err(|_| format!("{name:?} is not the name of an account; {hint}"))
    })
}

/// Who belongs to a room.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum RoomMembers {
    #[default]
    Everyone,
    /// Names of accounts of the room's domain, or addresses.
    Listed(Vec<String>),
}

impl<'de> Deserialize<'de> for RoomMembers {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged, expecting = "expected \"everyone\", or a list of accounts such as [\"juliet\"]")]
        enum Written {
            Word(String),
            List(Vec<String>),
        }
        match Written::deserialize(input)? {
            Written::Word(word) if word == "everyone" => Ok(RoomMembers::Everyone),
            Written::Word(word) => Err(D::Error::custom(format!(
                "{word:?} is neither \"everyone\" nor a list of accounts; write one such as [{word:?}]"
            ))),
            Written::List(list) => each(list, account).map(RoomMembers::Listed),
        }
    }
}

pub(super) fn accounts<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    each(Vec::<String>::deserialize(input)?, account)
}

/// The name of an account, or its address.
fn account(text: String) -> Result<String, String> {
    let prepared = match text.contains('@') {
        true => {
            Jid::parse(&text).ok().filter(|jid| jid.is_bare() && !jid.is_domain()).map(|jid| jid.to_string())
        }
        false => Jid::localpart(&text).ok().map(|name| name.to_string()),
    };
    let hint = "write its address, or the part before the @";
    prepared.ok_or_else(|| format!("{text:?} is not an account; {hint}"))
}

pub(super) fn name<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let name = String::deserialize(input)?;
    let hint = "write the part of its address before the @, such as \"family\"";
    let prepared = Jid::localpart(&name).map(|name| name.to_string());
    prepared.map_err(|_| D::Error::custom(format!("{name:?} is not the name of a room; {hint}")))
}

pub(super) fn domain_or_none<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let domain = String::deserialize(input)?;
    if domain.is_empty() {
        return Ok(domain);
    }
    let jid = Jid::parse(&domain).ok().filter(Jid::is_domain);
    jid.map(|jid| jid.to_string()).ok_or_else(|| D::Error::custom(format!("{domain:?} is not a domain")))
}

pub(super) fn yes() -> bool {
    true
}

pub(super) fn socket_addresses<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<SocketAddr>, D::Error> {
    each(Vec::<String>::deserialize(input)?, |address| {
        address.parse().map_err(|_| {
            format!("{address:?} is not an address with a port; write one such as \"[::]:5222\" or \"192.0.2.7:5222\"")
        })
    })
}

pub(super) fn uris<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    each(Vec::<String>::deserialize(input)?, |uri| {
        let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
        let scheme_is_valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        if !scheme_is_valid || uri.contains(|c: char| c.is_whitespace() || c.is_control()) {
            let hint = "\"mailto:me@example.org\", \"xmpp:me@example.org\" or \"https://example.org/\"";
            return Err(format!("{uri:?} is not a URI; write one such as {hint}"));
        }
        Ok(uri)
    })
}

pub(super) fn stanza_bytes<'de, D: Deserializer<'de>>(input: D) -> Result<Limit, D::Error> {
    match u64::deserialize(input)? {
        0 => Ok(Limit::OFF),
        value if value >= 10_000 => Ok(Limit::of(value)),
        value => Err(D::Error::custom(format!("{value} is too small: RFC 6120 asks for at least 10000"))),
    }
}

pub(super) fn scram_iterations<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    match u32::deserialize(input)? {
        value @ 4096..=1_000_000 => Ok(value),
        value => Err(D::Error::custom(format!("{value} is not between 4096 and 1000000"))),
    }
}

pub(super) fn token_days<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    match u32::deserialize(input)? {
        value @ 0..=3650 => Ok(value),
        value => Err(D::Error::custom(format!("{value} is too long: at most 3650 days"))),
    }
}

pub(super) fn commit_window<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    match u64::deserialize(input)? {
        value @ 0..=1000 => Ok(value),
        value => Err(D::Error::custom(format!("{value} is too long: at most 1000 milliseconds"))),
    }
}

pub(super) fn resume_seconds<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    match u64::deserialize(input)? {
        value @ 0..=86_400 => Ok(value),
        value => Err(D::Error::custom(format!("{value} is too long: at most 86400 seconds, a day"))),
    }
}

pub(super) fn level<'de, D: Deserializer<'de>>(input: D) -> Result<log::LevelFilter, D::Error> {
    match String::deserialize(input)?.as_str() {
        "error" => Ok(log::LevelFilter::Error),
        "warn" => Ok(log::LevelFilter::Warn),
        "info" => Ok(log::LevelFilter::Info),
        "debug" => Ok(log::LevelFilter::Debug),
        other => Err(D::Error::custom(format!(
            "{other:?} is not a level; write \"error\", \"warn\", \"info\" or \"debug\""
        ))),
    }
}

fn each<T, E: Error>(
    values: Vec<String>,
    check: impl FnMut(String) -> Result<T, String>,
) -> Result<Vec<T>, E> {
    values.into_iter().map(check).collect::<Result<_, _>>().map_err(E::custom)
}
