//! A tree of elements, for code that looks inside a stanza or makes one.
//!
//! An attribute goes by `name`; one of a foreign namespace by `{namespace}name`; XML's own by `xml:lang`.

use super::{tag, writer};

/// An element. Its tree has at most [`MAX_DEPTH`] levels when it was parsed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Element {
    pub ns: String,
    pub name: String,
    pub attrs: Vec<(String, String)>,
    pub children: Vec<Node>,
}

/// What an element contains. No text is empty or next to another, if it was made by the methods here.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Element(Element),
    Text(String),
}

/// Deeper trees are not parsed: they are written, compared and dropped by recursion.
pub const MAX_DEPTH: usize = 256;

impl Element {
    pub fn new(name: impl Into<String>, ns: impl Into<String>) -> Element {
        Element { name: name.into(), ns: ns.into(), ..Element::default() }
    }

    /// With this attribute; it replaces one of the same name.
    pub fn attr(mut self, name: &str, value: impl Into<String>) -> Element {
        self.set_attr(name, value);
        self
    }

    pub fn child(mut self, child: Element) -> Element {
        self.push(child);
        self
    }

    pub fn text(mut self, text: &str) -> Element {
        Node::push_text(&mut self.children, text);
        self
    }

    pub fn set_attr(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.attrs.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.attrs.push((name.to_owned(), value)),
        }
    }

    pub fn push(&mut self, child: Element) {
        self.children.push(Node::Element(child));
    }

    pub fn is(&self, name: &str, ns: &str) -> bool {
        self.name == name && self.ns == ns
    }

    pub fn get_attr(&self, name: &str) -> Option<&str> {
        self.attrs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The elements directly inside.
    pub fn children(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first element of this name directly inside.
    pub fn find(&self, name: &str, ns: &str) -> Option<&Element> {
        self.children().find(|child| child.is(name, ns))
    }

    /// The text directly inside.
    pub fn text_content(&self) -> String {
        Node::text_of(&self.children)
    }

    /// Reads one element in canonical form that stands in the namespace `default_ns`. Such bytes come from our
    /// own writer, so little is checked; what makes no sense is `None`.
    pub fn parse(bytes: &[u8], default_ns: &str) -> Option<Element> {
        let mut nodes = Node::parse_all(bytes, default_ns)?;
        match (nodes.pop(), nodes.is_empty()) {
            (Some(Node::Element(element)), true) => Some(element),
            _ => None,
        }
    }

    /// Writes the canonical form, as inside an element of the namespace `parent_ns`.
    pub fn write(&self, parent_ns: &str, out: &mut Vec<u8>) {
        let mut tag = writer::StartTag::new(&self.name, &self.ns, parent_ns, out);
        for (name, value) in &self.attrs {
            tag.attr(name, value);
        }
        if self.children.is_empty() {
            out.extend_from_slice(b"/>");
            return;
        }
        out.push(b'>');
        for node in &self.children {
            node.write(&self.ns, out);
        }
        out.extend_from_slice(b"</");
        out.extend_from_slice(self.name.as_bytes());
        out.push(b'>');
    }

    pub fn to_bytes(&self, parent_ns: &str) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(parent_ns, &mut out);
        out
    }

    /// An element without its content, from what stands between `<` and `>`.
    fn from_tag(tag: &str, parent_ns: &str) -> Option<Element> {
        let (name, rest) = tag::split_tag(tag);
        let mut element = Element::new(name, parent_ns);
        let mut prefixes = Vec::new();
        for attr in tag::Attributes::new(rest) {
            let attr = attr.ok()?;
            let value = tag::resolve(attr.value).ok()?;
            match (attr.prefix, attr.local) {
                ("", "xmlns") => element.ns = value,
                ("xmlns", prefix) => prefixes.push((prefix, value)),
                ("", local) => element.attrs.push((local.to_owned(), value)),
                ("xml", local) => element.attrs.push((format!("xml:{local}"), value)),
                (prefix, local) => {
                    let (_, ns) = prefixes.iter().find(|(declared, _)| *declared == prefix)?;
                    element.attrs.push((format!("{{{ns}}}{local}"), value));
                }
            }
        }
        Some(element)
    }
}

impl Node {
    pub(super) fn write(&self, parent_ns: &str, out: &mut Vec<u8>) {
        match self {
            Node::Element(element) => element.write(parent_ns, out),
            Node::Text(text) => writer::text(text, out),
        }
    }

    pub(super) fn text_of(nodes: &[Node]) -> String {
        let texts = nodes.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        texts.collect()
    }

    /// Reads canonical content. There `<` and `>` are nothing but markup.
    pub(super) fn parse_all(bytes: &[u8], default_ns: &str) -> Option<Vec<Node>> {
        let mut rest = std::str::from_utf8(bytes).ok()?;
        let mut top = Vec::new();
        let mut open: Vec<Element> = Vec::new();
        while !rest.is_empty() {
            let Some(markup) = rest.strip_prefix('<') else {
                let (text, markup) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
                Node::push_text(siblings(&mut open, &mut top), &tag::resolve(text).ok()?);
                rest = markup;
                continue;
            };
            let (tag, after) = markup.split_once('>')?;
            rest = after;
            let complete = match (tag.strip_prefix('/'), tag.strip_suffix('/')) {
                (Some(name), _) => Some(open.pop().filter(|element| element.name == name)?),
                (None, empty) => {
                    let parent_ns = open.last().map_or(default_ns, |parent| &parent.ns);
                    let element = Element::from_tag(empty.unwrap_or(tag), parent_ns)?;
                    if empty.is_some() {
                        Some(element)
                    } else {
                        open.push(element);
                        None
                    }
                }
            };
            if let Some(element) = complete {
                siblings(&mut open, &mut top).push(Node::Element(element));
            }
            if open.len() > MAX_DEPTH {
                return None;
            }
        }
        open.is_empty().then_some(top)
    }

    fn push_text(nodes: &mut Vec<Node>, text: &str) {
        match nodes.last_mut() {
            _ if text.is_empty() => {}
            Some(Node::Text(before)) => before.push_str(text),
            _ => nodes.push(Node::Text(text.to_owned())),
        }
    }
}

/// Where the next node belongs: into the innermost open element, or to the top.
fn siblings<'a>(open: &'a mut [Element], top: &'a mut Vec<Node>) -> &'a mut Vec<Node> {
    match open.last_mut() {
        Some(parent) => &mut parent.children,
        None => top,
    }
}
