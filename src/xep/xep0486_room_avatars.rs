//! Pictures of rooms (XEP-0486): the vCard (XEP-0054) of a room, which its owners set and those read who may know what the
//! room says of itself.
//!
//! Stored: table `vcard`, under the room's id, as it was sent; at most `vcard_bytes`. The hashes of the picture are in what
//! the room says of itself, and, for clients that look there (XEP-0153), in a presence from the room's own address to
//! those in it: there is none from a room that never had a picture.

use std::sync::Arc;

use crate::core::disco::{Entity, Info};
use crate::core::form::{Field, FieldType};
use crate::core::module::{Answer, Module, Route, Spec, Target};
use crate::core::{Core, ServiceKind};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, PresenceType, Stanza, StanzaError};
use crate::store::record::RoomAffiliation;
use crate::xml::{Element, ns};

pub const MODULE: Module = Module {
    name: "room_avatars",
    specs: &[Spec::Xep(486, "0.1.0")],
    room_features: &[ns::VCARD],
    iq: &[Route { ns: ns::VCARD, name: "vCard", target: Target::Room, handle }],
    room_entered: Some(entered),
    info: Some(describe),
    ..Module::NONE
};

fn handle(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (Some(from), Some(room), Some(vcard)) = (&stanza.from, &stanza.to, stanza.request()) else {
        return Err(Condition::BadRequest.into());
    };
    match stanza.kind {
        Kind::Iq(IqType::Set) => set(core, from, room, &vcard.to_element()),
        _ => get(core, from, room),
    }
}

// §3.4
fn get(core: &mut Core, from: &Jid, room: &Jid) -> Result<Answer, StanzaError> {
    if !core.room(room)?.shows_itself_to(from) {
        return Err(Condition::Forbidden.into());
    }
    let vcard = core.room_vcard(room)?;
    Ok(Answer::Result(Some(vcard.unwrap_or_else(|| Element::new("vCard", ns::VCARD)))))
}

// §3.2
fn set(core: &mut Core, from: &Jid, room: &Jid, vcard: &Element) -> Result<Answer, StanzaError> {
    if core.room(room)?.affiliation(from) != RoomAffiliation::Owner {
        return Err(StanzaError::new(Condition::Forbidden, "Only owners can give a room a picture."));
    }
    let before = core.room_pictures(room)?;
    core.set_room_vcard(room, vcard)?;
    core.announce_change(room, 104);
    let now = core.room_pictures(room)?;
    if before != now {
        core.tell_occupants(room, presence(room, &now), |_| true);
    }
    Ok(Answer::Kept(None))
}

/// §5.2
fn entered(core: &mut Core, occupant: &Jid, device: &Jid, _: &Stanza) {
    let room = occupant.bare();
    let Some(pictures) = core.room_pictures(&room).ok().filter(|pictures| !pictures.is_empty()) else {
        return;
    };
    let inside = core.loaded_room(&room).and_then(|room| room.occupants.of(device));
    let device = inside.and_then(|occupant| occupant.devices.iter().find(|other| other.jid == *device));
    if let Some(device) = device.cloned() {
        core.send_from_room(&device, presence(&room, &pictures));
    }
}

fn presence(room: &Jid, pictures: &[String]) -> Stanza {
    let hash = pictures.first().map(String::as_str).unwrap_or_default();
    let photo = Element::new("photo", ns::VCARD_UPDATE).text(hash);
    let update = Element::new("x", ns::VCARD_UPDATE).child(photo);
    Stanza::presence(PresenceType::Available).from(&room.bare()).with(&update)
}

// §3.1, §3.3
fn describe(core: &mut Core, entity: &Entity<'_>, info: &mut Info) {
    let kind = core.service(entity.address.domain()).map(|service| service.kind);
    if entity.is_service(core) && kind == Some(ServiceKind::Rooms) {
        info.features.push(ns::VCARD);
    }
    if !entity.is_room() || !core.room(entity.address).is_ok_and(|room| room.shows_itself_to(entity.asker)) {
        return;
    }
    let pictures = core.room_pictures(entity.address).unwrap_or_else(|_| Arc::default());
    if !pictures.is_empty() {
        let field = Field::new(FieldType::TextMulti, "muc#roominfo_avatarhash");
        info.room_info.push(field.values(pictures.iter()));
    }
}
