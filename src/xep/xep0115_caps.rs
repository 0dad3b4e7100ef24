//! Entity capabilities (XEP-0115): a hash of what the server says of itself, in the features of a stream, so that
//! a client that knows the hash need not ask.
//!
//! The hash changes with the configuration only, so it is computed once and kept. What clients say of themselves
//! is between them; nothing of it is stripped (§8.4).

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::core::Core;
use crate::core::disco::{Entity, Info};
use crate::core::module::{Module, Spec, Stage};
use crate::jid::Jid;
use crate::password::Hash;
use crate::xml::Element;
use crate::xml::ns;

/// §4: which software this is.
const NODE: &str = "urn:stube";

pub const MODULE: Module = Module {
    name: "caps",
    specs: &[Spec::Xep(115, "1.6.0")],
    features: &[ns::CAPS],
    stream_features: Some(offer),
    info: Some(describe),
    ..Module::NONE
};

// §6.3
fn offer(core: &mut Core, stage: Stage, host: &Jid) -> Option<Element> {
    (stage == Stage::AfterLogin).then(|| {
        Element::new("c", ns::CAPS).attr("hash", "sha-1").attr("node", NODE).attr("ver", &*ver(core, host))
    })
}

/// §6.2: the server itself, by the node that its hash makes.
fn describe(core: &mut Core, entity: &Entity<'_>, info: &mut Info) {
    let asked = entity.node.and_then(|node| node.strip_prefix(NODE)?.strip_prefix('#'));
    let (true, Some(asked)) = (entity.address.local().is_none(), asked) else { return };
    if *asked == *ver(core, entity.address) {
        *info = core.info(&Entity { node: None, ..*entity });
    }
}

/// The verification string of one of our domains, as its users see it.
fn ver(core: &mut Core, host: &Jid) -> Arc<str> {
    if let Some(known) = core.caps.get(host) {
        return Arc::clone(known);
    }
    let info = core.info(&Entity { address: host, node: None, asker: host }).to_element(None);
    let ver: Arc<str> = verification_string(&info).into();
    core.caps.insert(host.clone(), Arc::clone(&ver));
    ver
}

/// §5.1, of a disco#info `<query/>`.
fn verification_string(info: &Element) -> String {
    let named = |name| info.children().filter(move |child| child.is(name, ns::DISCO_INFO));
    let attr = |element: &Element, name| element.get_attr(name).unwrap_or_default().to_owned();
    let mut identities: Vec<[String; 4]> = named("identity")
        .map(|identity| ["category", "type", "xml:lang", "name"].map(|name| attr(identity, name)))
        .collect();
    identities.sort();
    let mut features: Vec<String> = named("feature").map(|feature| attr(feature, "var")).collect();
    features.sort();
    let mut parts: Vec<String> = identities.iter().map(|identity| identity.join("/")).collect();
    parts.extend(features);
    let forms = info.children().filter(|child| child.is("x", ns::DATA_FORMS));
    let forms: BTreeMap<String, Vec<String>> = forms.filter_map(form_parts).collect();
    parts.extend(forms.into_iter().flat_map(|(form_type, fields)| [vec![form_type], fields].concat()));
    let s: String = parts.into_iter().flat_map(|part| [part, "<".into()]).collect();
    BASE64.encode(Hash::Sha1.digest(s.as_bytes()))
}

/// A form's type, and its other fields and their values in order; one without type does not count (§5.4).
fn form_parts(form: &Element) -> Option<(String, Vec<String>)> {
    let fields = form.children().filter(|child| child.is("field", ns::DATA_FORMS));
    let mut fields: BTreeMap<&str, Vec<String>> = fields
        .map(|field| {
            let values = field.children().filter(|child| child.is("value", ns::DATA_FORMS));
            let mut values: Vec<String> = values.map(Element::text_content).collect();
            values.sort();
            (field.get_attr("var").unwrap_or_default(), values)
        })
        .collect();
    let form_type = fields.remove("FORM_TYPE")?.into_iter().next()?;
    let fields = fields.into_iter().flat_map(|(var, values)| [vec![var.to_owned()], values].concat());
    Some((form_type, fields.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(content: &str) -> Element {
        let query = format!("<query xmlns='{}'>{content}</query>", ns::DISCO_INFO);
        Element::parse(query.as_bytes(), ns::CLIENT).expect("XML")
    }

    const FEATURES: &str = "<feature var='http://jabber.org/protocol/muc'/>\
         <feature var='http://jabber.org/protocol/disco#items'/>\
         <feature var='http://jabber.org/protocol/caps'/>\
         <feature var='http://jabber.org/protocol/disco#info'/>";

    #[test]
    fn the_simple_example_of_section_5_2_has_its_hash() {
        let exodus = query(&format!("<identity category='client' name='Exodus 0.9.1' type='pc'/>{FEATURES}"));
        assert_eq!(verification_string(&exodus), "QgayPKawpkPSDYmwT/WM94uAlu0=");
    }

    #[test]
    fn the_complex_example_of_section_5_3_has_its_hash() {
        let psi = query(&format!(
            "<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>\
             <identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>{FEATURES}\
             <x xmlns='jabber:x:data' type='result'>\
             <field var='software'><value>Psi</value></field>\
             <field var='os'><value>Mac</value></field>\
             <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>\
             <field var='ip_version' type='text-multi'><value>ipv6</value><value>ipv4</value></field>\
             <field var='os_version'><value>10.5.1</value></field>\
             <field var='software_version'><value>0.11</value></field></x>"
        ));
        assert_eq!(verification_string(&psi), "q07IKJEyjvHSyhy//CH0CxmKi8w=");
    }
}
