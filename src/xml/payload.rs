//! The content of a stanza: canonical bytes that any number of stanzas share, and where its children are.
//!
//! Who only passes a stanza on looks at names and namespaces here and never builds a tree.

use std::fmt;
use std::sync::Arc;

use memchr::memchr;

use super::{Element, Node, ns};

/// Canonical bytes whose default namespace is `jabber:client`. A clone shares them.
#[derive(Clone, Default)]
pub struct Payload(Option<Arc<Shared>>);

struct Shared {
    bytes: Vec<u8>,
    /// Where each child starts and ends.
    children: Vec<(u32, u32)>,
}

/// An element directly inside a payload.
#[derive(Clone, Copy, Debug)]
pub struct Child<'a> {
    bytes: &'a [u8],
}

impl Payload {
    /// Takes up canonical bytes, such as [`Payload::bytes`] once gave; `None` if they are not balanced.
    pub fn parse(bytes: impl Into<Vec<u8>>) -> Option<Payload> {
        let bytes = bytes.into();
        if bytes.is_empty() {
            return Some(Payload::default());
        }
        let children = index(&bytes)?;
        Some(Payload(Some(Arc::new(Shared { bytes, children }))))
    }

    pub fn from_elements(elements: &[Element]) -> Payload {
        let mut bytes = Vec::new();
        for element in elements {
            element.write(ns::CLIENT, &mut bytes);
        }
        Payload::parse(bytes).unwrap_or_default()
    }

    /// The content of `element`, with its text.
    pub fn content_of(element: &Element) -> Payload {
        let mut bytes = Vec::new();
        for node in &element.children {
            node.write(ns::CLIENT, &mut bytes);
        }
        Payload::parse(bytes).unwrap_or_default()
    }

    pub fn bytes(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |shared| &shared.bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub fn children(&self) -> impl Iterator<Item = Child<'_>> {
        self.places().iter().map(|place| self.child(*place))
    }

    pub fn find(&self, name: &str, ns: &str) -> Option<Child<'_>> {
        self.children().find(|child| child.is(name, ns))
    }

    /// With `element` at its end.
    pub fn with(&self, element: &Element) -> Payload {
        self.with_written(0, |bytes| element.write(ns::CLIENT, bytes))
    }

    /// With what `write` writes at its end: some `more` bytes in canonical form.
    pub fn with_written(&self, more: usize, write: impl FnOnce(&mut Vec<u8>)) -> Payload {
        let mut bytes = Vec::with_capacity(self.bytes().len() + more);
        bytes.extend_from_slice(self.bytes());
        write(&mut bytes);
        Payload::parse(bytes).unwrap_or_default()
    }

    /// Without the children that `unwanted` picks; text between them stays.
    pub fn without(&self, unwanted: impl Fn(&Child<'_>) -> bool) -> Payload {
        let cuts: Vec<_> = self.places().iter().filter(|place| unwanted(&self.child(**place))).collect();
        if cuts.is_empty() {
            return self.clone();
        }
        let bytes = self.bytes();
        let mut kept = Vec::with_capacity(bytes.len());
        let mut after = 0;
        for &&(start, end) in &cuts {
            kept.extend_from_slice(&bytes[after..start as usize]);
            after = end as usize;
        }
        kept.extend_from_slice(&bytes[after..]);
        Payload::parse(kept).unwrap_or_default()
    }

    /// The text directly inside.
    pub fn text(&self) -> String {
        Node::text_of(&Node::parse_all(self.bytes(), ns::CLIENT).unwrap_or_default())
    }

    fn places(&self) -> &[(u32, u32)] {
        self.0.as_ref().map_or(&[], |shared| &shared.children)
    }

    fn child(&self, (start, end): (u32, u32)) -> Child<'_> {
        Child { bytes: self.bytes().get(start as usize..end as usize).unwrap_or_default() }
    }
}

/// Where the elements directly inside start and end. In canonical form `<` and `>` are nothing but markup.
fn index(bytes: &[u8]) -> Option<Vec<(u32, u32)>> {
    let mut children = Vec::new();
    let (mut at, mut depth, mut start) = (0, 0_usize, 0);
    while let Some(less) = memchr(b'<', &bytes[at..]) {
        let tag = at + less;
        at = tag + memchr(b'>', &bytes[tag..])? + 1;
        let (end, empty) = (bytes[tag + 1] == b'/', bytes[at - 2] == b'/');
        if depth == 0 {
            start = u32::try_from(tag).ok()?;
        }
        match (end, empty) {
            (true, _) => depth = depth.checked_sub(1)?,
            (false, true) => {}
            (false, false) => depth += 1,
        }
        if depth == 0 {
            children.push((start, u32::try_from(at).ok()?));
        }
    }
    (depth == 0).then_some(children)
}

impl PartialEq for Payload {
    fn eq(&self, other: &Payload) -> bool {
        self.bytes() == other.bytes()
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({})", String::from_utf8_lossy(self.bytes()))
    }
}

impl<'a> Child<'a> {
    pub fn name(&self) -> &'a str {
        self.name_and_rest().0
    }

    /// As it is written: still escaped, which no namespace of [`ns`] needs.
    pub fn ns(&self) -> &'a str {
        let declared = self.name_and_rest().1.strip_prefix(" xmlns='").and_then(|rest| rest.split_once('\''));
        declared.map_or(ns::CLIENT, |(ns, _)| ns)
    }

    pub fn is(&self, name: &str, ns: &str) -> bool {
        self.name() == name && self.ns() == ns
    }

    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub fn to_element(&self) -> Element {
        Element::parse(self.bytes, ns::CLIENT).unwrap_or_else(|| Element::new(self.name(), self.ns()))
    }

    /// What follows `<`, split at the end of the name.
    fn name_and_rest(&self) -> (&'a str, &'a str) {
        let bytes = self.bytes.get(1..).unwrap_or_default();
        let tag = &bytes[..memchr(b'>', bytes).unwrap_or(bytes.len())];
        let tag = std::str::from_utf8(tag).unwrap_or_default();
        tag.split_at(tag.find([' ', '/']).unwrap_or(tag.len()))
    }
}
