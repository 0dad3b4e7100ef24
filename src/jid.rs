//! Addresses: `localpart@domainpart/resourcepart` (RFC 7622).
//!
//! A [`Jid`] is always prepared: case, width and composed forms are settled when it is made, so two addresses
//! are the same exactly when their strings are. It is one shared string with two offsets; a clone costs a
//! reference count, and a `HashMap<Jid, _>` can be asked with a `&str` (of an address that is prepared already).
//!
//! What is refused comes back as a [`JidError`], which says which part is wrong and why; towards a peer all of
//! them are `<jid-malformed/>`. Preparing a prepared address changes nothing.
//!
//! Nearly all addresses are plain ASCII, and there every rule comes down to a look at each byte; for the rest of
//! Unicode the rules are those of PRECIS and IDNA. Both ways agree, and tests hold them to it.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::Ipv6Addr;
use std::str::FromStr;
use std::sync::Arc;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use crate::precis;

/// The most bytes that each part of an address may have (§3.2 to §3.4).
pub const MAX_PART: usize = 1023;

/// A label of a domain name may have 63 bytes in its ASCII form.
const MAX_LABEL: usize = 63;

/// No preparation makes text shorter than a quarter, but by leaving out what nobody should have sent: anything
/// longer is refused before work is spent on it.
const MAX_UNPREPARED: usize = 4 * MAX_PART;

/// A prepared address.
#[derive(Clone)]
pub struct Jid {
    text: Arc<str>,
    /// Where the `@` stands; 0 if there is no localpart, since one is never empty.
    at: u16,
    /// Where the domainpart ends: at the `/`, or at the end of the text.
    domain_end: u16,
}

/// Why a string is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JidError {
    /// A part is there, but empty: `@example.org`, `example.org/`, or nothing at all.
    Empty(Part),
    /// A part has more than 1023 bytes, or a label of the domain name more than 63.
    TooLong(Part),
    /// A part has characters that it must not have, or in an order that it must not have.
    Invalid(Part),
}

/// The parts of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Local,
    Domain,
    Resource,
}

impl Jid {
    /// Prepares and checks an address.
    pub fn parse(text: &str) -> Result<Jid, JidError> {
        // §3.1: the first '/' begins the resourcepart, and the first '@' before it ends the localpart.
        let (bare, resource) = match text.split_once('/') {
            Some((bare, resource)) => (bare, Some(resource)),
            None => (text, None),
        };
        let (local, domain) = match bare.split_once('@') {
            Some((local, domain)) => (Some(local), domain),
            None => (None, bare),
        };
        let (local, domain, resource) = prepare(local, domain, resource)?;
        let at = local.as_ref().map_or(0, |local| local.len());
        let domain_end = if at == 0 { 0 } else { at + 1 } + domain.len();
        let unchanged = matches!(local, None | Some(Cow::Borrowed(_)))
            && matches!(domain, Cow::Borrowed(_))
            && matches!(resource, None | Some(Cow::Borrowed(_)))
            && domain_end + resource.as_ref().map_or(0, |resource| 1 + resource.len()) == text.len();
        if unchanged {
            return Ok(Jid { text: Arc::from(text), at: at as u16, domain_end: domain_end as u16 });
        }
        Ok(join(local.as_deref(), &domain, resource.as_deref()))
    }

    /// Prepares and checks an address that comes in parts.
    pub fn from_parts(local: Option<&str>, domain: &str, resource: Option<&str>) -> Result<Jid, JidError> {
        let (local, domain, resource) = prepare(local, domain, resource)?;
        Ok(join(local.as_deref(), &domain, resource.as_deref()))
    }

    /// Prepares a localpart alone: the name of an account, as somebody typed it.
    pub fn localpart(local: &str) -> Result<String, JidError> {
        localpart(local).map(Cow::into_owned)
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn local(&self) -> Option<&str> {
        (self.at > 0).then(|| self.slice(0, self.at.into()))
    }

    pub fn domain(&self) -> &str {
        let start = if self.at > 0 { usize::from(self.at) + 1 } else { 0 };
        self.slice(start, self.domain_end.into())
    }

    pub fn resource(&self) -> Option<&str> {
        self.is_full().then(|| self.slice(usize::from(self.domain_end) + 1, self.text.len()))
    }

    /// The address without its resourcepart.
    pub fn bare_str(&self) -> &str {
        self.slice(0, self.domain_end.into())
    }

    /// The address without its resourcepart.
    pub fn bare(&self) -> Jid {
        if self.is_bare() {
            return self.clone();
        }
        Jid { text: Arc::from(self.bare_str()), ..*self }
    }

    /// The address of the domain alone.
    pub fn domain_jid(&self) -> Jid {
        if self.is_domain() {
            return self.clone();
        }
        join(None, self.domain(), None)
    }

    /// The same address with another resourcepart, which is prepared.
    pub fn with_resource(&self, resource: &str) -> Result<Jid, JidError> {
        Ok(join(self.local(), self.domain(), Some(&resourcepart(resource)?)))
    }

    /// Is there no resourcepart?
    pub fn is_bare(&self) -> bool {
        usize::from(self.domain_end) == self.text.len()
    }

    /// Is there a resourcepart?
    pub fn is_full(&self) -> bool {
        !self.is_bare()
    }

    /// Is this the address of a domain, with neither localpart nor resourcepart?
    pub fn is_domain(&self) -> bool {
        self.at == 0 && self.is_bare()
    }

    /// Are both the same but for the resourcepart?
    pub fn same_bare(&self, other: &Jid) -> bool {
        self.bare_str() == other.bare_str()
    }

    /// The offsets were made with the text, so the range is always there.
    fn slice(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end).unwrap_or_default()
    }
}

type Parts<'a> = (Option<Cow<'a, str>>, Cow<'a, str>, Option<Cow<'a, str>>);

fn prepare<'a>(
    local: Option<&'a str>,
    domain: &'a str,
    resource: Option<&'a str>,
) -> Result<Parts<'a>, JidError> {
    let domain = domainpart(domain)?;
    Ok((local.map(localpart).transpose()?, domain, resource.map(resourcepart).transpose()?))
}

/// Puts prepared parts together.
fn join(local: Option<&str>, domain: &str, resource: Option<&str>) -> Jid {
    let length = |part: Option<&str>| part.map_or(0, |part| part.len() + 1);
    let mut text = String::with_capacity(length(local) + domain.len() + length(resource));
    if let Some(local) = local {
        text.push_str(local);
        text.push('@');
    }
    text.push_str(domain);
    let domain_end = text.len();
    if let Some(resource) = resource {
        text.push('/');
        text.push_str(resource);
    }
    // Each part has at most 1023 bytes, so both offsets fit.
    let at = local.map_or(0, str::len) as u16;
    Jid { text: Arc::from(text), at, domain_end: domain_end as u16 }
}

// §3.2: the domainpart is a domain name or an address of a host.

fn domainpart(domain: &str) -> Result<Cow<'_, str>, JidError> {
    check_length(domain, MAX_UNPREPARED, Part::Domain)?;
    // §3.2: a dot at the end, which says that the name is absolute, is no part of it.
    let name = domain.strip_suffix('.').unwrap_or(domain);
    if is_plain_domain(name) {
        check_length(name, MAX_PART, Part::Domain)?;
        return Ok(Cow::Borrowed(name));
    }
    let prepared = match domain.strip_prefix('[') {
        Some(rest) => ip_literal(rest),
        None => domain_name(domain),
    }?;
    check_length(&prepared, MAX_PART, Part::Domain)?;
    // What did not change is handed back as it came, so that it need not be copied.
    Ok(if prepared == domain { Cow::Borrowed(domain) } else { Cow::Owned(prepared) })
}

/// Is this a domain name of lower-case letters, digits and hyphens, which needs no preparation?
fn is_plain_domain(name: &str) -> bool {
    name.split('.').all(|label| {
        let bytes = label.as_bytes();
        (1..=MAX_LABEL).contains(&bytes.len())
            && bytes.iter().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && bytes.first() != Some(&b'-')
            && bytes.last() != Some(&b'-')
            && !label.starts_with("xn--")
    })
}

/// `[2001:db8::1]`, written as RFC 5952 wants it, so that equal addresses are equal strings.
fn ip_literal(rest: &str) -> Result<String, JidError> {
    let address = rest.strip_suffix(']').and_then(|address| address.parse::<Ipv6Addr>().ok());
    address.map(|address| format!("[{address}]")).ok_or(JidError::Invalid(Part::Domain))
}

/// UTS #46 maps case, width, the other dots and A-labels (`xn--…`); what remains must be letters, digits and
/// hyphens or valid U-labels. (IPv4 addresses come this way too: they look like names.)
fn domain_name(domain: &str) -> Result<String, JidError> {
    const INVALID: JidError = JidError::Invalid(Part::Domain);
    let uts46 = Uts46::new();
    let (unicode, result) = uts46.to_unicode(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    result.map_err(|_| INVALID)?;
    let name = unicode.strip_suffix('.').unwrap_or(&unicode);
    let ascii = uts46
        .to_ascii(name.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Ignore)
        .map_err(|_| INVALID)?;
    for label in ascii.split('.') {
        match label.len() {
            0 => return Err(INVALID),
            1..=MAX_LABEL => {}
            _ => return Err(JidError::TooLong(Part::Domain)),
        }
    }
    // UTS #46 lets symbols pass, as browsers do; U-labels are letters, digits and marks (RFC 5892), which is what
    // the IdentifierClass of PRECIS has.
    if !name.split('.').all(precis::is_identifier) {
        return Err(INVALID);
    }
    Ok(name.to_owned())
}

// §3.3: the localpart is a name by the profile UsernameCaseMapped, less some characters.

fn localpart(local: &str) -> Result<Cow<'_, str>, JidError> {
    check_length(local, MAX_UNPREPARED, Part::Local)?;
    let prepared = precis::username_case_mapped(local).ok_or(JidError::Invalid(Part::Local))?;
    // §3.3.1: what an address or its place in XML would be unclear with.
    if prepared.contains(['"', '&', '\'', '/', ':', '<', '>', '@']) {
        return Err(JidError::Invalid(Part::Local));
    }
    check_length(&prepared, MAX_PART, Part::Local)?;
    Ok(prepared)
}

// §3.4: the resourcepart is free text by the profile OpaqueString.

fn resourcepart(resource: &str) -> Result<Cow<'_, str>, JidError> {
    check_length(resource, MAX_UNPREPARED, Part::Resource)?;
    let prepared = precis::opaque_string(resource).ok_or(JidError::Invalid(Part::Resource))?;
    check_length(&prepared, MAX_PART, Part::Resource)?;
    Ok(prepared)
}

fn check_length(text: &str, most: usize, part: Part) -> Result<(), JidError> {
    match text.len() {
        0 => Err(JidError::Empty(part)),
        length if length > most => Err(JidError::TooLong(part)),
        _ => Ok(()),
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jid({:?})", &*self.text)
    }
}

impl FromStr for Jid {
    type Err = JidError;

    fn from_str(text: &str) -> Result<Jid, JidError> {
        Jid::parse(text)
    }
}

impl AsRef<str> for Jid {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl Borrow<str> for Jid {
    fn borrow(&self) -> &str {
        &self.text
    }
}

// By the string alone, so that all four agree with those of `str`, as `Borrow` requires.

impl PartialEq for Jid {
    fn eq(&self, other: &Jid) -> bool {
        self.text == other.text
    }
}

impl Eq for Jid {}

impl Hash for Jid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl PartialOrd for Jid {
    fn partial_cmp(&self, other: &Jid) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Jid {
    fn cmp(&self, other: &Jid) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl fmt::Display for JidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JidError::Empty(part) => write!(f, "the {part} of the address is empty"),
            JidError::TooLong(part) => write!(f, "the {part} of the address is too long"),
            JidError::Invalid(part) => write!(f, "the {part} of the address has what it must not have"),
        }
    }
}

impl std::error::Error for JidError {}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Local => "localpart",
            Part::Domain => "domainpart",
            Part::Resource => "resourcepart",
        })
    }
}
