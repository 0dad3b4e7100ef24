//! The two things that come before the first stanza: an XML declaration, perhaps, and the stream's header
//! (RFC 6120 §4.7, §4.8).

use std::borrow::Cow;

use super::canonical;
use super::scope::{Prefixes, StreamScope};
use super::tag::{self, Attributes};
use super::{Limits, ReadError, ns};

/// The header of a stream, in the namespace of streams.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Header {
    pub to: Option<String>,
    pub from: Option<String>,
    pub id: Option<String>,
    pub version: Option<String>,
    /// `xml:lang`
    pub lang: Option<String>,
    /// The default namespace it declares: that of the stream's content (always as `jabber:client`), that of
    /// streams, or none (§4.8.2).
    pub default_ns: &'static str,
    /// Other namespaces for which it declares a prefix, as XEP-0220 asks.
    pub declared: Vec<String>,
}

/// The header, what its declarations mean for its children, and whether its name has a prefix.
pub(super) fn read(
    source: &str,
    content_ns: &str,
    limits: &Limits,
) -> Result<(Header, StreamScope, bool), ReadError> {
    let tag = source.strip_prefix('<').and_then(|source| source.strip_suffix('>'));
    let tag = tag.ok_or(ReadError::NotWellFormed)?;
    let outside = StreamScope::default();
    let mut prefixes = Prefixes::new(content_ns, &outside);
    let mut attrs = Vec::new();
    let start = canonical::start_tag(tag, Cow::Borrowed(""), &mut prefixes, &mut attrs, limits)?;
    if start.ns != ns::STREAMS {
        return Err(ReadError::InvalidNamespace);
    }
    // §4.8.5: we accept the customary prefix, or none.
    if !matches!(start.prefix, "stream" | "") {
        return Err(ReadError::BadNamespacePrefix);
    }
    if start.local != "stream" {
        return Err(ReadError::NotWellFormed);
    }
    // §4.8.3: no content but that of this kind of stream.
    let known = ["", ns::CLIENT, ns::STREAMS].into_iter().find(|known| start.default == *known);
    let mut header = Header { default_ns: known.ok_or(ReadError::InvalidNamespace)?, ..Header::default() };
    canonical::attributes(&attrs, &prefixes, |name, value| {
        let place = match name {
            "to" => &mut header.to,
            "from" => &mut header.from,
            "id" => &mut header.id,
            "version" => &mut header.version,
            "xml:lang" => &mut header.lang,
            _ => return,
        };
        *place = Some(value.to_owned());
    })?;
    let others = prefixes.declared.iter().filter(|(_, ns)| ns != ns::STREAMS);
    header.declared = others.map(|(_, ns)| ns.to_string()).collect();
    let prefixes =
        prefixes.declared.iter().map(|(prefix, ns)| ((*prefix).into(), ns.as_ref().into())).collect();
    let scope = StreamScope { default: header.default_ns, prefixes };
    Ok((header, scope, !start.prefix.is_empty()))
}

/// Checks an XML declaration (XML 1.0 §2.8, §4.3.3).
pub(super) fn check_declaration(source: &str) -> Result<(), ReadError> {
    let inside = source.strip_prefix("<?xml").and_then(|source| source.strip_suffix("?>"));
    let inside = match inside {
        Some(inside) if inside.starts_with(tag::is_space_char) => inside,
        _ => return Err(ReadError::Restricted),
    };
    let mut expected = ["version", "encoding", "standalone"].into_iter();
    for (at, attr) in Attributes::new(inside).enumerate() {
        let attr = attr?;
        let known = expected.any(|name| attr.prefix.is_empty() && name == attr.local);
        let good = match attr.local {
            "version" => attr.value == "1.0",
            "encoding" if !attr.value.eq_ignore_ascii_case("utf-8") => {
                return Err(ReadError::UnsupportedEncoding);
            }
            "encoding" => true,
            _ => matches!(attr.value, "yes" | "no"),
        };
        if !known || !good || (at == 0) != (attr.local == "version") {
            return Err(ReadError::NotWellFormed);
        }
    }
    if expected.len() == 3 { Err(ReadError::NotWellFormed) } else { Ok(()) }
}
