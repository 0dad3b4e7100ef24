//! The inside of one start tag: its name, its attributes, and the references in a value. Checks what XML 1.0
//! and Namespaces in XML 1.0 ask of each by itself; what depends on the scope is `canonical`'s.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::{ReadError, chars, writer};

/// An attribute as it stands in the source; `value` is still escaped.
#[derive(Clone, Copy)]
pub(super) struct Attr<'a> {
    pub prefix: &'a str,
    pub local: &'a str,
    pub value: &'a str,
}

/// `p:name` as `("p", "name")`, `name` as `("", "name")`.
pub(super) fn split_name(qname: &str) -> Result<(&str, &str), ReadError> {
    if chars::is_name(qname) {
        return Ok(("", qname));
    }
    let (prefix, local) = qname.split_once(':').ok_or(ReadError::NotWellFormed)?;
    if chars::is_name(prefix) && chars::is_name(local) {
        Ok((prefix, local))
    } else {
        Err(ReadError::NotWellFormed)
    }
}

/// The element's name and the rest of the tag, from what stands between `<` and `>`.
pub(super) fn split_tag(tag: &str) -> (&str, &str) {
    tag.split_at(tag.bytes().position(is_space).unwrap_or(tag.len()))
}

/// The attributes in the rest of a tag, each checked by itself.
pub(super) struct Attributes<'a> {
    rest: &'a str,
}

impl<'a> Attributes<'a> {
    pub fn new(rest: &'a str) -> Self {
        Attributes { rest }
    }

    /// The one that `rest` begins with, after the white space that must precede it.
    fn read(&mut self) -> Option<Attr<'a>> {
        let start = skip_space(self.rest);
        if start.len() == self.rest.len() {
            return None;
        }
        let (name, value) = start.split_at(start.bytes().position(|byte| byte == b'=')?);
        let (prefix, local) = split_name(name.trim_end_matches(is_space_char)).ok()?;
        let quoted = skip_space(value.get(1..)?);
        let quote = *quoted.as_bytes().first().filter(|byte| matches!(byte, b'\'' | b'"'))?;
        let value = quoted.get(1..)?;
        let (value, rest) = value.split_at(memchr2(quote, b'<', value.as_bytes())?);
        self.rest = rest.strip_prefix(char::from(quote))?;
        Some(Attr { prefix, local, value })
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attr<'a>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if skip_space(self.rest).is_empty() {
            return None;
        }
        let attr = self.read();
        if attr.is_none() {
            self.rest = "";
        }
        Some(attr.ok_or(ReadError::NotWellFormed))
    }
}

fn skip_space(text: &str) -> &str {
    let space = text.bytes().take_while(|byte| is_space(*byte)).count();
    &text[space..]
}

/// What an attribute's value means: references resolved, white space normalised (XML 1.0 §3.3.3).
pub(super) fn value(source: &str) -> Result<Cow<'_, str>, ReadError> {
    if writer::is_plain(source) {
        return Ok(Cow::Borrowed(source));
    }
    resolve(&source.replace("\r\n", " ").replace(['\t', '\n', '\r'], " ")).map(Cow::Owned)
}

/// Text or a value with its references resolved.
pub(super) fn resolve(source: &str) -> Result<String, ReadError> {
    let mut text = String::with_capacity(source.len());
    let mut pieces = source.split('&');
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (name, rest) = piece.split_once(';').ok_or(ReadError::NotWellFormed)?;
        text.push(reference(name)?);
        text.push_str(rest);
    }
    Ok(text)
}

/// What `&name;` stands for: a character, or one of the five entities that need no declaration. Another would
/// have come from a DTD, which RFC 6120 §11.1 forbids.
pub(super) fn reference(name: &str) -> Result<char, ReadError> {
    let code = match name {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "apos" => return Ok('\''),
        "quot" => return Ok('"'),
        _ => match (name.strip_prefix("#x"), name.strip_prefix('#')) {
            (Some(digits), _) => number(digits, 16),
            (None, Some(digits)) => number(digits, 10),
            (None, None) if chars::is_name(name) => return Err(ReadError::Restricted),
            (None, None) => None,
        },
    };
    code.and_then(char::from_u32).filter(|&char| chars::is_char(char)).ok_or(ReadError::NotWellFormed)
}

fn number(digits: &str, radix: u32) -> Option<u32> {
    // `from_str_radix` takes a sign as well.
    if digits.starts_with('+') { None } else { u32::from_str_radix(digits, radix).ok() }
}

/// Line ends as XML 1.0 §2.11 wants them.
pub(super) fn line_ends(source: &str) -> Cow<'_, str> {
    match memchr(b'\r', source.as_bytes()) {
        Some(_) => Cow::Owned(source.replace("\r\n", "\n").replace('\r', "\n")),
        None => Cow::Borrowed(source),
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

pub(super) fn is_space_char(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r')
}
