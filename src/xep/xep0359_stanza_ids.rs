//! Unique and stable stanza ids (XEP-0359): nobody but us says what the id of a message is in the archive of an account or a
//! room.
//!
//! An id that claims to be given by the account that a message is from or for is removed, whether we give one or not
//! (§3, rule 2); others stay (rule 3). The true one comes with the archive.
//! In a room, nobody but the room has such an id to give: there the room itself removes what claims to be from here.

use crate::core::Core;
use crate::core::module::{Flow, Module, Spec};
use crate::jid::Jid;
use crate::stanza::{Kind, Stanza, StanzaError};
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "stanza_ids",
    specs: &[Spec::Xep(359, "0.7.0")],
    features: &[ns::STANZA_ID],
    account_features: &[ns::STANZA_ID],
    room_features: &[ns::STANZA_ID],
    outbound: Some(outbound),
    inbound: Some(inbound),
    ..Module::NONE
};

/// Both archives share what is sent, so it must be right for both.
fn outbound(core: &mut Core, stanza: &mut Stanza) -> Result<Flow, StanzaError> {
    if has_ids(stanza) {
        let parties = [stanza.from.clone(), stanza.to.clone()];
        for party in parties.iter().flatten().filter(|party| core.is_local(party.domain())) {
            remove(stanza, party);
        }
    }
    Ok(Flow::Continue)
}

fn inbound(_: &mut Core, stanza: &mut Stanza) -> Result<Flow, StanzaError> {
    if has_ids(stanza)
        && let Some(to) = stanza.to.clone()
    {
        remove(stanza, &to);
    }
    Ok(Flow::Continue)
}

fn has_ids(stanza: &Stanza) -> bool {
    matches!(stanza.kind, Kind::Message(_)) && stanza.payload.find("stanza-id", ns::STANZA_ID).is_some()
}

/// §3, rule 7: addresses are compared as such, not as text.
fn remove(stanza: &mut Stanza, party: &Jid) {
    stanza.payload = stanza.payload.without(|child| {
        child.is("stanza-id", ns::STANZA_ID)
            && (child.to_element().get_attr("by"))
                .is_some_and(|by| Jid::parse(by).is_ok_and(|by| by.as_str() == party.bare_str()))
    });
}
