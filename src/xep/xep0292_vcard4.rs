//! vCard4 (XEP-0292) on the node `urn:xmpp:vcard4` is kept in step with vcard-temp (XEP-0054): who changes either
//! changes both.
//!
//! What both can say is carried over (§11): name and its parts, nickname, birthday, addresses, telephone
//! numbers, e-mail and XMPP addresses, title, role, organization, URLs and notes. The rest stays where it is, among it
//! pictures, which travel by XEP-0398. vcard-temp is there for everyone to read: only what is on an open node gets
//! there.

use crate::core::Core;
use crate::core::module::{Module, Spec};
use crate::core::pubsub::Change;
use crate::jid::Jid;
use crate::stanza::StanzaError;
use crate::store::record::{AccessModel, NodeConfig};
use crate::xml::{Element, Node, ns};

const NODE: &str = "urn:xmpp:vcard4";

pub const MODULE: Module = Module {
    name: "vcard4",
    specs: &[Spec::Xep(292, "0.12.0")],
    features: &[ns::VCARD4],
    account_features: &[ns::VCARD4],
    published: Some(published),
    vcard_changed: Some(vcard_changed),
    ..Module::NONE
};

/// Properties with one value: in vcard-temp, in vCard4, and the type of the value there.
const SIMPLE: &[(&str, &str, &str)] = &[
    ("FN", "fn", "text"),
    ("NICKNAME", "nickname", "text"),
    ("BDAY", "bday", "date"),
    ("TITLE", "title", "text"),
    ("ROLE", "role", "text"),
    ("URL", "url", "uri"),
    // Not NOTE, which clients do not show.
    ("DESC", "note", "text"),
];

/// The parts of `N` and `ADR`.
const NAME: &[(&str, &str)] = &[
    ("FAMILY", "surname"),
    ("GIVEN", "given"),
    ("MIDDLE", "additional"),
    ("PREFIX", "prefix"),
    ("SUFFIX", "suffix"),
];
const ADDRESS: &[(&str, &str)] = &[
    ("POBOX", "pobox"),
    ("EXTADD", "ext"),
    ("STREET", "street"),
    ("LOCALITY", "locality"),
    ("REGION", "region"),
    ("PCODE", "code"),
    ("CTRY", "country"),
];

/// Types that both know.
const TYPES: &[&str] = &["HOME", "WORK", "VOICE", "FAX", "PAGER", "CELL", "VIDEO"];

fn published(core: &mut Core, owner: &Jid, node: &str, change: &Change) {
    if node == NODE {
        core.convert(owner, |core| publication_to_temp(core, owner, change));
    }
}

fn publication_to_temp(core: &mut Core, owner: &Jid, change: &Change) -> Result<(), StanzaError> {
    let vcard4 = match change {
        Change::Published(item) => item.payload.clone(),
        Change::Retracted(_) => core.pep_last_item(owner, NODE)?.and_then(|item| item.payload),
        Change::Purged | Change::Deleted => None,
    };
    let is_open = match core.node_exists(owner, NODE)? {
        true => core.node(owner, NODE)?.config().access_model == AccessModel::Open,
        false => true,
    };
    let new = vcard4.filter(|vcard4| vcard4.is("vcard", ns::VCARD4)).map(|vcard4| to_temp(&vcard4));
    let before = core.vcard(owner)?.unwrap_or_else(|| Element::new("vCard", ns::VCARD));
    let said_before = to_temp(&Element { children: nodes(to_vcard4(&before)), ..Element::default() });
    let new = new.unwrap_or_default();
    if !is_open || new == said_before {
        return Ok(());
    }
    let kept = before.children().filter(|child| !is_common_temp(child)).cloned();
    let children = nodes(new.into_iter().chain(kept).collect());
    core.set_vcard(owner, &Element { children, ..Element::new("vCard", ns::VCARD) })
}

fn vcard_changed(core: &mut Core, owner: &Jid, before: Option<&Element>, vcard: &Element) {
    let new = to_vcard4(vcard);
    if before.map(to_vcard4).unwrap_or_default() != new {
        core.convert(owner, |core| publish(core, owner, new));
    }
}

fn publish(core: &mut Core, owner: &Jid, new: Vec<Element>) -> Result<(), StanzaError> {
    let last = core.pep_last_item(owner, NODE)?;
    let id = last.as_ref().map_or("current", |item| &item.id).to_owned();
    let before = last.and_then(|item| item.payload);
    let kept = before.iter().flat_map(Element::children).filter(|child| !is_common_vcard4(child)).cloned();
    let children = nodes(new.into_iter().chain(kept).collect());
    let open = NodeConfig { access_model: AccessModel::Open, ..NodeConfig::default() };
    core.pep_publish(owner, NODE, &id, Element { children, ..Element::new("vcard", ns::VCARD4) }, open)
}

fn nodes(elements: Vec<Element>) -> Vec<Node> {
    elements.into_iter().map(Node::Element).collect()
}

/// Whether it is carried over, so that the other side's word replaces it.
fn is_common_temp(property: &Element) -> bool {
    let structured = ["N", "ADR", "TEL", "EMAIL", "ORG", "JABBERID", "NOTE"];
    structured.contains(&property.name.as_str()) || SIMPLE.iter().any(|(temp, ..)| *temp == property.name)
}

fn is_common_vcard4(property: &Element) -> bool {
    match property.name.as_str() {
        "n" | "adr" | "tel" | "email" | "org" => true,
        "impp" => value(property).starts_with("xmpp:"),
        name => SIMPLE.iter().any(|(_, vcard4, _)| *vcard4 == name),
    }
}

// §11
fn to_vcard4(temp: &Element) -> Vec<Element> {
    let text = |name: &str, kind: &str, value: String| {
        let value = value.trim();
        let element = |name: &str| Element::new(name, ns::VCARD4);
        (!value.is_empty()).then(|| element(name).child(element(kind).text(value)))
    };
    let child = |property: &Element, name: &str| {
        property.find(name, ns::VCARD).map(Element::text_content).unwrap_or_default()
    };
    let convert = |property: &Element| match property.name.as_str() {
        "N" => structured("n", property, NAME),
        "ADR" => structured("adr", property, ADDRESS),
        "ORG" => text("org", "text", child(property, "ORGNAME")),
        "EMAIL" => text("email", "text", child(property, "USERID")).map(|email| with_types(email, property)),
        "TEL" => {
            let number: Vec<String> =
                child(property, "NUMBER").split_whitespace().map(str::to_owned).collect();
            let uri = if number.is_empty() { String::new() } else { format!("tel:{}", number.join("-")) };
            text("tel", "uri", uri).map(|tel| with_types(tel, property))
        }
        "JABBERID" => match property.text_content().trim() {
            "" => None,
            jid => text("impp", "uri", format!("xmpp:{jid}")),
        },
        "NOTE" => text("note", "text", property.text_content()),
        name => {
            let (_, vcard4, kind) = SIMPLE.iter().find(|(temp, ..)| *temp == name)?;
            text(vcard4, kind, property.text_content())
        }
    };
    temp.children().filter_map(convert).collect()
}

fn structured(name: &str, property: &Element, parts: &[(&str, &str)]) -> Option<Element> {
    let part = |(temp, vcard4): &(&str, &str)| {
        let text = property.find(temp, ns::VCARD)?.text_content();
        let text = text.trim();
        (!text.is_empty()).then(|| Element::new(*vcard4, ns::VCARD4).text(text))
    };
    let parts: Vec<Element> = parts.iter().filter_map(part).collect();
    let filled = Element { children: nodes(parts), ..Element::new(name, ns::VCARD4) };
    filled.children().next()?;
    Some(if name == "adr" { with_types(filled, property) } else { filled })
}

/// vcard-temp has an empty element for each type, vCard4 a parameter.
fn with_types(mut property: Element, temp: &Element) -> Element {
    let types = TYPES.iter().filter(|name| temp.find(name, ns::VCARD).is_some());
    let types: Vec<Element> =
        types.map(|name| Element::new("text", ns::VCARD4).text(&name.to_ascii_lowercase())).collect();
    if !types.is_empty() {
        let types = Element { children: nodes(types), ..Element::new("type", ns::VCARD4) };
        let parameters = Element::new("parameters", ns::VCARD4).child(types);
        property.children.insert(0, Node::Element(parameters));
    }
    property
}

fn to_temp(vcard4: &Element) -> Vec<Element> {
    let element = |name: &str| Element::new(name, ns::VCARD);
    let convert = |property: &Element| {
        let text = value(property);
        let made = match property.name.as_str() {
            "n" => parts("N", property, NAME),
            "adr" => parts("ADR", property, ADDRESS),
            _ if text.is_empty() => None,
            "org" => Some(element("ORG").child(element("ORGNAME").text(&text))),
            "email" => Some(element("EMAIL").child(element("USERID").text(&text))),
            "tel" => {
                let number = text.strip_prefix("tel:").unwrap_or(&text);
                (!number.is_empty()).then(|| element("TEL").child(element("NUMBER").text(number)))
            }
            "impp" => text.strip_prefix("xmpp:").map(|jid| element("JABBERID").text(jid)),
            name => {
                let (temp, ..) = SIMPLE.iter().find(|(_, vcard4, _)| *vcard4 == name)?;
                Some(element(temp).text(&text))
            }
        };
        made.map(|mut made| {
            for name in types(property) {
                made.children.insert(0, Node::Element(element(name)));
            }
            made
        })
    };
    vcard4.children().filter(|child| child.ns == ns::VCARD4).filter_map(convert).collect()
}

/// The text of the one value of a property, of whatever type it is.
fn value(property: &Element) -> String {
    let values = property.children().filter(|child| child.name != "parameters");
    values.map(Element::text_content).next().unwrap_or_default().trim().to_owned()
}

fn parts(name: &str, property: &Element, parts: &[(&str, &str)]) -> Option<Element> {
    let part = |(temp, vcard4): &(&str, &str)| {
        let text = property.find(vcard4, ns::VCARD4)?.text_content();
        let text = text.trim();
        (!text.is_empty()).then(|| Element::new(*temp, ns::VCARD).text(text))
    };
    let parts: Vec<Element> = parts.iter().filter_map(part).collect();
    (!parts.is_empty()).then(|| Element { children: nodes(parts), ..Element::new(name, ns::VCARD) })
}

fn types(property: &Element) -> Vec<&'static str> {
    let parameters = property.find("parameters", ns::VCARD4);
    let kinds = parameters.and_then(|parameters| parameters.find("type", ns::VCARD4));
    let said: Vec<String> =
        kinds.iter().flat_map(|kinds| kinds.children()).map(Element::text_content).collect();
    let is_said = |name: &&&str| said.iter().any(|said| said.eq_ignore_ascii_case(name));
    TYPES.iter().filter(is_said).copied().collect()
}
