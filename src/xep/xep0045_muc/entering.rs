//! Entering a room (§7.2), and presence of those who are in it: changing a nick (§7.6) and availability (§7.7).

use super::{messages, nicks};
use crate::config::RoomMakers;
use crate::core::Core;
use crate::core::rooms::{Device, Occupant, Room, Shown};
use crate::jid::Jid;
use crate::stanza::{Condition, Stanza, StanzaError};
use crate::store::record::{Role, RoomAffiliation, RoomConfig};
use crate::xep;
use crate::xml::{Element, Payload, ns};

/// Bytes of a presence that are shown in a room: everyone who comes gets it.
const MAX_PRESENCE: usize = 8 * 1024;

/// Presence for an address in a room.
pub fn available(core: &mut Core, stanza: &Stanza, to: &Jid) -> Result<(), StanzaError> {
    let from = stanza.from.as_ref().ok_or(Condition::BadRequest)?;
    if stanza.payload.bytes().len() > MAX_PRESENCE {
        return Err(StanzaError::new(Condition::PolicyViolation, "This presence is too large."));
    }
    let wants_in = stanza.payload.find("x", ns::MUC);
    let known = core.loaded_room(to).and_then(|room| room.occupants.of(from)).cloned();
    match known {
        // A client that has forgotten that it is in: it gets everything again.
        Some(occupant) if wants_in.is_some() && occupant.address == *to => enter(core, stanza, from, to),
        Some(occupant) if occupant.address == *to => change_presence(core, stanza, from, &occupant),
        Some(occupant) => change_nick(core, stanza, from, &occupant, to),
        None => enter(core, stanza, from, to),
    }
}

// §7.2
fn enter(core: &mut Core, stanza: &Stanza, from: &Jid, to: &Jid) -> Result<(), StanzaError> {
    let address = to.bare();
    nicks::check(nick(to), core.config.rooms.nick_bytes)?;
    let made = match core.room(&address) {
        Ok(_) => false,
        Err(error) if error.condition == Condition::ItemNotFound => {
            make(core, stanza, from, &address)?;
            true
        }
        Err(error) => return Err(error),
    };
    let id = core.occupant_id(&address, from);
    let session = core.session_of(from).map(|session| session.id);
    let most = core.config.rooms.occupants.max_len();
    let room = core.room(&address)?;
    may_enter(room, stanza, from, to, most)?;
    let affiliation = room.affiliation(from);
    let role = initial_role(affiliation, room.config());
    let was = room.occupants.get(nick(to)).map_or(Role::None, |occupant| occupant.role);
    let device = Device::new(from.clone(), session, shown(stanza));
    room.occupants.enter(to, from, &id, role, device);
    let Some(occupant) = room.occupants.of(from).cloned() else { return Ok(()) };
    let Some(device) = occupant.devices.last().cloned() else { return Ok(()) };
    let own_codes = entry_codes(room, made);
    core.show_everyone(&address, &device);
    let change = Shown { own_codes, ..Shown::default() };
    core.show_to_others(&address, &occupant, was, &change);
    // §7.2.2: its own presence is the last one.
    core.show_to_itself(&address, &occupant, &device, &change);
    for tell in xep::ALL.iter().filter_map(|module| module.room_entered) {
        tell(core, &occupant.address, from, stanza);
    }
    super::subject::tell(core, &address, &device);
    Ok(())
}

/// §10.1: the first one to come makes the room. Without the `<x/>` of XEP-0045 it is no wish for one.
fn make(core: &mut Core, stanza: &Stanza, from: &Jid, address: &Jid) -> Result<(), StanzaError> {
    if stanza.payload.find("x", ns::MUC).is_none() {
        return Err(Condition::ItemNotFound.into());
    }
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
    let most = if config.max_users > 0 { most.min(config.max_users as usize) } else { most };
    if !is_in && affiliation < RoomAffiliation::Admin && room.occupants.len() >= most {
        return Err(StanzaError::new(Condition::ServiceUnavailable, "This room is full.")); // §7.2.9
    }
    Ok(())
}

/// §5.1.2, table 4
pub fn initial_role(affiliation: RoomAffiliation, config: &RoomConfig) -> Role {
    match affiliation {
        RoomAffiliation::Outcast => Role::None,
        RoomAffiliation::None if config.moderated => Role::Visitor,
        RoomAffiliation::None | RoomAffiliation::Member => Role::Participant,
        RoomAffiliation::Admin | RoomAffiliation::Owner => Role::Moderator,
    }
}

/// §7.2.3, §14.3, §10.1.1
fn entry_codes(room: &Room, made: bool) -> Vec<u16> {
    let codes = [(100, room.config().non_anonymous), (201, made)];
    codes.into_iter().filter(|(_, applies)| *applies).map(|(code, _)| code).collect()
}

// §7.7
fn change_presence(
    core: &mut Core,
    stanza: &Stanza,
    from: &Jid,
    occupant: &Occupant,
) -> Result<(), StanzaError> {
    let address = occupant.address.bare();
    let room = core.room(&address)?;
    let Some(occupant) = room.occupants.get_mut(occupant.nick()) else { return Ok(()) };
    let Some(at) = occupant.devices.iter().position(|device| device.jid == *from) else { return Ok(()) };
    let mut device = occupant.devices.remove(at);
    device.presence = shown(stanza);
    occupant.devices.push(device);
    let occupant = occupant.clone();
    core.show(&address, &occupant, occupant.role, &Shown::default());
    Ok(())
}

// §7.6
fn change_nick(
    core: &mut Core,
    stanza: &Stanza,
    from: &Jid,
    occupant: &Occupant,
    to: &Jid,
) -> Result<(), StanzaError> {
    let address = to.bare();
    nicks::check(nick(to), core.config.rooms.nick_bytes)?;
    let (per_minute, now) = (core.config.rooms.messages_per_minute, core.now());
    let room = core.room(&address)?;
    nicks::check_free(room, nick(to), from)?;
    if room.occupants.get(nick(to)).is_some() {
        return Err(StanzaError::new(Condition::Conflict, "You are here under this nick, too."));
    }
    if !room.admit(&occupant.id, per_minute, now) {
        return Err(messages::too_fast());
    }
    room.occupants.rename(occupant.nick(), to);
    let change =
        Shown { codes: vec![303], gone: true, new_nick: Some(nick(to).to_owned()), ..Shown::default() };
    core.show(&address, occupant, occupant.role, &change);
    let now = core.room(&address)?.occupants.of(from).cloned();
    let Some(now) = now else { return Ok(()) };
    change_presence(core, stanza, from, &now)
}

/// What of a presence is shown to others: nothing that only a room may say.
fn shown(stanza: &Stanza) -> Payload {
    stanza.payload.without(|child| {
        matches!(child.ns(), ns::MUC | ns::MUC_USER | ns::OCCUPANT_ID | ns::HATS | ns::STANZA_ID | ns::DELAY)
    })
}

fn nick(address: &Jid) -> &str {
    address.resource().unwrap_or_default()
}
