//! Which namespace a prefix stands for, at one point of a stream.

use std::borrow::Cow;

use super::tag::{self, Attr};
use super::{ReadError, ns};

/// Longer names of namespaces are refused: in canonical form a short prefix becomes a whole name each time.
const MAX_NAMESPACE: usize = 1024;
/// At most as many prefixes are in scope at a time, since they are searched one by one.
const MAX_PREFIXES: usize = 64;

/// What the stream's header has declared for all its children.
#[derive(Debug, Default, PartialEq)]
pub(super) struct StreamScope {
    pub default: &'static str,
    pub prefixes: Box<[(Box<str>, Box<str>)]>,
}

/// The prefixes in scope inside one child of the stream, or in its header.
pub(super) struct Prefixes<'a> {
    content_ns: &'a str,
    stream: &'a StreamScope,
    /// Innermost last.
    pub declared: Vec<(&'a str, Cow<'a, str>)>,
}

impl<'a> Prefixes<'a> {
    pub fn new(content_ns: &'a str, stream: &'a StreamScope) -> Self {
        Prefixes { content_ns, stream, declared: Vec::new() }
    }

    /// Takes up `attr` if it is a declaration. `default` is the default namespace of the element that has it.
    pub fn declare(&mut self, attr: &Attr<'a>, default: &mut Cow<'a, str>) -> Result<(), ReadError> {
        if attr.prefix == "xmlns" {
            let name = self.namespace(attr.value)?;
            // Namespaces in XML 1.0 §3: only `xml` may and must mean its namespace; §2.2: a prefix cannot be undeclared.
            let is_xml = attr.local == "xml";
            if is_xml != (name == ns::XML) || attr.local == "xmlns" || name == ns::XMLNS || name.is_empty() {
                return Err(ReadError::NotWellFormed);
            }
            if self.declared.len() == MAX_PREFIXES {
                return Err(ReadError::TooBig);
            }
            self.declared.push((attr.local, name));
        } else if is_default(attr) {
            *default = self.namespace(attr.value)?;
            if *default == ns::XML || *default == ns::XMLNS {
                return Err(ReadError::NotWellFormed);
            }
        }
        Ok(())
    }

    /// The namespace that a declaration names; that of the stream's content goes by one name everywhere.
    fn namespace(&self, source: &'a str) -> Result<Cow<'a, str>, ReadError> {
        let name = tag::value(source)?;
        match name {
            name if name == self.content_ns => Ok(Cow::Borrowed(ns::CLIENT)),
            name if name.len() > MAX_NAMESPACE => Err(ReadError::TooBig),
            name => Ok(name),
        }
    }

    pub fn resolve(&self, prefix: &str) -> Option<Cow<'a, str>> {
        if prefix == "xml" {
            return Some(Cow::Borrowed(ns::XML));
        }
        if let Some((_, name)) = self.declared.iter().rev().find(|(declared, _)| *declared == prefix) {
            return Some(name.clone());
        }
        let stream = self.stream.prefixes.iter().find(|(declared, _)| **declared == *prefix);
        stream.map(|(_, name)| Cow::Borrowed(&**name))
    }
}

pub(super) fn is_default(attr: &Attr<'_>) -> bool {
    attr.prefix.is_empty() && attr.local == "xmlns"
}

pub(super) fn is_declaration(attr: &Attr<'_>) -> bool {
    attr.prefix == "xmlns" || is_default(attr)
}
