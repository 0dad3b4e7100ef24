//! Private XML storage (XEP-0049): what a client keeps for its user and nobody else, by namespace and name.
//!
//! Stored: table `private`. An account has room for `private_bytes`; one more is `<resource-constraint/>`. What is
//! replaced by an empty element is deleted: both are told as the empty element. Reserved namespaces are not refused
//! (§2.3, optional), since clients do keep things there.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::core::Core;
use crate::core::module::{Answer, Module, Route, Spec, Target};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::store::record::Blob;
use crate::store::schema::{self, Op, Table};
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
    let id = core.account(&owner)?.record.id;
    match stanza.kind {
        Kind::Iq(IqType::Set) => set(core, &owner, id, &fragments),
        _ => get(core, id, &fragments),
    }
}

fn get(core: &mut Core, id: u32, asked: &[&Element]) -> Result<Answer, StanzaError> {
    let mut query = Element::new("query", ns::PRIVATE);
    for fragment in asked {
        let stored = stored(core, id, fragment)?.and_then(|bytes| Element::parse(&bytes, ns::CLIENT));
        query = query.child(stored.unwrap_or_else(|| Element::new(&*fragment.name, &*fragment.ns)));
    }
    Ok(Answer::Result(Some(query)))
}

fn set(core: &mut Core, owner: &Jid, id: u32, fragments: &[&Element]) -> Result<Answer, StanzaError> {
    core.writable()?;
    let before = usage(core, owner, id)?;
    let mut after = before;
    let mut ops: BTreeMap<(&str, &str), Op> = BTreeMap::new();
    for fragment in fragments {
        let old = stored(core, id, fragment)?.map_or(0, |bytes| bytes.len());
        let bytes = fragment.to_bytes(ns::CLIENT);
        let (new, op) = match fragment.attrs.is_empty() && fragment.children.is_empty() {
            true => (0, schema::private::delete(id, &fragment.ns, &fragment.name)),
            false => (bytes.len(), schema::private::put(id, &fragment.ns, &fragment.name, &bytes)),
        };
        after = (after + new as u64).saturating_sub(old as u64);
        if ops.insert((&fragment.ns, &fragment.name), op).is_some() {
            // Only one of them could be kept.
            return Err(Condition::BadRequest.into());
        }
    }
    // Someone who has too much already can still make it less.
    if after > core.config.limits.private_bytes.max() && after > before {
        return Err(StanzaError::new(Condition::ResourceConstraint, "There is no room for more."));
    }
    core.account(owner)?.private_bytes = Some(after);
    core.write(owner, ops.into_values());
    Ok(Answer::Kept(None))
}

fn stored(core: &Core, id: u32, fragment: &Element) -> Result<Option<Vec<u8>>, StanzaError> {
    let key = schema::private::key(id, &fragment.ns, &fragment.name);
    Ok(core.value::<Blob>(Table::Private, &key)?.map(|Blob(bytes)| bytes))
}

/// The bytes that an account has stored; counted when it is first needed.
fn usage(core: &mut Core, owner: &Jid, id: u32) -> Result<u64, StanzaError> {
    if let Some(bytes) = core.account(owner)?.private_bytes {
        return Ok(bytes);
    }
    let mut bytes = 0;
    // Nothing of this account is unwritten: it was counted when the first such change was made.
    let counted = core.store().scan(Table::Private, &schema::owned(id), &[], |_, value| {
        bytes += Blob::payload_length(value) as u64;
        ControlFlow::Continue(())
    });
    counted.map_err(|why| {
        log::error!("the private storage of {owner} cannot be read: {why}");
        StanzaError::from(Condition::InternalServerError)
    })?;
    core.account(owner)?.private_bytes = Some(bytes);
    Ok(bytes)
}
