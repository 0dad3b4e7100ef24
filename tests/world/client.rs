//! The client's end of a connection: what it has received, as trees.

use std::collections::VecDeque;

use stube::xml::{Element, Header, Item, Limits, Reader, ns};

pub const HEADER: &str = "<?xml version='1.0'?><stream:stream to='example.org' version='1.0' \
     xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

/// Names a connection of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client(pub usize);

pub struct Wire {
    reader: Reader,
    pub received: VecDeque<Element>,
    /// The header of the server's stream, once it has come.
    pub header: Option<Header>,
    pub closed: bool,
}

impl Wire {
    pub fn new() -> Wire {
        let reader = Reader::new(Limits::after_login(10_000_000), ns::CLIENT);
        Wire { reader, received: VecDeque::new(), header: None, closed: false }
    }

    /// The stream starts anew.
    pub fn restart(&mut self) {
        self.header = None;
        self.reader.reset();
    }

    /// What the server writes must be readable by our own reader.
    pub fn take(&mut self, mut bytes: &[u8]) {
        while let Some(item) = self.reader.next(&mut bytes).expect("the server writes well-formed XML") {
            match item {
                Item::Header(header) => self.header = Some(header),
                Item::Stanza(fragment) => {
                    // RFC 6120 §6.4.6
                    if fragment.is("success", ns::SASL) {
                        self.restart();
                    }
                    self.received.push_back(fragment.to_element());
                }
                Item::Close => self.closed = true,
            }
        }
    }
}

/// Reads XML as a test writes it: with any quotes and prefixes, in `jabber:client` where nothing else is said.
pub fn parse(xml: &str) -> Element {
    let mut reader = Reader::new(Limits::after_login(10_000_000), ns::CLIENT);
    let text = format!("{HEADER}{xml}");
    let mut bytes = text.as_bytes();
    while let Some(item) = reader.next(&mut bytes).unwrap_or_else(|error| panic!("{error}: {xml}")) {
        if let Item::Stanza(fragment) = item {
            return fragment.to_element();
        }
    }
    panic!("no element: {xml}");
}
