//! One complete child of a stream, checked and canonical.

use super::{Element, Node, Payload, ns};

/// A stanza, or another child of a stream such as `<auth/>`: its name and attributes are at hand, its content is
/// a [`Payload`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fragment {
    /// Name, namespace, and each attribute's name and value, one after the other.
    words: String,
    /// Where each word ends.
    ends: Vec<u32>,
    payload: Payload,
}

impl Fragment {
    /// For `canonical`, which says the words in their order and the content at the end.
    pub(super) fn push_word(&mut self, word: &str) {
        self.words.push_str(word);
        self.ends.push(self.words.len() as u32);
    }

    pub(super) fn set_payload(&mut self, payload: Payload) {
        self.payload = payload;
    }

    pub(super) fn with_capacity(bytes: usize) -> Self {
        Fragment {
            words: String::with_capacity(bytes),
            ends: Vec::with_capacity(16),
            payload: Payload::default(),
        }
    }

    pub fn name(&self) -> &str {
        self.word(0)
    }

    pub fn ns(&self) -> &str {
        self.word(1)
    }

    pub fn is(&self, name: &str, ns: &str) -> bool {
        self.name() == name && self.ns() == ns
    }

    /// The value of the attribute `name`, which for one of a foreign namespace is `{namespace}name`, and for the
    /// language `xml:lang`.
    pub fn attr(&self, name: &str) -> Option<&str> {
        self.attrs().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// All attributes, in the order of the source.
    pub fn attrs(&self) -> impl Iterator<Item = (&str, &str)> {
        (2..self.ends.len()).step_by(2).map(|at| (self.word(at), self.word(at + 1)))
    }

    /// The content: a cheap clone.
    pub fn payload(&self) -> Payload {
        self.payload.clone()
    }

    /// The text directly inside, as for SASL's base64.
    pub fn text(&self) -> String {
        self.payload.text()
    }

    pub fn to_element(&self) -> Element {
        let mut element = Element::new(self.name(), self.ns());
        element.attrs = self.attrs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        element.children = Node::parse_all(self.payload.bytes(), ns::CLIENT).unwrap_or_default();
        element
    }

    fn word(&self, at: usize) -> &str {
        let end = |at: usize| self.ends.get(at).map_or(0, |end| *end as usize);
        let start = if at == 0 { 0 } else { end(at - 1) };
        self.words.get(start..end(at)).unwrap_or_default()
    }
}
