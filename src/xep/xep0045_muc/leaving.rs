//! Leaving a room (§7.14), and having left it without a word: a client that died, a server that vanished (status 333).

use super::destroy;
use super::entering::nick;
use crate::core::rooms::{Occupant, Shown};
use crate::core::{Core, Session};
use crate::jid::Jid;
use crate::stanza::{Condition, Kind, MessageType, Stanza, StanzaError};
use crate::store::record::Role;
use crate::xml::{Element, Payload, ns};

/// Errors that say that somebody can't be reached: those of §17.1.2, and what servers say of a resource that is gone
/// (RFC 6121 §8.5.3.2) or of an address that can't be one.
const GONE: &[Condition] = &[
    Condition::Gone,
    Condition::ItemNotFound,
    Condition::JidMalformed,
    Condition::RecipientUnavailable,
    Condition::Redirect,
    Condition::RemoteServerNotFound,
    Condition::RemoteServerTimeout,
    Condition::ServiceUnavailable,
];

/// Bytes of what somebody says who goes.
const MAX_FAREWELL: usize = 1024;

// §7.14
pub fn unavailable(core: &mut Core, stanza: &Stanza, to: &Jid) {
    let Some(from) = &stanza.from else { return };
    let is_it = |occupant: &Occupant| to.is_bare() || occupant.address == *to;
    if core.loaded_room(to).and_then(|room| room.occupants.of(from)).is_some_and(is_it) {
        let mut farewell = stanza.payload.without(|child| !child.is("status", ns::CLIENT));
        if farewell.bytes().len() > MAX_FAREWELL {
            farewell = Payload::default();
        }
        let id = stanza.id.clone();
        leave(core, to, from, &Shown { gone: true, farewell, id, ..Shown::default() });
    }
}

/// Something that a room has sent has come back.
pub fn bounced(core: &mut Core, stanza: &Stanza, to: &Jid) {
    let Some(from) = &stanza.from else { return };
    let error = stanza.payload.find("error", ns::CLIENT).map(|error| error.to_element());
    let error = error.unwrap_or_else(|| StanzaError::from(Condition::UndefinedCondition).to_element());
    if to.is_full() && matches!(stanza.kind, Kind::Message(_)) {
        return_private(core, stanza, from, to, &error);
    }
    if GONE.iter().any(|condition| error.find(condition.name(), ns::STANZAS).is_some()) {
        lost(core, to, from);
    }
}

/// A private message has come back: whoever has sent it learns that, and nothing of whose address it is (§7.5).
fn return_private(core: &mut Core, stanza: &Stanza, from: &Jid, to: &Jid, error: &Element) {
    let Some(room) = core.loaded_room(to) else { return };
    let (Some(receiver), Some(sender)) = (room.occupants.of(from), room.occupants.get(nick(to))) else {
        return;
    };
    let condition = error.children().find(|child| child.ns == ns::STANZAS && child.name != "text");
    let mut anonymous = Element::new("error", ns::CLIENT);
    if let Some(kind) = error.get_attr("type") {
        anonymous = anonymous.attr("type", kind);
    }
    if let Some(condition) = condition {
        anonymous = anonymous.child(Element::new(&condition.name, ns::STANZAS));
    }
    let mut message = Stanza::message(MessageType::Error).from(&receiver.address).with(&anonymous);
    message.id = stanza.id.clone();
    for device in sender.devices.clone() {
        core.send_from_room(&device, message.clone());
    }
}

/// A session is over that has not left its rooms.
pub fn session_ended(core: &mut Core, session: &Session) {
    let rooms: Vec<Jid> =
        session.directed.iter().filter(|address| core.is_room(address)).map(Jid::bare).collect();
    for room in rooms {
        lost(core, &room, &session.jid);
    }
}

fn lost(core: &mut Core, room: &Jid, device: &Jid) {
    leave(core, room, device, &Shown { gone: true, codes: vec![333], ..Shown::default() });
}

/// Takes a device out of a room, and tells everyone; the room goes if it was the last one and nothing keeps it.
pub fn leave(core: &mut Core, room: &Jid, device: &Jid, shown: &Shown) {
    let address = room.bare();
    let Some(state) = core.loaded_room_mut(&address) else { return };
    let Some(occupant) = state.occupants.leave(device) else { return };
    // §10.1.3: nobody has opened the room, and nobody will.
    let is_over = state.record.locked && state.occupants.is_empty();
    let farewell = Shown { extra: is_over.then(destroy::element), ..shown.clone() };
    let role = occupant.role;
    let gone = Occupant { role: Role::None, ..occupant };
    for device in &gone.devices {
        core.show_to_itself(&address, &gone, device, &farewell);
    }
    let others = core.loaded_room(&address).and_then(|room| room.occupants.get(gone.nick())).cloned();
    match others {
        None => core.show_to_others(&address, &gone, role, shown),
        // Another of their devices is still there: it is shown from now on.
        Some(occupant) => core.show(&address, &occupant, role, &Shown::default()),
    }
    core.end_if_abandoned(&address);
}
