//! Message retraction (XEP-0424): what somebody takes back in a room is left neither in its archive nor for those who enter.
//! In its place there is a tombstone, which says that something was there, whose it was and which message took it back.
//!
//! Stored: the tombstone, in place of the message. A message is its author's, whatever their nick is now: that is told by
//! the occupant-id. To take back another's is `<forbidden/>`; what the room knows nothing of passes, since clients may.
//! Archives of accounts keep what was retracted, and the retraction: there it is the clients' to act on.

use crate::core::Core;
use crate::core::disco::{Entity, Info};
use crate::core::module::{Flow, Module, Spec};
use crate::core::rooms::Found;
use crate::core::time;
use crate::jid::Jid;
use crate::stanza::{Condition, Stanza, StanzaError};
use crate::xml::{Element, ns};

pub const MODULE: Module = Module {
    name: "retraction",
    specs: &[Spec::Xep(424, "0.4.2")],
    room_features: &[ns::RETRACTION, ns::RETRACTION_TOMBSTONE],
    room_message: Some(allow),
    room_said: Some(retract),
    info: Some(describe),
    ..Module::NONE
};

/// §2: who archives retractions says so.
fn describe(core: &mut Core, entity: &Entity<'_>, info: &mut Info) {
    if core.config.archive.enabled && (entity.is_account() || entity.is_server(core)) {
        info.features.push(ns::RETRACTION);
    }
}

/// §5: a retraction is to be acted on only if it comes from who has said what it retracts.
fn allow(core: &mut Core, stanza: &mut Stanza) -> Result<Flow, StanzaError> {
    if !stanza.payload.children().any(|child| child.ns() == ns::RETRACTION) {
        return Ok(Flow::Continue);
    }
    // Tombstones are made by archives alone.
    stanza.payload = stanza.payload.without(|child| child.is("retracted", ns::RETRACTION));
    let (Some(from), Some(room)) = (stanza.from.clone(), stanza.to.clone()) else {
        return Err(Condition::BadRequest.into());
    };
    let Some(id) = retracted_id(stanza)? else { return Ok(Flow::Continue) };
    let Some(found) = core.find_said(&room, &id)? else { return Ok(Flow::Continue) };
    if found.author() != Some(core.occupant_id(&room, &from)) {
        return Err(StanzaError::new(Condition::Forbidden, "Somebody else has said this."));
    }
    core.writable()?;
    Ok(Flow::Continue)
}

/// The id of what a message retracts; a message that retracts several things, or a moderator's deed (XEP-0425 §5), makes no
/// sense.
fn retracted_id(stanza: &Stanza) -> Result<Option<String>, StanzaError> {
    let mut retractions = stanza.payload.children().filter(|child| child.is("retract", ns::RETRACTION));
    let Some(retraction) = retractions.next().map(|child| child.to_element()) else { return Ok(None) };
    let id = retraction.get_attr("id").filter(|id| !id.is_empty()).ok_or(Condition::BadRequest)?;
    if retractions.next().is_some() || retraction.find("moderated", ns::MODERATION).is_some() {
        return Err(Condition::BadRequest.into());
    }
    Ok(Some(id.to_owned()))
}

/// §4: a retraction that everyone has got leaves only a tombstone of what it retracts.
fn retract(core: &mut Core, stanza: &Stanza) {
    let (Some(from), Ok(Some(id))) = (&stanza.from, retracted_id(stanza)) else { return };
    let Ok(Some(found)) = core.find_said(from, &id) else { return };
    let author = stanza.payload.find("occupant-id", ns::OCCUPANT_ID).map(|child| child.to_element());
    let is_own = author.is_some_and(|author| author.get_attr("id") == found.author().as_deref());
    if is_own && !found.is_retraction() {
        bury(core, from, &found, stanza);
    }
}

fn bury(core: &mut Core, room: &Jid, found: &Found, retraction: &Stanza) {
    let tombstone = Element::new("retracted", ns::RETRACTION)
        .attr("id", retraction.id.as_deref().unwrap_or_default())
        .attr("stamp", time::datetime(core.now()));
    if let Err(error) = core.bury_said(room, found, &tombstone) {
        log::error!("what was retracted in {room} is still there: {error:?}");
    }
}
