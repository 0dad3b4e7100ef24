//! Checks one child of a stream, or the stream's header, and writes what it means in canonical form.
//!
//! The tokeniser is a library's and lenient; it matches end tags with start tags and finds the ends of tokens.
//! Everything else that XML 1.0 and Namespaces in XML 1.0 ask for is checked here, in `tag`, `scope` and `chars`.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};
use quick_xml::events::Event;

use super::fragment::Fragment;
use super::scope::{self, Prefixes, StreamScope};
use super::tag::{self, Attr, Attributes};
use super::{Limits, Payload, ReadError, ns, writer};

/// The canonical form of `source`, one whole element as `cut` found it.
pub(super) fn read(
    source: &str,
    content_ns: &str,
    stream: &StreamScope,
    limits: &Limits,
) -> Result<Fragment, ReadError> {
    let first_tag = memchr(b'>', source.as_bytes()).map_or(0, |end| end + 1);
    let mut reading = Reading::new(content_ns, stream, limits, source.len() - first_tag);
    let mut tokens = quick_xml::Reader::from_str(source);
    let mut start = 0;
    loop {
        let event = tokens.read_event().map_err(|_| ReadError::NotWellFormed)?;
        let end = tokens.buffer_position() as usize;
        let token = source.get(start..end).unwrap_or_default();
        start = end;
        if reading.is_complete() != matches!(event, Event::Eof) {
            return Err(ReadError::NotWellFormed);
        }
        match event {
            Event::Start(_) => reading.start_tag(between(token, "<", ">")?)?,
            Event::Empty(_) => {
                reading.start_tag(between(token, "<", "/>")?)?;
                reading.end_tag()?;
            }
            Event::End(_) => reading.end_tag()?,
            Event::Text(_) => reading.text(token)?,
            Event::CData(_) => reading.write_text(&tag::line_ends(between(token, "<![CDATA[", "]]>")?)),
            Event::GeneralRef(_) => {
                let char = tag::reference(between(token, "&", ";")?)?;
                reading.write_text(char.encode_utf8(&mut [0; 4]));
            }
            Event::Eof => return reading.finish(),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {
                return Err(ReadError::Restricted);
            }
        }
        if reading.content.len() > limits.written() {
            return Err(ReadError::TooBig);
        }
    }
}

fn between<'a>(token: &'a str, start: &str, end: &str) -> Result<&'a str, ReadError> {
    let inside = token.strip_prefix(start).and_then(|token| token.strip_suffix(end));
    inside.ok_or(ReadError::NotWellFormed)
}

/// A start tag of which everything has been checked.
pub(super) struct StartTag<'a> {
    pub prefix: &'a str,
    pub local: &'a str,
    pub ns: Cow<'a, str>,
    /// The default namespace of what is inside.
    pub default: Cow<'a, str>,
}

/// Reads a start tag: checks its attributes, leaves them in `attrs`, and takes up its declarations.
pub(super) fn start_tag<'a>(
    tag: &'a str,
    mut default: Cow<'a, str>,
    prefixes: &mut Prefixes<'a>,
    attrs: &mut Vec<Attr<'a>>,
    limits: &Limits,
) -> Result<StartTag<'a>, ReadError> {
    let (name, rest) = tag::split_tag(tag);
    attrs.clear();
    for attr in Attributes::new(rest) {
        let attr = attr?;
        if attrs.len() >= limits.attributes as usize {
            return Err(ReadError::TooBig);
        }
        if attrs.iter().any(|earlier| earlier.local == attr.local && earlier.prefix == attr.prefix) {
            return Err(ReadError::NotWellFormed);
        }
        prefixes.declare(&attr, &mut default)?;
        attrs.push(attr);
    }
    let (prefix, local) = tag::split_name(name)?;
    let ns = match prefix {
        "" => default.clone(),
        prefix => prefixes.resolve(prefix).ok_or(ReadError::BadNamespacePrefix)?,
    };
    // It cannot be a default namespace, so such an element has no canonical form.
    if ns == ns::XML { Err(ReadError::InvalidNamespace) } else { Ok(StartTag { prefix, local, ns, default }) }
}

/// The attributes of a tag that are no declarations: what they are called in an [`Element`](super::Element), and
/// what they mean.
pub(super) fn attributes<'a>(
    attrs: &[Attr<'a>],
    prefixes: &Prefixes<'a>,
    mut take: impl FnMut(&str, &str),
) -> Result<(), ReadError> {
    let mut foreign: Vec<String> = Vec::new();
    for attr in attrs.iter().filter(|attr| !scope::is_declaration(attr)) {
        let value = tag::value(attr.value)?;
        match (attr.prefix, attr.local) {
            ("", local) => take(local, &value),
            ("xml", "lang") => take("xml:lang", &value),
            ("xml", local) => take(&format!("xml:{local}"), &value),
            (prefix, local) => {
                let ns = prefixes.resolve(prefix).ok_or(ReadError::NotWellFormed)?;
                let name = format!("{{{ns}}}{local}");
                // Namespaces in XML 1.0 §6.3: unique also when two prefixes mean the same.
                if foreign.contains(&name) {
                    return Err(ReadError::NotWellFormed);
                }
                take(&name, &value);
                foreign.push(name);
            }
        }
    }
    Ok(())
}

/// An element whose end has not come yet.
struct Open<'a> {
    tag: StartTag<'a>,
    /// How many prefixes were in scope outside.
    prefixes: usize,
}

struct Reading<'a> {
    limits: &'a Limits,
    prefixes: Prefixes<'a>,
    stream_default: &'static str,
    attrs: Vec<Attr<'a>>,
    open: Vec<Open<'a>>,
    begun: bool,
    /// The last start tag lacks its `>`, since it may become `/>`.
    unclosed: bool,
    content: Vec<u8>,
    fragment: Fragment,
}

impl<'a> Reading<'a> {
    /// `content`: about how many bytes will be written.
    fn new(content_ns: &'a str, stream: &'a StreamScope, limits: &'a Limits, content: usize) -> Self {
        Reading {
            limits,
            prefixes: Prefixes::new(content_ns, stream),
            stream_default: stream.default,
            attrs: Vec::with_capacity(8),
            open: Vec::with_capacity(8),
            begun: false,
            unclosed: false,
            content: Vec::with_capacity(content),
            fragment: Fragment::with_capacity(128),
        }
    }

    /// The one element has begun and ended.
    fn is_complete(&self) -> bool {
        self.begun && self.open.is_empty()
    }

    fn start_tag(&mut self, tag: &'a str) -> Result<(), ReadError> {
        let prefixes = self.prefixes.declared.len();
        let default = match self.open.last() {
            Some(parent) => parent.tag.default.clone(),
            None => Cow::Borrowed(self.stream_default),
        };
        let tag = start_tag(tag, default, &mut self.prefixes, &mut self.attrs, self.limits)
            // RFC 6120 §4.9.3.2 is about the stream's own prefixes; this is XML-NAMES' well-formedness.
            .map_err(|error| match error {
                ReadError::BadNamespacePrefix => ReadError::NotWellFormed,
                error => error,
            })?;
        self.close_start_tag();
        match self.open.len() {
            0 => self.write_words(&tag)?,
            // A payload is written as if inside `jabber:client`, whatever it is in.
            1 => self.write_start_tag(&tag, ns::CLIENT)?,
            depth => {
                let parent = self.open.get(depth - 1).map(|open| open.tag.ns.clone()).unwrap_or_default();
                self.write_start_tag(&tag, &parent)?;
            }
        }
        self.begun = true;
        self.open.push(Open { tag, prefixes });
        Ok(())
    }

    /// The stanza's own tag is kept as words.
    fn write_words(&mut self, tag: &StartTag<'a>) -> Result<(), ReadError> {
        self.fragment.push_word(tag.local);
        self.fragment.push_word(&tag.ns);
        attributes(&self.attrs, &self.prefixes, |name, value| {
            self.fragment.push_word(name);
            self.fragment.push_word(value);
        })
    }

    fn write_start_tag(&mut self, tag: &StartTag<'a>, parent_ns: &str) -> Result<(), ReadError> {
        let mut writer = writer::StartTag::new(tag.local, &tag.ns, parent_ns, &mut self.content);
        attributes(&self.attrs, &self.prefixes, |name, value| writer.attr(name, value))?;
        self.unclosed = true;
        Ok(())
    }

    fn close_start_tag(&mut self) {
        if self.unclosed {
            self.content.push(b'>');
            self.unclosed = false;
        }
    }

    fn end_tag(&mut self) -> Result<(), ReadError> {
        let open = self.open.pop().ok_or(ReadError::NotWellFormed)?;
        self.prefixes.declared.truncate(open.prefixes);
        if self.open.is_empty() {
            return Ok(());
        }
        let out = &mut self.content;
        if self.unclosed {
            out.extend_from_slice(b"/>");
            self.unclosed = false;
        } else {
            out.extend_from_slice(b"</");
            out.extend_from_slice(open.tag.local.as_bytes());
            out.push(b'>');
        }
        Ok(())
    }

    fn text(&mut self, source: &str) -> Result<(), ReadError> {
        // XML 1.0 §2.4: `]]>` must not stand in text.
        let bytes = source.as_bytes();
        if memchr_iter(b'>', bytes).any(|at| bytes[..at].ends_with(b"]]")) {
            return Err(ReadError::NotWellFormed);
        }
        self.write_text(&tag::line_ends(source));
        Ok(())
    }

    fn write_text(&mut self, text: &str) {
        if !text.is_empty() {
            self.close_start_tag();
            writer::text(text, &mut self.content);
        }
    }

    fn finish(mut self) -> Result<Fragment, ReadError> {
        self.fragment.set_payload(Payload::parse(self.content).ok_or(ReadError::NotWellFormed)?);
        Ok(self.fragment)
    }
}
