//! The subject of a room (§7.2.15, §8.1).

use crate::core::Core;
use crate::core::rooms::{Device, Occupant};
use crate::jid::Jid;
use crate::stanza::{Condition, MessageType, Stanza, StanzaError};
use crate::store::record::{Role, Subject};
use crate::xml::{Element, Payload, ns};

// §8.1
pub fn change(core: &mut Core, stanza: &Stanza, occupant: &Occupant) -> Result<(), StanzaError> {
    let from = stanza.from.as_ref().ok_or(Condition::BadRequest)?;
    let address = occupant.address.bare();
    let (now, most) = (core.now(), core.config.rooms.subject_bytes.max_len());
    let least = match core.room(&address)?.config().participants_change_subject {
        true => Role::Participant,
        false => Role::Moderator,
    };
    if occupant.role < least {
        return Err(Condition::Forbidden.into());
    }
    let subjects = stanza.payload.without(|child| !child.is("subject", ns::CLIENT));
    if subjects.bytes().len() > most {
        return Err(StanzaError::new(Condition::NotAcceptable, "This subject is too long."));
    }
    core.writable()?;
    let message = Stanza { payload: subjects.clone(), ..stanza.clone() };
    let Some(message) = super::messages::admit(core, message, occupant)? else { return Ok(()) };
    core.change_room(&address, |record| {
        record.subject = Subject {
            nick: occupant.nick().to_owned(),
            occupant_id: occupant.id.to_string(),
            changed: now,
            elements: subjects.bytes().to_vec(),
        };
    })?;
    super::messages::say(core, from, &message);
    Ok(())
}

/// §7.2.15: the last thing that somebody who enters is told, even if there is none.
pub fn tell(core: &mut Core, room: &Jid, device: &Device) {
    let Some(state) = core.loaded_room(room) else { return };
    let Subject { nick, occupant_id, changed, elements } = &state.record.subject;
    let from = if nick.is_empty() { None } else { room.with_resource(nick).ok() };
    let mut message = Stanza::message(MessageType::Groupchat).from(from.as_ref().unwrap_or(room));
    message.payload = Payload::parse(elements.clone()).unwrap_or_default();
    if message.payload.is_empty() {
        message = message.with(&Element::new("subject", ns::CLIENT));
    }
    if from.is_some() {
        let stamp = crate::core::time::datetime(*changed);
        message = message
            .with(&Element::new("occupant-id", ns::OCCUPANT_ID).attr("id", occupant_id))
            .with(&Element::new("delay", ns::DELAY).attr("from", room.as_str()).attr("stamp", stamp));
    }
    core.send_from_room(device, message);
}
