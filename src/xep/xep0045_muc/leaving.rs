//! Leaving a room (§7.14), and having left it without a word: a client that died, a server that vanished (status 333).

use crate::core::rooms::{Occupant, Shown};
use crate::core::{Core, Session};
use crate::jid::Jid;
use crate::stanza::{Condition, Kind, MessageType, Stanza};
use crate::store::record::Role;
use crate::xml::ns;

/// The error that somebody can't be reached with says that they are gone (§14.1 of XEP-0410 lists the same).
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

// §7.14
pub fn unavailable(core: &mut Core, stanza: &Stanza, to: &Jid) {
    let Some(from) = &stanza.from else { return };
    let presence = stanza.payload.find("status", ns::CLIENT).map(|status| status.to_element());
    let is_it = |occupant: &Occupant| to.is_bare() || occupant.address == *to;
    if core.loaded_room(to).and_then(|room| room.occupants.of(from)).is_some_and(is_it) {
        let farewell = presence.map(|status| status.text_content());
        let _ = farewell;
        leave(core, to, from, &Shown { gone: true, ..Shown::default() });
    }
}

/// Something that a room has sent has come back.
pub fn bounced(core: &mut Core, stanza: &Stanza, to: &Jid) {
    let Some(from) = &stanza.from else { return };
    // What one occupant has sent to another is between them.
    if to.is_full() && matches!(stanza.kind, Kind::Message(MessageType::Error)) {
        return;
    }
    let condition = stanza.payload.find("error", ns::CLIENT).map(|error| error.to_element());
    let is_gone = condition
        .is_none_or(|error| GONE.iter().any(|condition| error.find(condition.name(), ns::STANZAS).is_some()));
    if is_gone {
        lost(core, to, from);
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
    let Some((occupant, last)) = state.occupants.leave(device) else { return };
    let role = occupant.role;
    if last {
        let gone = Occupant { role: Role::None, ..occupant };
        core.show(&address, &gone, role, shown);
    } else {
        for device in &occupant.devices {
            core.show_to_itself(&address, &occupant, device, shown);
        }
    }
    core.end_if_abandoned(&address);
}
