//! Arbitrary bytes on a client's stream, after its header or, if they begin like one, instead of it:
//!
//! * the same items in whatever chunks they come;
//! * what is accepted is read again, as the same, and is canonical already;
//! * what was written, other parsers see as the same tree;
//! * a stream that is accepted as a whole, not all other parsers refuse; who does not sees the same tree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stube::xml::{Element, Fragment, Item, Limits, Payload, ReadError, Reader, ns};
use stube_fuzz::{oracles, sorted};

const HEADER: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' \
                      xmlns:p='urn:p' version='1.0'>";
const END: &str = "</stream:stream>";

/// Small enough that inputs reach them.
const LIMITS: Limits = Limits { bytes: 2048, elements: 64, depth: 16, attributes: 16 };
/// What has grown in canonical form is still within these.
const WIDE: Limits = Limits { bytes: 1 << 20, elements: 64, depth: 16, attributes: 64 };

fuzz_target!(|data: &[u8]| {
    let has_header = data.starts_with(b"<?xml") || data.starts_with(b"<stream");
    let source = if has_header { data.to_vec() } else { [HEADER.as_bytes(), data].concat() };

    let whole = read(LIMITS, [&source[..]]);
    assert_eq!(read(LIMITS, source.chunks(1)), whole, "byte by byte");
    let mut chunks = Chunks {
        rest: &source,
        seed: source.iter().fold(1, |seed, byte| seed * 31 % 65_521 + u32::from(*byte)),
    };
    assert_eq!(read(LIMITS, &mut chunks), whole, "in chunks");

    let stanzas: Vec<&Fragment> = whole
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Stanza(fragment) => Some(fragment),
            _ => None,
        })
        .collect();
    for fragment in &stanzas {
        check_canonical(fragment);
    }
    if whole.error.is_none() && !whole.unfinished && !whole.items.is_empty() {
        let closed = whole.items.last() == Some(&Item::Close);
        if closed || !has_header {
            let read = end_of_read(&source, closed);
            check_source(&[read, if closed { b"" } else { END.as_bytes() }].concat(), &stanzas);
        }
    }
});

#[derive(Debug, PartialEq)]
struct Outcome {
    items: Vec<Item>,
    error: Option<ReadError>,
    unfinished: bool,
}

fn read<'a>(limits: Limits, chunks: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut reader = Reader::new(limits, ns::CLIENT);
    let mut items = Vec::new();
    for mut chunk in chunks {
        loop {
            match reader.next(&mut chunk) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => break,
                Err(error) => return Outcome { items, error: Some(error), unfinished: false },
            }
        }
        assert!(chunk.is_empty());
    }
    Outcome { items, error: None, unfinished: reader.held() > 0 }
}

/// What is written can be read again, here and elsewhere, and is the same.
fn check_canonical(fragment: &Fragment) {
    let element = fragment.to_element();
    let bytes = element.to_bytes(ns::CLIENT);
    let text = String::from_utf8_lossy(&bytes);
    assert_eq!(Element::parse(&bytes, ns::CLIENT).as_ref(), Some(&element), "{text}");
    assert_eq!(Payload::content_of(&element), fragment.payload(), "{text}");
    assert_eq!(Payload::parse(fragment.payload().bytes()), Some(fragment.payload()), "{text}");
    for (child, element) in fragment.payload().children().zip(element.children()) {
        assert_eq!(&child.to_element(), element, "{text}");
        assert_eq!(child.name(), element.name, "{text}");
    }
    let again = read(WIDE, [HEADER.as_bytes(), &bytes]);
    match &again.items[..] {
        [Item::Header(_), Item::Stanza(again)] => assert_eq!(again, fragment, "{text}"),
        _ => panic!("{again:?} of {text}"),
    }
    let document = element.to_bytes("");
    let element = sorted(element);
    for (name, tree) in oracles(&document) {
        assert_eq!(tree.as_ref(), Ok(&element), "{name} of {text}");
    }
}

/// What the stream says is the same elsewhere. Text between stanzas is white space and of no meaning.
fn check_source(document: &[u8], stanzas: &[&Fragment]) {
    let text = String::from_utf8_lossy(document);
    let mut trees = oracles(document).to_vec();
    if text.replace("\r\n", "").contains('\r') {
        // rxml takes a lone carriage return for the start of a pair.
        trees.retain(|(name, _)| *name != "rxml");
    }
    // Each refuses some of what XML allows, but not the same; expat, with which `tests/xml_oracles` compares, must
    // refuse nothing that is accepted here.
    assert!(trees.iter().any(|(_, tree)| tree.is_ok()), "all refuse {text}: {trees:?}");
    let ours: Vec<_> = stanzas.iter().map(|fragment| sorted(fragment.to_element())).collect();
    for (name, tree) in trees {
        if let Ok(tree) = tree {
            assert_eq!(tree.children().cloned().collect::<Vec<_>>(), ours, "{name} of {text}");
        }
    }
}

/// The part of the source that was read: up to the end tag of the stream, if it was closed.
fn end_of_read(source: &[u8], closed: bool) -> &[u8] {
    if !closed {
        return source;
    }
    let mut reader = Reader::new(LIMITS, ns::CLIENT);
    for end in 1..=source.len() {
        let mut byte = &source[end - 1..end];
        while let Ok(Some(item)) = reader.next(&mut byte) {
            if item == Item::Close {
                return &source[..end];
            }
        }
    }
    unreachable!("it was closed")
}

/// Chunks of lengths that follow from the input.
struct Chunks<'a> {
    rest: &'a [u8],
    seed: u32,
}

impl<'a> Iterator for Chunks<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = (self.seed >> 16) as usize % 23 + 1;
        let (chunk, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        (!chunk.is_empty()).then_some(chunk)
    }
}
