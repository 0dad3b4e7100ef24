//! Other readers of XML, to compare ours with: each gives the tree that it sees in a whole document. And the world of
//! the tests, to send anything at a whole server.

#[path = "../../tests/world/chance.rs"]
pub mod chance;
#[path = "../../tests/world/client.rs"]
pub mod client;
#[path = "../../tests/store/faulty.rs"]
pub mod faulty;
#[path = "../../tests/world/world.rs"]
pub mod world;

use rxml::{Parse, WithOptions};
use stube::xml::{Element, Node};
use xml::reader::{ParserConfig, XmlEvent};

/// What two independent parsers make of a document, by their names.
pub fn oracles(document: &[u8]) -> [(&'static str, Result<Element, String>); 2] {
    [("rxml", rxml_tree(document)), ("xml-rs", xml_rs_tree(document))]
}

/// The same tree with its attributes in one order, which XML leaves open.
pub fn sorted(mut element: Element) -> Element {
    element.attrs.sort();
    element.children = element
        .children
        .into_iter()
        .map(|node| match node {
            Node::Element(element) => Node::Element(sorted(element)),
            text => text,
        })
        .collect();
    element
}

fn rxml_tree(document: &[u8]) -> Result<Element, String> {
    let options = rxml::Options { max_token_length: 1 << 20, ..rxml::Options::default() };
    let mut parser = rxml::Parser::with_options(options);
    let mut tree = Tree::default();
    let mut rest = document;
    loop {
        match parser.parse(&mut rest, true).map_err(|error| format!("{error:?}"))? {
            None => return tree.finish(),
            Some(rxml::Event::XmlDeclaration(..)) => {}
            Some(rxml::Event::StartElement(_, (ns, name), attrs)) => {
                let attrs =
                    attrs.into_iter().map(|((ns, name), value)| (attr_name(ns.as_str(), &name), value));
                tree.start(ns.to_string(), name.to_string(), attrs.collect());
            }
            Some(rxml::Event::EndElement(_)) => tree.end(),
            Some(rxml::Event::Text(_, text)) => tree.text(&text),
        }
    }
}

fn xml_rs_tree(document: &[u8]) -> Result<Element, String> {
    let config = ParserConfig::new().cdata_to_characters(true).whitespace_to_characters(true);
    let mut tree = Tree::default();
    for event in config.create_reader(document) {
        match event.map_err(|error| error.to_string())? {
            XmlEvent::StartElement { name, attributes, .. } => {
                let attrs = attributes.into_iter().map(|attr| {
                    (attr_name(&attr.name.namespace.unwrap_or_default(), &attr.name.local_name), attr.value)
                });
                tree.start(name.namespace.unwrap_or_default(), name.local_name, attrs.collect());
            }
            XmlEvent::EndElement { .. } => tree.end(),
            XmlEvent::Characters(text) | XmlEvent::Whitespace(text) | XmlEvent::CData(text) => {
                tree.text(&text)
            }
            XmlEvent::EndDocument => return tree.finish(),
            XmlEvent::StartDocument { .. } => {}
            other => return Err(format!("{other:?}")),
        }
    }
    Err("no end".to_owned())
}

fn attr_name(ns: &str, local: &str) -> String {
    match ns {
        "" => local.to_owned(),
        stube::xml::ns::XML => format!("xml:{local}"),
        ns => format!("{{{ns}}}{local}"),
    }
}

#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
}

impl Tree {
    fn start(&mut self, ns: String, name: String, attrs: Vec<(String, String)>) {
        self.open.push(Element { ns, name, attrs, children: Vec::new() });
    }

    fn text(&mut self, text: &str) {
        if let Some(parent) = self.open.pop() {
            self.open.push(parent.text(text));
        }
    }

    fn end(&mut self) {
        let Some(element) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.push(element),
            None => self.root = Some(element),
        }
    }

    fn finish(self) -> Result<Element, String> {
        self.root.map(sorted).ok_or_else(|| "no root".to_owned())
    }
}
