//! The reader of one stream: it cuts the bytes into the header, stanzas and the end, checks each and gives it in
//! canonical form.
//!
//! It keeps nothing between stanzas but what the header declared, and inside an unfinished one only its bytes,
//! never more than [`Limits::bytes`]. The first error ends it: what follows is not read. An error says which
//! stream error of RFC 6120 §4.9.3 the peer is to see.

use std::fmt;

use super::cut::{Cut, Unit};
use super::scope::StreamScope;
use super::{Fragment, Header, canonical, chars, header, tag};

/// What a stream consists of.
#[derive(Debug, PartialEq)]
pub enum Item {
    /// `<stream:stream ...>`
    Header(Header),
    /// One complete child of the stream.
    Stanza(Fragment),
    /// `</stream:stream>`; nothing after it is read.
    Close,
}

/// Why a stream cannot be read on; each is a stream error of RFC 6120 §4.9.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// `<not-well-formed/>`: no XML 1.0 in UTF-8, or no Namespaces in XML 1.0.
    NotWellFormed,
    /// `<restricted-xml/>`: a comment, processing instruction, document type or an entity that one would declare.
    Restricted,
    /// `<bad-namespace-prefix/>`: on the stream's header.
    BadNamespacePrefix,
    /// `<invalid-namespace/>`: the header is no stream's, or is for another content than this one's.
    InvalidNamespace,
    /// `<unsupported-encoding/>`: not UTF-8, or with a byte order mark.
    UnsupportedEncoding,
    /// `<policy-violation/>`: beyond [`Limits`].
    TooBig,
}

/// What one child of the stream may measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes as they come. In canonical form it may have twice as many.
    pub bytes: u32,
    pub elements: u32,
    /// Elements inside each other, the stanza among them; at most [`MAX_DEPTH`](super::element::MAX_DEPTH).
    pub depth: u32,
    /// Attributes and declarations of one element.
    pub attributes: u32,
}

impl Limits {
    /// Before a peer has said who it is.
    pub const BEFORE_LOGIN: Limits = Limits { bytes: 8 * 1024, elements: 32, depth: 16, attributes: 32 };

    /// After it has: so many bytes, and what fits in.
    pub const fn after_login(bytes: u32) -> Limits {
        Limits { bytes, elements: 20_000, depth: 128, attributes: 128 }
    }

    /// How many bytes the canonical form may have: white space and quotes grow when escaped, and namespaces when
    /// a prefix is written out.
    pub(super) fn written(&self) -> usize {
        (self.bytes as usize).saturating_mul(2)
    }
}

/// Reads one stream, from its header to its end.
pub struct Reader {
    limits: Limits,
    content_ns: &'static str,
    phase: Phase,
    cut: Cut,
    /// The bytes of an unfinished child.
    held: Vec<u8>,
    scope: StreamScope,
    /// The header's name had the prefix `stream`, so its end tag must have it.
    prefixed: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// Nothing has come yet.
    Start,
    /// A declaration or white space has; no declaration may follow.
    Prolog,
    Open,
    Ended,
}

impl Reader {
    /// A reader for streams whose content is in `content_ns`: `jabber:client` or `jabber:server`.
    pub fn new(limits: Limits, content_ns: &'static str) -> Reader {
        Reader {
            limits,
            content_ns,
            phase: Phase::Start,
            cut: Cut::default(),
            held: Vec::new(),
            scope: StreamScope::default(),
            prefixed: false,
        }
    }

    /// From the next byte on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Expects a new header (RFC 6120 §4.3.3), and forgets what has come of the next child: bytes that a peer
    /// sent on before TLS never run. What is left in `input` is for the caller to drop.
    pub fn reset(&mut self) {
        *self = Reader::new(self.limits, self.content_ns);
    }

    /// The memory that an unfinished child takes; a session's share of what the program uses.
    pub fn held(&self) -> usize {
        self.held.capacity()
    }

    /// The next item, taken from the start of `input`; `None` once `input` is used up.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Item>, ReadError> {
        let result = self.read(input);
        if matches!(result, Err(_) | Ok(Some(Item::Close))) {
            self.phase = Phase::Ended;
            self.held = Vec::new();
            *input = &[];
        }
        result
    }

    fn read(&mut self, input: &mut &[u8]) -> Result<Option<Item>, ReadError> {
        loop {
            if self.held.is_empty() {
                self.between_children(input)?;
            }
            if input.is_empty() || self.phase == Phase::Ended {
                *input = &[];
                return Ok(None);
            }
            let unit = match self.phase {
                Phase::Start => Unit::DeclarationOrTag,
                Phase::Prolog => Unit::Tag,
                Phase::Open | Phase::Ended => Unit::Element,
            };
            let Some(length) = self.cut.feed(unit, &self.limits, input)? else {
                self.held.extend_from_slice(input);
                *input = &[];
                return Ok(None);
            };
            let (last, rest) = input.split_at(length);
            *input = rest;
            let item = if self.held.is_empty() {
                self.item(last)?
            } else {
                self.held.extend_from_slice(last);
                let held = std::mem::take(&mut self.held);
                self.item(&held)?
            };
            if item.is_some() {
                return Ok(item);
            }
        }
    }

    /// Skips white space (RFC 6120 §4.6.1: it keeps a stream alive), and looks at how the stream begins.
    fn between_children(&mut self, input: &mut &[u8]) -> Result<(), ReadError> {
        if self.phase == Phase::Start && matches!(input.first(), Some(0xEF | 0xFE | 0xFF | 0)) {
            return Err(ReadError::UnsupportedEncoding);
        }
        let text = input.iter().position(|byte| !tag::is_space(*byte)).unwrap_or(input.len());
        if text > 0 && self.phase == Phase::Start {
            self.phase = Phase::Prolog;
        }
        *input = &input[text..];
        Ok(())
    }

    /// One whole unit; `None` is a declaration.
    fn item(&mut self, bytes: &[u8]) -> Result<Option<Item>, ReadError> {
        let source = chars::check(bytes)?;
        match self.phase {
            Phase::Start if source.starts_with("<?") => {
                header::check_declaration(source)?;
                self.phase = Phase::Prolog;
                Ok(None)
            }
            Phase::Start | Phase::Prolog => {
                let (header, scope, prefixed) = header::read(source, self.content_ns, &self.limits)?;
                (self.scope, self.prefixed, self.phase) = (scope, prefixed, Phase::Open);
                Ok(Some(Item::Header(header)))
            }
            Phase::Open | Phase::Ended => match source.strip_prefix("</") {
                Some(end) => self.close(end).map(Some),
                None => {
                    let fragment = canonical::read(source, self.content_ns, &self.scope, &self.limits)?;
                    Ok(Some(Item::Stanza(fragment)))
                }
            },
        }
    }

    fn close(&self, end: &str) -> Result<Item, ReadError> {
        let name = end.trim_end_matches('>').trim_end_matches(tag::is_space_char);
        let expected = if self.prefixed { "stream:stream" } else { "stream" };
        if name == expected { Ok(Item::Close) } else { Err(ReadError::NotWellFormed) }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("limits", &self.limits)
            .field("held", &self.held())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReadError::NotWellFormed => "the XML is not well-formed",
            ReadError::Restricted => {
                "XMPP has no comments, processing instructions, document types or entities"
            }
            ReadError::BadNamespacePrefix => "the stream's header has no known prefix",
            ReadError::InvalidNamespace => "the stream or its content is in the wrong namespace",
            ReadError::UnsupportedEncoding => "the encoding is not UTF-8",
            ReadError::TooBig => "a stanza is larger, deeper or more complex than allowed",
        })
    }
}

impl std::error::Error for ReadError {}
