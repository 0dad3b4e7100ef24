//! Entering a room (§7.2).

use super::standing::role_on_entering;
use super::{nicks, presence};
use crate::config::RoomMakers;
use crate::core::Core;
use crate::core::rooms::{Room, Shown};
use crate::jid::Jid;
use crate::stanza::{Condition, ErrorType, PresenceType, Stanza, StanzaError};
use crate::store::record::{Role, RoomAffiliation, RoomConfig};
use crate::xep;
use crate::xml::{Element, ns};

/// Bytes of a presence that are shown in a room: everyone who comes gets it.
const MAX_PRESENCE: usize = 8 * 1024;

/// Devices of one person in one room, under all their nicks.
const MAX_DEVICES: usize = 50;

/// Presence for an address in a room.
pub fn available(core: &mut Core, stanza: &Stanza, to: &Jid) {
    let Err(error) = try_available(core, stanza, to) else { return };
    if let Some(reply) = stanza.error(&error) {
        core.route(reply.with(&Element::new("x", ns::MUC)));
    }
}

fn try_available(core: &mut Core, stanza: &Stanza, to: &Jid) -> Result<(), StanzaError> {
    let from = stanza.from.as_ref().ok_or(Condition::BadRequest)?;
    if !to.is_full() {
        return Err(Condition::JidMalformed.into()); // §7.2.1: no nick
    }
    if stanza.payload.bytes().len() > MAX_PRESENCE {
        return Err(StanzaError::new(Condition::PolicyViolation, "This presence is too large."));
    }
    let wants_in = stanza.payload.find("x", ns::MUC).is_some();
    let known = core.loaded_room(to).and_then(|room| room.occupants.of(from)).cloned();
    match known {
        None if !wants_in => {
            say_that_it_is_not_in(core, from, to);
            return Ok(());
        }
        None => return enter(core, stanza, from, to),
        Some(occupant) if occupant.address == *to => {
            if !wants_in {
                presence::change(core, stanza, from, &occupant)?;
            }
        }
        Some(occupant) => presence::change_nick(core, stanza, from, &occupant, to)?,
    }
    // A client that has forgotten that it is in gets everything again.
    if wants_in { enter(core, stanza, from, to) } else { Ok(()) }
}

/// §7.2.18: a client that believes that it is in, and would go on believing it.
fn say_that_it_is_not_in(core: &mut Core, from: &Jid, to: &Jid) {
    let item = Element::new("item", ns::MUC_USER).attr("affiliation", "none").attr("role", "none");
    let reason = Element::new("reason", ns::MUC_USER).text("You are not in this room.");
    let status = |code| Element::new("status", ns::MUC_USER).attr("code", code);
    let x = Element::new("x", ns::MUC_USER).child(item.child(reason));
    let x = ["110", "307", "333"].into_iter().fold(x, |x, code| x.child(status(code)));
    let id = Element::new("occupant-id", ns::OCCUPANT_ID).attr("id", core.occupant_id(to, from));
    core.route(Stanza::presence(PresenceType::Unavailable).from(to).to(from).with(&id).with(&x));
}

// §7.2
fn enter(core: &mut Core, stanza: &Stanza, from: &Jid, to: &Jid) -> Result<(), StanzaError> {
    let address = to.bare();
    nicks::check(nick(to), core.config.rooms.nick_bytes)?;
    let made = match core.room(&address) {
        Ok(_) => false,
        Err(error) if error.condition == Condition::ItemNotFound => {
            make(core, from, &address)?;
            true
        }
        Err(error) => return Err(error),
    };
    let id = core.occupant_id(&address, from);
    let device = core.device(from, presence::shown(stanza));
    let most = core.config.rooms.occupants.max_len();
    let room = core.room(&address)?;
    if let Err(error) = may_enter(room, stanza, from, to, most) {
        core.end_if_abandoned(&address);
        return Err(error);
    }
    let role = role_on_entering(room, from);
    let was = room.occupants.get(nick(to)).map_or(Role::None, |occupant| occupant.role);
    room.occupants.enter(to, from, &id, role, device);
    let Some(occupant) = room.occupants.of(from).cloned() else { return Ok(()) };
    let Some(device) = occupant.devices.last().cloned() else { return Ok(()) };
    let change =
        Shown { own_codes: entry_codes(core, &address, made), id: stanza.id.clone(), ..Shown::default() };
    // §7.1: this is the order of events.
    core.show_everyone(&address, &device);
    core.show_to_others(&address, &occupant, was, &change);
    for other in occupant.devices.iter().filter(|other| other.jid != device.jid) {
        core.show_to_itself(&address, &occupant, other, &Shown::default());
    }
    core.show_to_itself(&address, &occupant, &device, &change);
    for tell in xep::ALL.iter().filter_map(|module| module.room_entered) {
        tell(core, &occupant.address, from, stanza);
    }
    super::subject::tell(core, &address, &device);
    Ok(())
}

/// §10.1: the first one to come makes the room.
fn make(core: &mut Core, from: &Jid, address: &Jid) -> Result<(), StanzaError> {
    may_make(core, from)?;
    core.create_room(address, Some(from), true, RoomConfig::default())
}

fn may_make(core: &Core, from: &Jid) -> Result<(), StanzaError> {
    let (who, most) = (core.config.rooms.create, core.config.rooms.per_person.max_len());
    let may = core.is_admin(from)
        || match who {
            RoomMakers::Local => core.is_host(from.domain()),
            RoomMakers::Admins => false,
            RoomMakers::Anyone => true,
        };
    if !may {
        return Err(StanzaError::new(Condition::NotAllowed, "You can't make rooms here."));
    }
    if !core.is_admin(from) && core.rooms_made_by(from) >= most {
        return Err(StanzaError::new(Condition::NotAllowed, "You have made as many rooms as you may."));
    }
    Ok(())
}

fn may_enter(room: &Room, stanza: &Stanza, from: &Jid, to: &Jid, most: usize) -> Result<(), StanzaError> {
    let affiliation = room.affiliation(from);
    let config = room.config();
    let is_in = room.occupants.get(nick(to)).is_some_and(|occupant| occupant.real.same_bare(from));
    if affiliation == RoomAffiliation::Outcast {
        return Err(Condition::Forbidden.into()); // §7.2.7
    }
    if room.record.locked && affiliation != RoomAffiliation::Owner {
        return Err(StanzaError::new(Condition::ItemNotFound, "This room is not open yet.")); // §10.1.1
    }
    if config.members_only && affiliation < RoomAffiliation::Member {
        return Err(Condition::RegistrationRequired.into()); // §7.2.6
    }
    nicks::check_free(room, nick(to), from)?; // §7.2.8
    let password = stanza.payload.find("x", ns::MUC).map(|x| x.to_element());
    let password = password.as_ref().and_then(|x| x.find("password", ns::MUC)).map(Element::text_content);
    let exempt = is_in || affiliation == RoomAffiliation::Owner;
    if !config.password.is_empty() && !exempt && password.as_deref() != Some(config.password.as_str()) {
        return Err(Condition::NotAuthorized.into()); // §7.2.5
    }
    let devices: usize = room.occupants.of_person(from).map(|occupant| occupant.devices.len()).sum();
    if devices >= MAX_DEVICES && room.occupants.of(from).is_none() {
        return Err(StanzaError::new(Condition::ResourceConstraint, "You are here with too many clients."));
    }
    let most = if config.max_users > 0 { most.min(config.max_users as usize) } else { most };
    if !is_in && affiliation < RoomAffiliation::Admin && room.occupants.len() >= most {
        let full = StanzaError::new(Condition::ServiceUnavailable, "This room is full.");
        return Err(full.with_type(ErrorType::Wait)); // §7.2.9
    }
    Ok(())
}

/// §7.2.3, §7.2.12, §10.1.1
fn entry_codes(core: &Core, room: &Jid, made: bool) -> Vec<u16> {
    let Some(room) = core.loaded_room(room) else { return Vec::new() };
    let codes = [(100, room.config().non_anonymous), (170, core.is_logged(room.config())), (201, made)];
    codes.into_iter().filter(|(_, applies)| *applies).map(|(code, _)| code).collect()
}

pub fn nick(address: &Jid) -> &str {
    address.resource().unwrap_or_default()
}
