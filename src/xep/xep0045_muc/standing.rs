//! What somebody is in a room changes (§5.1.3, §5.2.2): memory and store first, then everyone who may see it is told.
//!
//! Whether the one who asks may do it has been looked at before (`privileges`). Each function leaves the room with
//! those in it who may be there; that a temporary room is over when they have gone is the caller's to notice
//! ([`Core::end_if_abandoned`]), so that several changes can be made one after another.

use super::privileges::{initial_role, may_stay, role_after};
use crate::core::Core;
use crate::core::rooms::{Occupant, Room, Shown};
use crate::jid::Jid;
use crate::stanza::{MessageType, Stanza, StanzaError};
use crate::store::record::{Role, RoomAffiliation, RoomPerson};
use crate::xml::{Element, ns};

/// Why somebody has to go.
pub const BANNED: u16 = 301;
pub const KICKED: u16 = 307;
pub const NO_LONGER_MEMBER: u16 = 321;
pub const MEMBERS_ONLY_NOW: u16 = 322;

/// Who has brought a change about, and what they say of it.
#[derive(Clone, Debug, Default)]
pub struct Cause {
    /// Nobody: the room itself has.
    pub actor: Option<Actor>,
    pub reason: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Actor {
    pub jid: Jid,
    /// If they are in the room.
    pub nick: Option<String>,
}

impl Cause {
    /// What a person in a room has brought about.
    pub fn by(core: &Core, room: &Jid, who: &Jid) -> Cause {
        let occupants = core.loaded_room(room).map(|room| &room.occupants);
        let own = occupants.and_then(|all| all.of(who).or_else(|| all.of_person(who).next()));
        let nick = own.map(|own| own.nick().to_owned());
        Cause { actor: Some(Actor { jid: who.bare(), nick }), reason: None }
    }

    pub fn saying(&self, reason: Option<String>) -> Cause {
        Cause { reason, ..self.clone() }
    }

    fn shown(&self) -> Shown {
        let actor = self.actor.as_ref().and_then(|actor| actor.nick.clone());
        Shown { actor, reason: self.reason.clone(), ..Shown::default() }
    }
}

/// Takes an occupant out of the room with all devices (§8.2, §9.1, §9.4).
pub fn expel(core: &mut Core, room: &Jid, nick: &str, code: u16, cause: &Cause) {
    let Some(state) = core.loaded_room_mut(room) else { return };
    let Some(occupant) = state.occupants.remove(nick) else { return };
    let was = occupant.role;
    let gone = Occupant { role: Role::None, ..occupant };
    core.show(room, &gone, was, &Shown { gone: true, codes: vec![code], ..cause.shown() });
}

/// Gives an occupant a role (§8.3, §8.4, §9.6, §9.7).
pub fn set_role(core: &mut Core, room: &Jid, nick: &str, role: Role, cause: &Cause) {
    let Some(state) = core.loaded_room_mut(room) else { return };
    let Some(occupant) = state.occupants.get(nick).filter(|occupant| occupant.role != role) else { return };
    state.voices.given(&occupant.real, role);
    show_as(core, room, nick, role, cause);
}

/// The role of who enters: the usual one, or the voice that a moderator has given or taken.
pub fn role_on_entering(room: &Room, who: &Jid) -> Role {
    match initial_role(room.affiliation(who), room.config()) {
        role @ (Role::None | Role::Moderator) => role,
        role => room.voices.of(who).unwrap_or(role),
    }
}

/// Shows an occupant with a role that may be another than before, and what else has changed.
fn show_as(core: &mut Core, room: &Jid, nick: &str, role: Role, cause: &Cause) {
    let Some(state) = core.loaded_room_mut(room) else { return };
    let anonymous = !state.config().non_anonymous;
    let Some(occupant) = state.occupants.get_mut(nick) else { return };
    let was = std::mem::replace(&mut occupant.role, role);
    let occupant = occupant.clone();
    core.show(room, &occupant, was, &cause.shown());
    // §5.1: from here on it may know who the others are.
    if anonymous && role == Role::Moderator && was != role {
        for device in &occupant.devices {
            core.show_everyone(room, device);
        }
    }
}

/// An affiliation that somebody shall have.
#[derive(Clone, Debug)]
pub struct Grant {
    /// A bare address, or a domain.
    pub who: Jid,
    pub affiliation: RoomAffiliation,
    /// The nick that is reserved for them; empty: none; `None`: as before.
    pub nick: Option<String>,
}

impl Grant {
    pub fn new(who: &Jid, affiliation: RoomAffiliation) -> Grant {
        Grant { who: who.bare(), affiliation, nick: None }
    }

    /// What the room knows of the person from then on. Who is no longer affiliated has no reserved nick (§9.1), and an
    /// outcast no hats.
    fn apply(&self, person: RoomPerson, reason: Option<&str>) -> RoomPerson {
        let nick = match self.affiliation {
            RoomAffiliation::None | RoomAffiliation::Outcast => String::new(),
            _ => self.nick.clone().unwrap_or(person.nick),
        };
        let reason = match self.affiliation {
            RoomAffiliation::None => "",
            affiliation if affiliation == person.affiliation => reason.unwrap_or(&person.reason),
            _ => reason.unwrap_or_default(),
        };
        let reason = reason.to_owned();
        let hats = if self.affiliation == RoomAffiliation::Outcast { Vec::new() } else { person.hats };
        RoomPerson { affiliation: self.affiliation, nick, reason, hats }
    }
}

/// Changes an affiliation (§9.1 to §9.5, §10.3 to §10.8), with what follows from it for those who are in the room.
pub fn set_affiliation(core: &mut Core, room: &Jid, grant: &Grant, cause: &Cause) -> Result<(), StanzaError> {
    let state = core.room(room)?;
    let before = state.people.get(&grant.who).cloned().unwrap_or_default();
    let was = before.affiliation;
    // Who comes to be something else without anybody's doing has no new voice by that.
    if was != grant.affiliation && cause.actor.is_some() {
        state.voices.forget(&grant.who);
    }
    let affected: Vec<(Occupant, RoomAffiliation)> = (state.occupants.iter())
        .filter(|occupant| concerns(&grant.who, &occupant.real))
        .map(|occupant| (occupant.clone(), state.affiliation(&occupant.real)))
        .collect();
    core.set_person(room, &grant.who, grant.apply(before, cause.reason.as_deref()))?;
    for (occupant, was) in &affected {
        follow(core, room, occupant, *was, cause);
    }
    if affected.is_empty() && was != grant.affiliation {
        tell_of_absent(core, room, grant, cause);
        if was == RoomAffiliation::None && grant.affiliation == RoomAffiliation::Member {
            invite(core, room, &grant.who, cause);
        }
    }
    Ok(())
}

/// Whether an affiliation of `who`, which may be a domain, can be that of a person.
fn concerns(who: &Jid, person: &Jid) -> bool {
    person.same_bare(who) || who.is_domain() && who.domain() == person.domain()
}

/// What an occupant's new affiliation means for it: it has to go, or is shown with it and the role that it brings.
fn follow(core: &mut Core, room: &Jid, occupant: &Occupant, was: RoomAffiliation, cause: &Cause) {
    let Some(state) = core.loaded_room(room) else { return };
    let (now, config) = (state.affiliation(&occupant.real), state.config());
    let role = role_after(occupant.role, was, now, config);
    // §10.1.1: in a room that is not open yet there are owners only.
    let is_early = state.record.locked && now < RoomAffiliation::Owner;
    if is_early || !may_stay(now, config) {
        let code = if now == RoomAffiliation::Outcast { BANNED } else { NO_LONGER_MEMBER };
        expel(core, room, occupant.nick(), code, cause);
    } else if now != was {
        show_as(core, room, occupant.nick(), role, cause);
    }
}

/// §9.3 and others: those in the room learn of somebody who is not, if they may know the address.
fn tell_of_absent(core: &mut Core, room: &Jid, grant: &Grant, cause: &Cause) {
    let Some(state) = core.loaded_room(room).filter(|room| !room.occupants.is_empty()) else { return };
    let everyone = state.config().non_anonymous;
    let mut item = Element::new("item", ns::MUC_USER)
        .attr("affiliation", grant.affiliation.name())
        .attr("role", Role::None.name())
        .attr("jid", grant.who.as_str());
    if let Some(nick) = cause.actor.as_ref().and_then(|actor| actor.nick.as_deref()) {
        item = item.child(Element::new("actor", ns::MUC_USER).attr("nick", nick));
    }
    if let Some(reason) = &cause.reason {
        item = item.child(Element::new("reason", ns::MUC_USER).text(reason));
    }
    let x = Element::new("x", ns::MUC_USER).child(item);
    let mut message = Stanza::message(MessageType::Normal).from(room).with(&x);
    message.id = Some(core.random_word().into());
    core.tell_occupants(room, message, |occupant| everyone || occupant.role == Role::Moderator);
}

/// §9.5: whoever becomes a member of a room that is for members only learns that they may come in.
fn invite(core: &mut Core, room: &Jid, who: &Jid, cause: &Cause) {
    let Some(state) = core.loaded_room(room) else { return };
    let Some(actor) = cause.actor.as_ref().filter(|_| state.config().members_only && !who.is_domain()) else {
        return;
    };
    // Whose address it is remains between the moderators.
    let from = match actor.nick.as_deref().and_then(|nick| room.with_resource(nick).ok()) {
        _ if state.config().non_anonymous => actor.jid.clone(),
        Some(occupant) => occupant,
        None => room.clone(),
    };
    let mut invite = Element::new("invite", ns::MUC_USER).attr("from", from.as_str());
    if let Some(reason) = &cause.reason {
        invite = invite.child(Element::new("reason", ns::MUC_USER).text(reason));
    }
    let mut x = Element::new("x", ns::MUC_USER).child(invite);
    if !state.config().password.is_empty() {
        x = x.child(Element::new("password", ns::MUC_USER).text(&state.config().password));
    }
    let mut message = Stanza::message(MessageType::Normal).from(room).to(who).with(&x);
    message.id = Some(core.random_word().into());
    core.route(message);
}

/// A room is moderated from here on, or no longer (§5.1.2): those without an affiliation have the role that they would
/// enter with, unless they are moderators.
pub fn follow_moderation(core: &mut Core, room: &Jid, cause: &Cause) {
    let Some(state) = core.loaded_room_mut(room) else { return };
    state.voices.forget_all();
    let role = initial_role(RoomAffiliation::None, state.config());
    let affected: Vec<String> = (state.occupants.iter())
        .filter(|occupant| state.affiliation(&occupant.real) == RoomAffiliation::None)
        .filter(|occupant| occupant.role != Role::Moderator && occupant.role != role)
        .map(|occupant| occupant.nick().to_owned())
        .collect();
    for nick in affected {
        show_as(core, room, &nick, role, cause);
    }
}

/// §10.2: a room is for members only from here on.
pub fn expel_strangers(core: &mut Core, room: &Jid, cause: &Cause) {
    let Some(state) = core.loaded_room(room) else { return };
    let strangers: Vec<String> = (state.occupants.iter())
        .filter(|occupant| !may_stay(state.affiliation(&occupant.real), state.config()))
        .map(|occupant| occupant.nick().to_owned())
        .collect();
    for nick in strangers {
        expel(core, room, &nick, MEMBERS_ONLY_NOW, cause);
    }
}
