//! Invitations that a room passes on, and their refusal (§7.8.2). Those that people send each other themselves (XEP-0249)
//! pass like any message.
//!
//! Occupants may invite, if the room's configuration (`members_invite`) does not leave that to its admins; into a room for
//! members only, this makes a member. The invitation says who invites, by the bare address, and the password of the
//! room. It waits for who is offline, and wakes.
//!
//! Nothing is stored of an invitation, so a refusal is taken from anyone and passed on to those whom the room knows or
//! has in it; who refuses does not learn whether it was. Bounds: [`MOST`] of a message, and `rooms.messages_per_minute`.

use super::messages::too_fast;
use super::standing::{self, Cause, Grant};
use crate::core::Core;
use crate::core::rooms::{MAX_PEOPLE, Room};
use crate::jid::Jid;
use crate::stanza::{Condition, MessageType, Stanza, StanzaError};
use crate::store::record::RoomAffiliation;
use crate::xml::{Element, ns};

/// Invitations in one message.
const MOST: usize = 20;

/// Whether a message to a room invites somebody or declines an invitation.
pub fn is_one(stanza: &Stanza) -> bool {
    let content = stanza.payload.find("x", ns::MUC_USER).map(|x| x.to_element());
    content.is_some_and(|x| x.find("invite", ns::MUC_USER).or(x.find("decline", ns::MUC_USER)).is_some())
}

pub fn pass_on(core: &mut Core, stanza: &Stanza, to: &Jid) -> Result<(), StanzaError> {
    let (Some(from), Some(content)) = (&stanza.from, stanza.payload.find("x", ns::MUC_USER)) else {
        return Err(Condition::BadRequest.into());
    };
    // §15.2: one that is not unlocked yet is not there.
    if core.room(to)?.record.locked {
        return Err(StanzaError::new(Condition::ItemNotFound, "This room is not open yet."));
    }
    let content = content.to_element();
    match content.find("decline", ns::MUC_USER) {
        Some(refusal) => decline(core, stanza, from, refusal),
        None => {
            let invitations: Vec<&Element> =
                content.children().filter(|child| child.is("invite", ns::MUC_USER)).collect();
            invite(core, stanza, from, &invitations)
        }
    }
}

/// All or none are sent, but for those whom nobody finds.
fn invite(core: &mut Core, stanza: &Stanza, from: &Jid, invitations: &[&Element]) -> Result<(), StanzaError> {
    let room = stanza.to.as_ref().map(Jid::bare).ok_or(Condition::BadRequest)?;
    if invitations.len() > MOST {
        return Err(StanzaError::new(Condition::PolicyViolation, "These are too many people at once."));
    }
    may_invite(core.room(&room)?, from)?;
    let mut invited = Vec::new();
    for invitation in invitations {
        invited.push((invitee(core, &room, invitation)?, *invitation));
    }
    let makes_members = core.room(&room)?.config().members_only;
    if makes_members {
        core.writable()?;
        if core.room(&room)?.people.len() + invited.len() > MAX_PEOPLE {
            return Err(StanzaError::new(Condition::ResourceConstraint, "This room knows too many people."));
        }
    }
    for _ in &invited {
        admit(core, &room, from)?;
    }
    let mut failed = None;
    for (who, invitation) in invited {
        match send_invitation(core, stanza, &room, from, &who, invitation) {
            Ok(()) if makes_members => make_member(core, &room, &who)?,
            Ok(()) => {}
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(()), Err)
}

fn may_invite(room: &Room, from: &Jid) -> Result<(), StanzaError> {
    if room.occupants.of(from).is_none() {
        return Err(Condition::Forbidden.into()); // §5.1.1
    }
    // "if a member without privileges to edit the member list attempts to invite another user"
    if !room.config().members_invite && room.affiliation(from) < RoomAffiliation::Admin {
        return Err(StanzaError::new(Condition::Forbidden, "Only the admins of this room may invite."));
    }
    Ok(())
}

/// Somebody who can be invited.
fn invitee(core: &mut Core, room: &Jid, invitation: &Element) -> Result<Jid, StanzaError> {
    let to = invitation.get_attr("to").ok_or(Condition::BadRequest)?;
    let to = Jid::parse(to).map_err(|_| StanzaError::from(Condition::JidMalformed))?;
    // Those who are in a room can be invited by a private message.
    if to.is_domain() || core.is_room(&to) {
        return Err(nobody());
    }
    if core.room(room)?.affiliation(&to) == RoomAffiliation::Outcast {
        return Err(StanzaError::new(Condition::NotAllowed, "This person is banned from the room."));
    }
    Ok(to)
}

fn send_invitation(
    core: &mut Core,
    stanza: &Stanza,
    room: &Jid,
    from: &Jid,
    who: &Jid,
    invitation: &Element,
) -> Result<(), StanzaError> {
    let mut invite = Element::new("invite", ns::MUC_USER).attr("from", from.bare_str());
    if let Some(reason) = reason(invitation) {
        invite = invite.child(reason);
    }
    // §7.9: a chat of two goes on in the room.
    if let Some(goes_on) = invitation.find("continue", ns::MUC_USER) {
        let mut continues = Element::new("continue", ns::MUC_USER);
        if let Some(subject) = goes_on.get_attr("thread") {
            continues.set_attr("thread", subject);
        }
        invite = invite.child(continues);
    }
    let mut content = Element::new("x", ns::MUC_USER).child(invite);
    let password = core.room(room)?.config().password.clone();
    if !password.is_empty() {
        content = content.child(Element::new("password", ns::MUC_USER).text(&password));
    }
    send(core, stanza, room, who, &content).map_err(|error| match error.condition {
        // There is nobody, or nobody who wants to hear of this room or from the inviter.
        Condition::ServiceUnavailable => nobody(),
        _ => error,
    })
}

fn make_member(core: &mut Core, room: &Jid, who: &Jid) -> Result<(), StanzaError> {
    if core.room(room)?.affiliation(who) > RoomAffiliation::None {
        return Ok(());
    }
    standing::set_affiliation(core, room, &Grant::new(who, RoomAffiliation::Member), &Cause::default())
}

fn decline(core: &mut Core, stanza: &Stanza, from: &Jid, refusal: &Element) -> Result<(), StanzaError> {
    let room = stanza.to.as_ref().map(Jid::bare).ok_or(Condition::BadRequest)?;
    let to = refusal.get_attr("to").ok_or(Condition::BadRequest)?;
    let to = Jid::parse(to).map_err(|_| StanzaError::from(Condition::JidMalformed))?;
    let state = core.room(&room)?;
    if state.affiliation(from) == RoomAffiliation::Outcast {
        return Err(Condition::Forbidden.into());
    }
    let is_known =
        state.affiliation(&to) > RoomAffiliation::None || state.occupants.of_person(&to).next().is_some();
    admit(core, &room, from)?;
    if !is_known {
        return Ok(());
    }
    let mut decline = Element::new("decline", ns::MUC_USER).attr("from", from.bare_str());
    if let Some(reason) = reason(refusal) {
        decline = decline.child(reason);
    }
    let content = Element::new("x", ns::MUC_USER).child(decline);
    // Whoever declines need not hear that the inviter is gone.
    let _ = send(core, stanza, &room, &to, &content);
    Ok(())
}

fn reason(element: &Element) -> Option<Element> {
    let reason = element.find("reason", ns::MUC_USER)?.text_content();
    Some(Element::new("reason", ns::MUC_USER).text(&reason))
}

fn admit(core: &mut Core, room: &Jid, from: &Jid) -> Result<(), StanzaError> {
    let id = core.occupant_id(room, from).into();
    let (per_minute, now) = (core.config.rooms.messages_per_minute, core.now());
    if core.room(room)?.admit(&id, per_minute, now) { Ok(()) } else { Err(too_fast()) }
}

/// From the room to somebody outside; to whichever client is there, if not that one.
fn send(
    core: &mut Core,
    stanza: &Stanza,
    room: &Jid,
    to: &Jid,
    content: &Element,
) -> Result<(), StanzaError> {
    let gone = core.is_host(to.domain()) && core.session_of(to).is_none();
    let to = if gone { to.bare() } else { to.clone() };
    let mut message = Stanza::message(MessageType::Normal).from(room).to(&to).with(content);
    (message.id, message.lang) = (stanza.id.clone(), stanza.lang.clone());
    core.try_route(&mut message)
}

fn nobody() -> StanzaError {
    StanzaError::new(Condition::ItemNotFound, "There is nobody with this address.")
}
