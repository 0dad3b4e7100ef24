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
        let (bare, resource) = match split_once(text, b'/') {
            Some((bare, resource)) => (bare, Some(resource)),
            None => (text, None),
        };
        let (local, domain) = match split_once(bare, b'@') {
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

/// Like the method of `str`, at a character of ASCII; this runs for every stanza, so it is quick.
fn split_once(text: &str, separator: u8) -> Option<(&str, &str)> {
    let at = memchr::memchr(separator, text.as_bytes())?;
    Some((text.get(..at)?, text.get(at + 1..)?))
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

/// Is this a domain name of lower-case letters, digits and hyphens, which needs no preparation? A label with hyphens
/// in third and fourth place may be an A-label, which does.
fn is_plain_domain(name: &str) -> bool {
    let (mut length, mut previous) = (0, b'.');
    for b in name.bytes() {
        match b {
            b'a'..=b'z' | b'0'..=b'9' if length < MAX_LABEL => length += 1,
            b'-' if (1..MAX_LABEL).contains(&length) && (length, previous) != (3, b'-') => length += 1,
            b'.' if length > 0 && previous != b'-' => length = 0,
            _ => return false,
        }
        previous = b;
    }
    length > 0 && previous != b'-'
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
    if prepared.bytes().any(|b| matches!(b, b'"' | b'&' | b'\'' | b'/' | b':' | b'<' | b'>' | b'@')) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn jid(text: &str) -> Jid {
        Jid::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
    }

    fn parts(text: &str) -> (Option<String>, String, Option<String>) {
        let jid = jid(text);
        (jid.local().map(str::to_owned), jid.domain().to_owned(), jid.resource().map(str::to_owned))
    }

    fn same(parts: (Option<String>, String, Option<String>), local: &str, domain: &str, resource: &str) {
        let part = |part: &str| (!part.is_empty()).then(|| part.to_owned());
        assert_eq!(parts, (part(local), domain.to_owned(), part(resource)));
    }

    /// RFC 7622 §3.5, table 1.
    #[test]
    fn examples_of_valid_addresses_are_accepted() {
        same(parts("juliet@example.com"), "juliet", "example.com", "");
        same(parts("juliet@example.com/foo"), "juliet", "example.com", "foo");
        same(parts("juliet@example.com/foo bar"), "juliet", "example.com", "foo bar");
        same(parts("juliet@example.com/foo@bar"), "juliet", "example.com", "foo@bar");
        same(parts("foo\\20bar@example.com"), "foo\\20bar", "example.com", "");
        same(parts("fussball@example.com"), "fussball", "example.com", "");
        same(parts("fu\u{df}ball@example.com"), "fußball", "example.com", "");
        same(parts("\u{3c0}@example.com"), "π", "example.com", "");
        same(parts("\u{3a3}@example.com/foo"), "σ", "example.com", "foo");
        same(parts("\u{3c3}@example.com/foo"), "σ", "example.com", "foo");
        same(parts("\u{3c2}@example.com/foo"), "ς", "example.com", "foo");
        same(parts("king@example.com/\u{265a}"), "king", "example.com", "♚");
        same(parts("example.com"), "", "example.com", "");
        same(parts("example.com/foobar"), "", "example.com", "foobar");
        same(parts("a.example.com/b@example.net"), "", "a.example.com", "b@example.net");
    }

    /// RFC 7622 §3.5, table 2. It also lists a leading space in a resourcepart, which the profile it prescribes in
    /// §3.4 allows; room nicknames of that kind are about, so it is accepted here.
    #[test]
    fn examples_of_invalid_addresses_are_refused() {
        use JidError::{Empty, Invalid};
        for (text, error) in [
            ("\"juliet\"@example.com", Invalid(Part::Local)),
            ("foo bar@example.com", Invalid(Part::Local)),
            ("@example.com/", Empty(Part::Local)),
            ("henry\u{2163}@example.com", Invalid(Part::Local)),
            ("\u{265a}@example.com", Invalid(Part::Local)),
            ("juliet@", Empty(Part::Domain)),
            ("/foobar", Empty(Part::Domain)),
        ] {
            assert_eq!(Jid::parse(text), Err(error), "{text:?}");
        }
        same(parts("juliet@example.com/ foo"), "juliet", "example.com", " foo");
    }

    #[test]
    fn every_part_that_is_announced_must_be_there() {
        for (text, part) in [
            ("", Part::Domain),
            ("@", Part::Domain),
            ("/", Part::Domain),
            ("@example.org", Part::Local),
            ("example.org/", Part::Resource),
            ("romeo@example.org/", Part::Resource),
            ("romeo@/balcony", Part::Domain),
        ] {
            assert_eq!(Jid::parse(text), Err(JidError::Empty(part)), "{text:?}");
        }
    }

    #[test]
    fn the_first_slash_and_the_first_at_before_it_separate() {
        same(parts("a@b.c/d@e/f"), "a", "b.c", "d@e/f");
        same(parts("b.c/d@e/f"), "", "b.c", "d@e/f");
        assert_eq!(Jid::parse("a@b@c"), Err(JidError::Invalid(Part::Domain)));
    }

    #[test]
    fn localparts_lack_the_characters_that_rfc_7622_excludes() {
        for c in "\"&':<>\u{7f} \n\0＠：＆".chars() {
            assert_eq!(
                Jid::from_parts(Some(&format!("a{c}b")), "example.org", None),
                Err(JidError::Invalid(Part::Local))
            );
        }
        assert_eq!(Jid::localpart("a@b"), Err(JidError::Invalid(Part::Local)));
        assert_eq!(Jid::localpart("a/b"), Err(JidError::Invalid(Part::Local)));
        same(parts("!#$%()*+,-.;=?[\\]^_`{|}~@example.org"), "!#$%()*+,-.;=?[\\]^_`{|}~", "example.org", "");
    }

    #[test]
    fn a_username_alone_is_prepared_like_a_localpart() {
        assert_eq!(Jid::localpart("Romeo").as_deref(), Ok("romeo"));
        assert_eq!(Jid::localpart("Ｒomeo").as_deref(), Ok("romeo"));
        assert_eq!(Jid::localpart(""), Err(JidError::Empty(Part::Local)));
    }

    #[test]
    fn domains_have_one_spelling() {
        for (typed, prepared) in [
            ("EXAMPLE.org", "example.org"),
            ("example.org.", "example.org"),
            ("example。org。", "example.org"),
            ("ｅxample.org", "example.org"),
            ("XN--mnchen-3ya.example", "münchen.example"),
            ("xn--mnchen-3ya.example", "münchen.example"),
            ("MÜNCHEN.example", "münchen.example"),
            ("mu\u{308}nchen.example", "münchen.example"),
            ("faß.example", "faß.example"),
            ("xn--fa-hia.example", "faß.example"),
            ("שלום.example", "שלום.example"),
            ("例え.テスト", "例え.テスト"),
            ("r3---sn.example", "r3---sn.example"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[2001:DB8:0:0:0:0:0:1]", "[2001:db8::1]"),
        ] {
            assert_eq!(jid(typed).as_str(), prepared, "{typed:?}");
            assert_eq!(jid(prepared).as_str(), prepared);
        }
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        for domain in [
            ".",
            "..",
            ".example",
            "a..b",
            "a.b..",
            "-a.b",
            "a-.b",
            "a b",
            "a_b",
            "a:5222",
            "*.a",
            "a\0",
            "a/b",
            "☃.example",
            "i❤.example",
            "xn--",
            "xn--a",
            "xn--a-.b",
            "xn--0.b",
            "xn--\u{fc}.b",
            "a\u{200d}b",
            "\u{301}a.b",
            "aא.b",
            "[::1",
            "[]",
            "[::1].b",
            "[127.0.0.1]",
            "[v1.a]",
            "[fe80::1%eth0]",
            "::1",
            "\u{ad}",
            "a\u{2044}b",
        ] {
            assert!(
                matches!(Jid::from_parts(None, domain, None), Err(JidError::Invalid(Part::Domain))),
                "{domain:?}: {:?}",
                Jid::from_parts(None, domain, None)
            );
        }
    }

    #[test]
    fn plain_domains_need_no_tables() {
        let alphabet = b"aZ0-.x_n";
        let mut random = 1_u64;
        let mut plain = 0;
        for round in 0..60_000 {
            let domain: String = (0..round % 7)
                .map(|_| {
                    random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    char::from(alphabet[(random >> 61) as usize])
                })
                .collect();
            if is_plain_domain(&domain) {
                plain += 1;
                assert_eq!(domain_name(&domain).as_deref(), Ok(&*domain));
            } else if !domain.contains("--") {
                // Then it is not valid, or there is something to do.
                assert_ne!(domain_name(&domain).as_deref(), Ok(&*domain));
            }
        }
        assert!(plain > 1_000);
    }

    #[test]
    fn each_part_has_at_most_1023_bytes_once_it_is_prepared() {
        let (longest, longer) = ("a".repeat(MAX_PART), "a".repeat(MAX_PART + 1));
        assert_eq!(Jid::localpart(&longest).as_deref(), Ok(&*longest));
        assert_eq!(Jid::localpart(&longer), Err(JidError::TooLong(Part::Local)));
        assert_eq!(Jid::localpart(&"Ａ".repeat(MAX_PART)).as_deref(), Ok(&*longest));
        assert_eq!(Jid::localpart(&"é".repeat(512)), Err(JidError::TooLong(Part::Local)));
        let with_resource = |resource: &str| jid("example.org").with_resource(resource);
        assert!(with_resource(&longest).is_ok());
        assert_eq!(with_resource(&longer), Err(JidError::TooLong(Part::Resource)));

        let label = "a".repeat(MAX_LABEL);
        assert!(Jid::parse(&label).is_ok());
        assert_eq!(Jid::parse(&format!("{label}a")), Err(JidError::TooLong(Part::Domain)));
        assert_eq!(Jid::parse(&format!("{label}A")), Err(JidError::TooLong(Part::Domain)));
        // Forty letters, but more than 63 in the ASCII form.
        assert_eq!(Jid::parse(&"例え".repeat(40)), Err(JidError::TooLong(Part::Domain)));
        let longest = format!("{}{}", "a.".repeat(511), "a");
        assert!(Jid::parse(&longest).is_ok());
        assert!(Jid::parse(&format!("{longest}.")).is_ok());
        assert_eq!(Jid::parse(&format!("{longest}a")), Err(JidError::TooLong(Part::Domain)));

        let everything = format!("{0}@{longest}/{0}", "a".repeat(MAX_PART));
        assert_eq!(jid(&everything).as_str(), everything);
        assert_eq!(jid(&everything).resource().map(str::len), Some(MAX_PART));
    }

    #[test]
    fn parts_are_found_again() {
        let full = jid("Romeo@Example.ORG/Balcony");
        assert_eq!(full.as_str(), "romeo@example.org/Balcony");
        assert_eq!(full.bare_str(), "romeo@example.org");
        assert_eq!(full.bare(), jid("romeo@example.org"));
        assert_eq!(full.bare().local(), Some("romeo"));
        assert_eq!(full.domain_jid(), jid("example.org"));
        assert_eq!(full.domain_jid().local(), None);
        assert_eq!(full.with_resource("Garden"), Ok(jid("romeo@example.org/Garden")));
        assert_eq!(full.bare().with_resource("Balcony").as_ref(), Ok(&full));
        assert!(full.is_full() && !full.is_bare() && !full.is_domain());
        assert!(full.bare().is_bare() && !full.bare().is_full() && !full.bare().is_domain());
        assert!(full.domain_jid().is_domain() && full.domain_jid().is_bare());
        assert!(!jid("example.org/a").is_domain());
        assert!(full.same_bare(&jid("romeo@example.org/Garden")));
        assert!(!full.same_bare(&jid("juliet@example.org/Balcony")));
        assert_eq!(Jid::from_parts(Some("Romeo"), "Example.ORG", Some("Balcony")), Ok(full));
    }

    #[test]
    fn a_map_of_addresses_can_be_asked_with_a_string() {
        let map = HashMap::from([(jid("romeo@example.org"), 1)]);
        assert_eq!(map.get("romeo@example.org"), Some(&1));
        assert_eq!(map.get(jid("romeo@example.org/balcony").bare_str()), Some(&1));
        let sorted =
            std::collections::BTreeMap::from([(jid("b@example.org"), 1), (jid("a@example.org/c"), 2)]);
        assert_eq!(sorted.get("a@example.org/c"), Some(&2));
        assert_eq!(sorted.into_values().collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn an_address_is_small() {
        assert!(size_of::<Jid>() <= 24);
        assert_eq!(size_of::<Option<Jid>>(), size_of::<Jid>());
    }

    #[test]
    fn errors_say_which_part_is_wrong() {
        let error = |text: &str| Jid::parse(text).map_err(|error| error.to_string());
        assert_eq!(error("@a"), Err("the localpart of the address is empty".into()));
        assert_eq!(error("a b"), Err("the domainpart of the address has what it must not have".into()));
    }

    #[test]
    fn a_prepared_address_is_its_own_preparation() {
        let pieces = [
            "a", "B", "0", "-", ".", "@", "/", " ", "xn--", "ü", "Ａ", "。", "\u{308}", "ß", "א", "ب",
            "\u{661}", "ﬁ", "♚", "l·l", "[",
        ];
        let mut random = 1_u64;
        let mut valid = 0;
        for _ in 0..100_000 {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let mut seed = random >> 16;
            let mut text = String::new();
            while seed > 0 {
                text.push_str(pieces[seed as usize % pieces.len()]);
                seed /= 3 * pieces.len() as u64;
            }
            let Ok(once) = Jid::parse(&text) else { continue };
            valid += 1;
            assert_eq!(Jid::parse(once.as_str()).as_ref(), Ok(&once), "{text:?}");
            assert_eq!(Jid::from_parts(once.local(), once.domain(), once.resource()), Ok(once), "{text:?}");
        }
        assert!(valid > 1_000, "{valid}");
    }
}
