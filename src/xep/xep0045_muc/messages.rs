//! What occupants say: to everyone (§7.4), and to each other (§7.5).

use crate::core::Core;
use crate::core::module::Flow;
use crate::core::rooms::Occupant;
use crate::jid::Jid;
use crate::stanza::{Condition, ErrorType, Kind, MessageType, Stanza, StanzaError};
use crate::store::record::Role;
use crate::xep;
use crate::xml::{Element, Payload, ns, writer};

// §7.4
pub fn groupchat(core: &mut Core, stanza: &Stanza, to: &Jid) -> Result<(), StanzaError> {
    let from = stanza.from.as_ref().ok_or(Condition::BadRequest)?;
    let (per_minute, now) = (core.config.rooms.messages_per_minute, core.now());
    let room = core.room(to)?;
    let occupant = room.occupants.of(from).ok_or(Condition::NotAcceptable)?.clone();
    if room.record.locked {
        return Err(StanzaError::new(Condition::ItemNotFound, "This room is not open yet.")); // §17.2
    }
    if !room.admit(&occupant.id, per_minute, now) {
        return Err(too_fast());
    }
    let has = |name| stanza.payload.find(name, ns::CLIENT).is_some();
    if has("subject") && !has("body") && !has("thread") {
        return super::subject::change(core, stanza, &occupant);
    }
    if occupant.role < Role::Participant {
        return Err(StanzaError::new(Condition::Forbidden, "You have no voice in this room."));
    }
    let message = Stanza { payload: cleaned(core, stanza, to), ..stanza.clone() };
    if let Some(message) = admit(core, message, &occupant)? {
        say(core, from, &message);
    }
    Ok(())
}

/// What an occupant wants to say to everyone, if nothing speaks against it: from the occupant's address, with all that the
/// room adds.
pub fn admit(
    core: &mut Core,
    mut message: Stanza,
    occupant: &Occupant,
) -> Result<Option<Stanza>, StanzaError> {
    if message.id.is_none() {
        message.id = Some(core.random_word().into());
    }
    message.payload = message.payload.with_written(100, |out| {
        out.extend_from_slice(b"<occupant-id");
        writer::attr("xmlns", ns::OCCUPANT_ID, out);
        writer::attr("id", &occupant.id, out);
        out.extend_from_slice(b"/>");
    });
    for hook in xep::ALL.iter().filter_map(|module| module.room_message) {
        match hook(core, &mut message) {
            Ok(Flow::Continue) => {}
            // What is not said is in no archive (XEP-0313 §6.1).
            outcome => {
                core.unarchive(&mut message);
                return outcome.map(|_| None);
            }
        }
    }
    message.from = Some(occupant.address.clone());
    Ok(Some(message))
}

/// Says to everyone what has been admitted.
pub fn say(core: &mut Core, sender: &Jid, message: &Stanza) {
    let Some(room) = message.to.as_ref().map(Jid::bare) else { return };
    core.say_in_room(&room, sender, message.clone());
    for tell in xep::ALL.iter().filter_map(|module| module.room_said) {
        tell(core, message);
    }
}

/// What somebody is told who sends more than `messages_per_minute`.
pub fn too_fast() -> StanzaError {
    let text = "This is faster than the room can follow. Please wait a moment, and send it again.";
    StanzaError::new(Condition::PolicyViolation, text).with_type(ErrorType::Wait)
}

/// Without what only a room may add.
fn cleaned(core: &Core, stanza: &Stanza, room: &Jid) -> Payload {
    stanza.payload.without(|child| match child.ns() {
        ns::MUC_USER | ns::OCCUPANT_ID | ns::HATS | ns::DELAY => true,
        ns::STANZA_ID => {
            let by = child.to_element().get_attr("by").and_then(|by| Jid::parse(by).ok());
            child.name() == "stanza-id" && by.is_none_or(|by| by == *room || core.is_local(by.domain()))
        }
        _ => false,
    })
}

// §7.5
pub fn private(core: &mut Core, stanza: &Stanza, to: &Jid) -> Result<(), StanzaError> {
    let from = stanza.from.as_ref().ok_or(Condition::BadRequest)?;
    if matches!(stanza.kind, Kind::Message(MessageType::Groupchat)) {
        return Err(Condition::BadRequest.into());
    }
    let (per_minute, now) = (core.config.rooms.messages_per_minute, core.now());
    let room = core.room(to)?;
    let sender = room.occupants.of(from).ok_or(Condition::NotAcceptable)?.clone();
    if !room.admit(&sender.id, per_minute, now) {
        return Err(too_fast());
    }
    if room.config().private_messages == Role::None || sender.role < room.config().private_messages {
        return Err(StanzaError::new(Condition::Forbidden, "This room has no private messages for you."));
    }
    let to = room.occupants.get(to.resource().unwrap_or_default()).ok_or(Condition::ItemNotFound)?.clone();
    let address = room.address.clone();
    let mut message = Stanza { payload: cleaned(core, stanza, &address), ..stanza.clone() };
    message.from = Some(sender.address.clone());
    // What the sender's archive has is to and from real addresses.
    message.archived = None;
    message = message
        .with(&Element::new("occupant-id", ns::OCCUPANT_ID).attr("id", &*sender.id))
        .with(&Element::new("x", ns::MUC_USER));
    // One message, wherever it goes: it is in the receiver's archive once.
    for device in &to.devices {
        let mut copy = message.clone().to(&device.jid);
        core.route_ref(&mut copy);
        message.archived = copy.archived;
    }
    Ok(())
}
