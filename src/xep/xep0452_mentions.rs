//! Mentions in rooms (XEP-0452): who belongs to a room and is not there gets the message that mentions them (XEP-0372).
//!
//! Mentioned is a bare address, or a nick that is reserved in the room. The message comes from the room, forwarded as it
//! was said (XEP-0297); it waits for who is offline, and wakes. Whoever mentions somebody learns nothing of what becomes
//! of it. A room's owners can switch it off (`muc#roomconfig_forwardmentions`). Bound: [`MOST`] of a message.

use std::collections::BTreeSet;

use crate::core::Core;
use crate::core::module::{Module, Spec};
use crate::core::rooms::Room;
use crate::core::time;
use crate::jid::Jid;
use crate::stanza::{MessageType, Stanza};
use crate::store::record::RoomAffiliation;
use crate::xml::{Element, ns};

/// Mentions of one message that are looked at.
const MOST: usize = 20;

pub const MODULE: Module =
    Module { name: "mentions", specs: &[Spec::Xep(452, "0.2.2")], room_said: Some(said), ..Module::NONE };

fn said(core: &mut Core, message: &Stanza) {
    if message.payload.find("reference", ns::REFERENCES).is_none() {
        return;
    }
    let Some(room) = message.to.as_ref().and_then(|to| core.loaded_room(to)) else { return };
    if !room.config().mentions {
        return;
    }
    let absent = absent(room, message);
    if absent.is_empty() {
        return;
    }
    let notice = notice(core, &room.address.clone(), message);
    for who in absent {
        let mut notice = notice.clone().to(&who);
        notice.id = Some(core.random_word().into());
        // Nobody hears of those who can't be found.
        let _ = core.try_route(&mut notice);
    }
}

/// Those who are mentioned, belong to the room and are not in it.
fn absent(room: &Room, message: &Stanza) -> BTreeSet<Jid> {
    let references = message.payload.children().filter(|child| child.is("reference", ns::REFERENCES));
    let mentioned = references.take(MOST).filter_map(|reference| mentioned(&reference.to_element()));
    let people = mentioned.filter_map(|address| person(room, &address));
    let belongs = |who: &Jid| room.affiliation(who) >= RoomAffiliation::Member;
    people.filter(|who| belongs(who) && room.occupants.of_person(who).next().is_none()).collect()
}

/// XEP-0372 §3.2: the address in the URI (RFC 5122) of a mention.
fn mentioned(reference: &Element) -> Option<Jid> {
    if reference.get_attr("type") != Some("mention") {
        return None;
    }
    let uri = reference.get_attr("uri")?.strip_prefix("xmpp:")?;
    let address = uri.split(['?', '#']).next().unwrap_or_default();
    Jid::parse(&decoded(address)?).ok()
}

/// RFC 3986 §2.1
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (*first, rest.split_at_checked(2)) {
            (b'%', Some((digits, after))) if digits.iter().all(u8::is_ascii_hexdigit) => {
                bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
                rest = after;
            }
            (b'%', _) => return None,
            (other, _) => bytes.push(other),
        }
    }
    String::from_utf8(bytes).ok()
}

/// Whose address it is, or whose nick.
fn person(room: &Room, address: &Jid) -> Option<Jid> {
    if !room.address.same_bare(address) {
        return Some(address.bare()).filter(|address| !address.is_domain());
    }
    let nick = address.resource()?;
    room.people.iter().find(|(_, person)| person.nick == nick).map(|(who, _)| who.clone())
}

fn notice(core: &Core, room: &Jid, message: &Stanza) -> Stanza {
    let delay = Element::new("delay", ns::DELAY).attr("stamp", time::datetime(core.now()));
    let message = Element::parse(&message.to_bytes(), ns::CLIENT).unwrap_or_default();
    let forwarded = Element::new("forwarded", ns::FORWARD).child(delay).child(message);
    let mentions = Element::new("mentions", ns::MENTIONS).child(forwarded);
    Stanza::message(MessageType::Normal).from(room).with(&mentions)
}
