//! Finds where one child of a stream ends, in whatever chunks it comes: quotes, depth and CDATA sections, no
//! more. It refuses at first sight what RFC 6120 §11.1 forbids, and enforces the limits on bytes, elements and
//! depth, so that what is too big is never buffered. Each byte is looked at once.

use memchr::{memchr, memchr2, memchr3};

use super::{Limits, ReadError};

/// What is being looked for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Unit {
    /// An XML declaration or the stream's header: the very first unit.
    DeclarationOrTag,
    /// The stream's header.
    Tag,
    /// A whole element, or the end tag of the stream.
    Element,
}

/// How far the search has come.
#[derive(Default)]
pub(super) struct Cut {
    place: Place,
    length: u32,
    depth: u32,
    elements: u32,
}

#[derive(Clone, Copy, Default)]
enum Place {
    #[default]
    Text,
    /// After `<`.
    Less,
    /// After `<!` and so many bytes of `[CDATA[`.
    Bang(u8),
    /// In a CDATA section, after so many `]` (2 is "two or more").
    Cdata(u8),
    /// In an XML declaration, after a `?` or not.
    Declaration { question: bool },
    /// In a tag; `slash`: the last byte was one.
    Tag { end: bool, slash: bool },
    /// In an attribute's value.
    Value { end: bool, quote: u8 },
}

const CDATA: &[u8] = b"[CDATA[";

impl Cut {
    /// How many bytes of `input` belong to the unit, once its end is among them.
    pub fn feed(&mut self, unit: Unit, limits: &Limits, input: &[u8]) -> Result<Option<usize>, ReadError> {
        let room = limits.bytes.saturating_sub(self.length) as usize;
        let bytes = &input[..input.len().min(room)];
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (taken, complete) = self.step(unit, limits, rest)?;
            at += taken;
            if complete {
                *self = Cut::default();
                return Ok(Some(at));
            }
        }
        if input.len() > room {
            return Err(ReadError::TooBig);
        }
        self.length += bytes.len() as u32;
        Ok(None)
    }

    /// Takes some of `rest`, which is not empty; true when the unit ends with what it took.
    fn step(&mut self, unit: Unit, limits: &Limits, rest: &[u8]) -> Result<(usize, bool), ReadError> {
        let (place, taken) = match self.place {
            Place::Text => match memchr(b'<', rest) {
                Some(0) => (Place::Less, 1),
                _ if self.depth == 0 => return Err(ReadError::NotWellFormed),
                Some(at) => (Place::Less, at + 1),
                None => (Place::Text, rest.len()),
            },
            Place::Less => match rest[0] {
                b'!' => (Place::Bang(0), 1),
                b'?' if unit == Unit::DeclarationOrTag => (Place::Declaration { question: false }, 1),
                b'?' => return Err(ReadError::Restricted),
                b'/' => (Place::Tag { end: true, slash: false }, 1),
                // A stray `<`: waiting for its end would swallow what follows.
                byte if byte.is_ascii() && !byte.is_ascii_alphabetic() && !matches!(byte, b'_' | b':') => {
                    return Err(ReadError::NotWellFormed);
                }
                _ => {
                    self.elements += 1;
                    self.depth += 1;
                    if self.elements > limits.elements || self.depth > limits.depth {
                        return Err(ReadError::TooBig);
                    }
                    (Place::Tag { end: false, slash: false }, 0)
                }
            },
            Place::Bang(seen) => match CDATA.get(usize::from(seen)) {
                Some(expected) if *expected == rest[0] => (Place::Bang(seen + 1), 1),
                // A comment or a document type declaration.
                _ if seen == 0 => return Err(ReadError::Restricted),
                Some(_) => return Err(ReadError::NotWellFormed),
                None if self.depth == 0 => return Err(ReadError::NotWellFormed),
                None => (Place::Cdata(0), 0),
            },
            Place::Cdata(0) => match memchr(b']', rest) {
                Some(at) => (Place::Cdata(1), at + 1),
                None => (Place::Cdata(0), rest.len()),
            },
            Place::Cdata(brackets) => match rest[0] {
                b']' => (Place::Cdata(2), 1),
                b'>' if brackets == 2 => (Place::Text, 1),
                _ => (Place::Cdata(0), 1),
            },
            Place::Declaration { question } => match rest[0] {
                b'>' if question => return Ok((1, true)),
                byte => (Place::Declaration { question: byte == b'?' }, 1),
            },
            Place::Tag { end, slash } => match memchr3(b'>', b'\'', b'"', rest) {
                Some(at) if rest[at] == b'>' => {
                    let empty = if at == 0 { slash } else { rest[at - 1] == b'/' };
                    self.place = Place::Text;
                    return Ok((at + 1, self.tag(unit, end, empty)));
                }
                Some(at) => (Place::Value { end, quote: rest[at] }, at + 1),
                None => (Place::Tag { end, slash: rest.ends_with(b"/") }, rest.len()),
            },
            Place::Value { end, quote } => match memchr2(quote, b'<', rest) {
                // XML 1.0 §3.1: no `<` in a value; a quote was forgotten, say.
                Some(at) if rest[at] == b'<' => return Err(ReadError::NotWellFormed),
                Some(at) => (Place::Tag { end, slash: false }, at + 1),
                None => (self.place, rest.len()),
            },
        };
        self.place = place;
        Ok((taken, false))
    }

    /// After a tag's `>`: whether the unit ends with it.
    fn tag(&mut self, unit: Unit, end: bool, empty: bool) -> bool {
        if end || empty {
            self.depth = self.depth.saturating_sub(1);
        }
        self.depth == 0 || unit != Unit::Element
    }
}
