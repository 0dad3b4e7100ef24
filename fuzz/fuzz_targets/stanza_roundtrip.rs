//! A tree that is written and read is the same tree, by the parser of canonical bytes and by the reader.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use stube::xml::{Element, Item, Limits, Payload, Reader, ns};

const HEADER: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
const NAMES: [&str; 6] = ["a", "message", "x-y.z_1", "é", "xmlns1", "名前"];
const NAMESPACES: [&str; 6] = [ns::CLIENT, "", "urn:x", ns::SERVER, "urn:&<>'\"\t }{", ns::STREAMS];
const ATTRS: [&str; 6] = ["to", "xml:lang", "{urn:x}a", "{urn:y }z}a", "{jabber:client}to", "{urn:x}b"];

#[derive(Arbitrary, Debug)]
struct Tree {
    name: u8,
    ns: u8,
    attrs: Vec<(u8, String)>,
    children: Vec<Child>,
}

#[derive(Arbitrary, Debug)]
enum Child {
    Tree(Tree),
    Text(String),
}

fuzz_target!(|tree: Tree| {
    let element = build(&tree, 0);
    let bytes = element.to_bytes(ns::CLIENT);
    let text = String::from_utf8_lossy(&bytes);
    assert_eq!(Element::parse(&bytes, ns::CLIENT).as_ref(), Some(&element), "{text}");

    let mut payload = Payload::default().with(&element);
    assert_eq!(payload.children().map(|child| child.to_element()).collect::<Vec<_>>(), [element.clone()]);
    payload = payload.with(&element);
    assert_eq!(payload, Payload::from_elements(&[element.clone(), element.clone()]));
    assert!(payload.without(|child| child.name() == element.name).is_empty());

    let limits = Limits { bytes: 1 << 24, elements: 1 << 20, depth: 64, attributes: 64 };
    let mut reader = Reader::new(limits, ns::CLIENT);
    let source = [HEADER.as_bytes(), &bytes].concat();
    let mut input = &source[..];
    assert!(matches!(reader.next(&mut input), Ok(Some(Item::Header(_)))));
    match reader.next(&mut input) {
        Ok(Some(Item::Stanza(fragment))) => assert_eq!(fragment.to_element(), element, "{text}"),
        other => panic!("{other:?} of {text}"),
    }
});

fn build(tree: &Tree, depth: usize) -> Element {
    let pick = |list: &[&'static str], index: u8| list[usize::from(index) % list.len()];
    let mut element = Element::new(pick(&NAMES, tree.name), pick(&NAMESPACES, tree.ns));
    for (name, value) in &tree.attrs {
        element = element.attr(pick(&ATTRS, *name), sayable(value));
    }
    for child in &tree.children {
        element = match child {
            Child::Tree(child) if depth < 40 => element.child(build(child, depth + 1)),
            Child::Tree(_) => element,
            Child::Text(text) => element.text(&sayable(text)),
        };
    }
    element
}

/// The same text without the characters that XML cannot carry and the writer replaces.
fn sayable(text: &str) -> String {
    let is_char = |char: &char| {
        matches!(char, '\t' | '\n' | '\r') || (*char >= ' ' && !matches!(char, '\u{FFFE}' | '\u{FFFF}'))
    };
    text.chars().filter(is_char).collect()
}
