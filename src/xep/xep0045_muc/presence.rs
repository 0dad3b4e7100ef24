//! Presence of those who are in a room: another nick (§7.6), availability (§7.7), and who asks for it (§17.3).

use super::entering::nick;
use super::{messages, nicks};
use crate::core::Core;
use crate::core::rooms::{Occupant, Shown};
use crate::jid::Jid;
use crate::stanza::{Condition, PresenceType, Stanza, StanzaError};
use crate::store::record::Role;
use crate::xml::{Payload, ns};

// §7.7
pub fn change(core: &mut Core, stanza: &Stanza, from: &Jid, occupant: &Occupant) -> Result<(), StanzaError> {
    let (per_minute, now) = (core.config.rooms.messages_per_minute, core.now());
    // §13.7: everyone gets these, too.
    if !core.room(&occupant.address)?.admit(&occupant.id, per_minute, now) {
        return Err(messages::too_fast());
    }
    set(core, stanza, from, occupant);
    Ok(())
}

fn set(core: &mut Core, stanza: &Stanza, from: &Jid, occupant: &Occupant) {
    let address = occupant.address.bare();
    let Some(room) = core.loaded_room_mut(&address) else { return };
    let Some(occupant) = room.occupants.get_mut(occupant.nick()) else { return };
    let Some(at) = occupant.devices.iter().position(|device| device.jid == *from) else { return };
    let mut device = occupant.devices.remove(at);
    device.presence = shown(stanza);
    occupant.devices.push(device);
    let occupant = occupant.clone();
    show_change(core, stanza, from, &occupant, &Shown::default());
}

/// Shows to everyone what a presence of one of the occupant's devices has brought about.
fn show_change(core: &mut Core, stanza: &Stanza, from: &Jid, occupant: &Occupant, change: &Shown) {
    let address = occupant.address.bare();
    core.show_to_others(&address, occupant, occupant.role, change);
    for device in &occupant.devices {
        let id = stanza.id.clone().filter(|_| device.jid == *from);
        core.show_to_itself(&address, occupant, device, &Shown { id, ..change.clone() });
    }
}

/// §7.6: of all of the occupant's devices.
pub fn change_nick(
    core: &mut Core,
    stanza: &Stanza,
    from: &Jid,
    occupant: &Occupant,
    to: &Jid,
) -> Result<(), StanzaError> {
    nicks::check(nick(to), core.config.rooms.nick_bytes)?;
    let (per_minute, now) = (core.config.rooms.messages_per_minute, core.now());
    let room = core.room(to)?;
    nicks::check_free(room, nick(to), from)?;
    if occupant.role == Role::Visitor && !room.config().visitor_nicks {
        return Err(StanzaError::new(Condition::NotAcceptable, "Visitors keep their nicks in this room."));
    }
    if !room.admit(&occupant.id, per_minute, now) {
        return Err(messages::too_fast());
    }
    let new_nick = Some(nick(to).to_owned());
    let change = Shown { codes: vec![303], gone: true, new_nick, ..Shown::default() };
    show_change(core, stanza, from, occupant, &change);
    let room = core.room(to)?;
    room.occupants.rename(occupant.nick(), to);
    if let Some(now) = room.occupants.of(from).cloned() {
        set(core, stanza, from, &now);
    }
    Ok(())
}

/// §17.3: an occupant's server wants to know how somebody is there. Others learn that nobody is.
pub fn probed(core: &mut Core, stanza: &Stanza, to: &Jid) {
    let Some(from) = &stanza.from else { return };
    let room = core.loaded_room(to);
    let asker = room.and_then(|room| room.occupants.of(from));
    let device = asker.and_then(|asker| asker.devices.iter().find(|device| device.jid == *from)).cloned();
    match device {
        Some(device) => core.show_occupants(to, &device, |occupant| to.is_bare() || occupant.address == *to),
        None => core.route(Stanza::presence(PresenceType::Unavailable).from(to).to(from)),
    }
}

/// Rooms are entered, not subscribed to.
pub fn refuse_subscription(core: &mut Core, stanza: &Stanza, to: &Jid) {
    if let Some(from) = &stanza.from {
        core.route(Stanza::presence(PresenceType::Unsubscribed).from(to).to(from));
    }
}

/// What of a presence is shown to others: nothing that only a room may say.
pub fn shown(stanza: &Stanza) -> Payload {
    stanza.payload.without(|child| {
        matches!(child.ns(), ns::MUC | ns::MUC_USER | ns::OCCUPANT_ID | ns::HATS | ns::STANZA_ID | ns::DELAY)
    })
}
