//! Private XML storage (XEP-0049): what a client keeps for its user and nobody else, by namespace and name.
//!
//! Stored: table `private`. An account has room for `private_bytes`; one more is `<resource-constraint/>`. What is
//! replaced by an empty element is deleted: both are told as the empty element. Reserved namespaces are not refused
//! (§2.3, optional), since clients do keep things there.

use crate::core::Core;
use crate::core::module::{Answer, Module, Route, Spec, Target};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::xep;
use crate::xml::Element;
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "private",
    specs: &[Spec::Xep(49, "1.2")],
    features: &[ns::PRIVATE],
    iq: &[Route { ns: ns::PRIVATE, name: "query", target: Target::Owner, handle }],
    ..Module::NONE
};

// §2.3
fn handle(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (Some(owner), Some(query)) = (stanza.to.as_ref().map(Jid::bare), stanza.request()) else {
        return Err(Condition::BadRequest.into());
    };
    let query = query.to_element();
    let fragments: Vec<&Element> = query.children().collect();
    let has_own_ns = |fragment: &&Element| !["", ns::PRIVATE, ns::CLIENT].contains(&fragment.ns.as_str());
    if fragments.is_empty() || !fragments.iter().all(has_own_ns) {
        return Err(Condition::NotAcceptable.into());
    }
    match stanza.kind {
        Kind::Iq(IqType::Set) => set(core, &owner, &fragments),
        _ => get(core, &owner, &fragments),
    }
}

fn get(core: &mut Core, owner: &Jid, asked: &[&Element]) -> Result<Answer, StanzaError> {
    let mut query = Element::new("query", ns::PRIVATE);
    for fragment in asked {
        let stored = core.private(owner, &fragment.ns, &fragment.name)?;
        query = query.child(stored.unwrap_or_else(|| Element::new(&*fragment.name, &*fragment.ns)));
    }
    Ok(Answer::Result(Some(query)))
}

fn set(core: &mut Core, owner: &Jid, fragments: &[&Element]) -> Result<Answer, StanzaError> {
    core.set_private(owner, fragments)?;
    for tell in xep::ALL.iter().filter_map(|module| module.private_changed) {
        fragments.iter().for_each(|fragment| tell(core, owner, fragment));
    }
    Ok(Answer::Kept(None))
}
