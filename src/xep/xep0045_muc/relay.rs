//! Requests from one occupant to another (§17.4), and from an occupant to itself (XEP-0410).
//!
//! A request goes on from the asker's address in the room, under an id of our own, to the device whose presence is shown,
//! or to the account's bare address where that is what has the answer: a vCard. An answer is taken from nobody else.
//!
//! Who may not see real addresses gets none by this way: of an error, its condition comes back and nothing else; of a vCard,
//! what a person looks like; and nothing that has the address of who asks or answers in it.

use memchr::memmem;

use crate::core::Core;
use crate::core::rooms::Relayed;
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, Stanza, StanzaError};
use crate::xml::{Child, Element, Payload, ns};

/// What of a vCard (XEP-0054) is shown to those who may not know whose it is.
const HARMLESS: &[&str] = &["DESC", "FN", "NICKNAME", "PHOTO"];

/// A request for somebody in a room.
pub fn request(core: &mut Core, stanza: &Stanza, to: &Jid) -> Result<(), StanzaError> {
    let (Some(from), Some(child)) = (&stanza.from, stanza.request()) else {
        return Err(Condition::BadRequest.into());
    };
    // Whoever is not in it learns nothing, not even whether there is such a room.
    let outside = || match child.ns() {
        ns::DISCO_INFO | ns::DISCO_ITEMS => Condition::BadRequest, // §6.6
        _ => Condition::NotAcceptable,                             // XEP-0410 §3.3
    };
    let room = core.loaded_room(to).ok_or_else(outside)?;
    let asker = room.occupants.of(from).ok_or_else(outside)?;
    let nick = to.resource().unwrap_or_default();
    let is_self = asker.nick() == nick;
    if is_self && child.is("ping", ns::PING) && stanza.kind == Kind::Iq(IqType::Get) {
        core.route(stanza.result(None));
        return Ok(());
    }
    let is_shown = |role| is_self || role >= room.config().broadcast;
    let other =
        room.occupants.get(nick).filter(|other| is_shown(other.role)).ok_or(Condition::ItemNotFound)?;
    let vcard = child.is("vCard", ns::VCARD) && stanza.kind == Kind::Iq(IqType::Get);
    let asked = match other.devices.last() {
        Some(_) if vcard => other.real.clone(),
        Some(device) => device.jid.clone(),
        None => return Err(Condition::ItemNotFound.into()),
    };
    if !is_self && !room.shows_addresses_to(other.role) && names(stanza.payload.bytes(), from) {
        let text = "In this room, the request would have told your address.";
        return Err(StanzaError::new(Condition::NotAcceptable, text));
    }
    let asker = asker.address.clone();
    let id = core.relay(stanza, &asked, vcard)?;
    core.route(Stanza { id: Some(id.into()), ..stanza.clone() }.from(&asker).to(&asked));
    Ok(())
}

/// What somebody in a room is answered.
pub fn answer(core: &mut Core, stanza: &Stanza) {
    let Some(relayed) = core.relayed(stanza) else { return };
    let Relayed { request, asked, vcard, .. } = relayed;
    let (Some(asker), Some(from)) = (&request.from, &request.to) else { return };
    let Some(room) = core.loaded_room(from) else { return };
    // Whoever has left waits for nothing.
    let Some(role) = room.occupants.of(asker).map(|occupant| occupant.role) else { return };
    let open = room.shows_addresses_to(role) || asked.same_bare(asker);
    let mut answer = Stanza { id: request.id.clone(), ..stanza.clone() }.from(from).to(asker);
    if !open {
        answer = veiled(answer, &asked, vcard);
    }
    core.route(answer);
}

/// Without whatever could tell who has answered.
fn veiled(answer: Stanza, asked: &Jid, vcard: bool) -> Stanza {
    if answer.kind == Kind::Iq(IqType::Error) {
        let error = StanzaError::of(&answer.payload);
        return Stanza { payload: Payload::from_elements(&[error.to_element()]), ..answer };
    }
    let mut payload = answer.payload.clone();
    if vcard {
        let cards: Vec<Element> = payload.children().map(|card| harmless(&card, asked)).collect();
        payload = Payload::from_elements(&cards);
    }
    if names(payload.bytes(), asked) {
        let error = StanzaError::new(Condition::NotAcceptable, "The answer would have told an address.");
        let payload = Payload::from_elements(&[error.to_element()]);
        return Stanza { kind: Kind::Iq(IqType::Error), payload, ..answer };
    }
    Stanza { payload, ..answer }
}

fn harmless(card: &Child<'_>, asked: &Jid) -> Element {
    let card = card.to_element();
    let shown = card.children().filter(|child| HARMLESS.contains(&child.name.as_str()));
    let shown = shown.filter(|child| !names(&child.to_bytes(ns::VCARD), asked));
    shown.fold(Element::new("vCard", ns::VCARD), |card, child| card.child(child.clone()))
}

fn names(bytes: &[u8], who: &Jid) -> bool {
    let bare = who.bare_str().as_bytes();
    memmem::find(bytes, bare).is_some() || memmem::find(&bytes.to_ascii_lowercase(), bare).is_some()
}
