//! Moderated message retraction (XEP-0425): a moderator of a room takes back what somebody else has said there, and everyone
//! is told so by the room.
//!
//! Stored: a tombstone in place of the message, with the moderator's address in the room and the reason, of at most
//! [`REASON_BYTES`]. Only moderators may (`<forbidden/>`), and nobody may moderate what someone with a higher affiliation has said, as
//! nobody may kick them (XEP-0045 §8.2). What the room does not have, or has no more, is `<item-not-found/>`.

use crate::core::Core;
use crate::core::module::{Answer, Module, Route, Spec, Target};
use crate::core::rooms::{Found, Occupant, Room};
use crate::core::time;
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, MessageType, Stanza, StanzaError};
use crate::store::record::Role;
use crate::xml::{Element, ns};

/// Bytes of a reason.
const REASON_BYTES: usize = 1024;

pub const MODULE: Module = Module {
    name: "moderation",
    specs: &[Spec::Xep(425, "0.3.0")],
    room_features: &[ns::MODERATION],
    iq: &[Route { ns: ns::MODERATION, name: "moderate", target: Target::Room, handle: moderate }],
    ..Module::NONE
};

// §3
fn moderate(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (Kind::Iq(IqType::Set), Some(from), Some(address)) = (stanza.kind, &stanza.from, &stanza.to) else {
        return Err(Condition::BadRequest.into());
    };
    let moderator = moderator(core.room(address)?, from)?.clone();
    let request = stanza.request().map(|child| child.to_element()).unwrap_or_default();
    let id = request.get_attr("id").filter(|id| !id.is_empty()).ok_or(Condition::BadRequest)?;
    // Other deeds of moderators are not defined.
    request.find("retract", ns::RETRACTION).ok_or(Condition::FeatureNotImplemented)?;
    let reason = reason(&request)?;
    let found = core.find_said(address, id)?.filter(|found| !found.is_retraction());
    let found = found.ok_or_else(|| {
        StanzaError::new(
            Condition::ItemNotFound,
            "The room has no such message, or it was retracted already.",
        )
    })?;
    may_moderate(core.room(address)?, from, &found)?;
    core.writable()?;
    let announcement = core.random_word();
    let moderated = moderated(&moderator);
    let tombstone = Element::new("retracted", ns::RETRACTION)
        .attr("id", &announcement)
        .attr("stamp", time::datetime(core.now()))
        .child(moderated.clone());
    core.bury_said(address, &found, &with_reason(tombstone, reason.as_deref()))?;
    let retract = Element::new("retract", ns::RETRACTION).attr("id", id).child(moderated);
    announce(core, address, &announcement, &with_reason(retract, reason.as_deref()));
    Ok(Answer::Kept(None))
}

/// Who asks, as an occupant with the right to. They may ask from a client that is not in the room.
fn moderator<'a>(room: &'a Room, who: &Jid) -> Result<&'a Occupant, StanzaError> {
    let is_moderator = |occupant: &&Occupant| occupant.role == Role::Moderator;
    let occupant = room.occupants.of(who).filter(is_moderator);
    occupant
        .or_else(|| {
            let is_theirs = |occupant: &&Occupant| occupant.real.same_bare(who);
            room.occupants.iter().filter(is_theirs).find(is_moderator)
        })
        .ok_or_else(|| {
            StanzaError::new(Condition::Forbidden, "Only moderators may take back what others have said.")
        })
}

fn may_moderate(room: &Room, moderator: &Jid, found: &Found) -> Result<(), StanzaError> {
    if room.affiliation(&found.real) > room.affiliation(moderator) {
        return Err(StanzaError::new(Condition::Forbidden, "You may not moderate what they have said."));
    }
    Ok(())
}

fn reason(request: &Element) -> Result<Option<String>, StanzaError> {
    let reason = request.find("reason", ns::MODERATION).map(Element::text_content);
    match reason.filter(|reason| !reason.is_empty()) {
        Some(reason) if reason.len() > REASON_BYTES => {
            Err(StanzaError::new(Condition::NotAcceptable, "This reason is too long."))
        }
        reason => Ok(reason),
    }
}

/// By the address in the room: the real one is not for everyone.
fn moderated(moderator: &Occupant) -> Element {
    Element::new("moderated", ns::MODERATION)
        .attr("by", moderator.address.as_str())
        .child(Element::new("occupant-id", ns::OCCUPANT_ID).attr("id", &*moderator.id))
}

fn with_reason(element: Element, reason: Option<&str>) -> Element {
    let reason = reason.map(|reason| Element::new("reason", ns::RETRACTION).text(reason));
    reason.into_iter().fold(element, Element::child)
}

/// §3.1: from the room itself, which nobody else can be.
fn announce(core: &mut Core, room: &Jid, id: &str, retract: &Element) {
    let mut message = Stanza { id: Some(id.into()), ..Stanza::message(MessageType::Groupchat) };
    message = message.from(room).to(room).with(retract);
    core.keep_said(room, room, &mut message);
    core.say_in_room(room, room, message.clone());
    core.remember_said(&message);
}
