//! The picture of a vCard in presence (XEP-0153, as XEP-0398 §4 wants it): the server adds the picture's hash to every
//! available presence of a client, so that no client has to fetch its own picture to say so.
//!
//! A client that says that it shows no picture (an empty `<photo/>`) is left alone. When the picture changes, what the
//! client last sent to everyone is sent again with the new hash; rooms learn of it when the client says so.
//!
//! Nothing is stored; the hash is in the account's memory once somebody needs it.

use crate::core::module::{Flow, Module, Spec};
use crate::core::vcard::Picture;
use crate::core::{Core, SessionId};
use crate::jid::Jid;
use crate::stanza::{Kind, PresenceType, Stanza, StanzaError};
use crate::xml::{Element, Payload, ns};

pub const MODULE: Module = Module {
    name: "vcard_avatar",
    specs: &[Spec::Xep(153, "1.1.1")],
    outbound: Some(outbound),
    vcard_changed: Some(changed),
    ..Module::NONE
};

/// What a presence says of a picture (§4.1).
#[derive(PartialEq)]
enum Said {
    Nothing,
    /// That more is to come.
    Empty,
    NoPicture,
    Picture,
}

fn outbound(core: &mut Core, stanza: &mut Stanza) -> Result<Flow, StanzaError> {
    let (Kind::Presence(PresenceType::Available), Some(owner)) = (stanza.kind, &stanza.from) else {
        return Ok(Flow::Continue);
    };
    let said = said(&stanza.payload);
    if said == Said::NoPicture {
        return Ok(Flow::Continue);
    }
    // A presence goes on without a hash rather than not at all.
    match core.photo_hash(owner) {
        Ok("") if said != Said::Empty => {}
        Ok(hash) => stanza.payload = with_hash(&stanza.payload, hash),
        Err(_) => {}
    }
    Ok(Flow::Continue)
}

fn said(payload: &Payload) -> Said {
    let Some(update) = payload.find("x", ns::VCARD_UPDATE) else { return Said::Nothing };
    match update.to_element().find("photo", ns::VCARD_UPDATE) {
        None => Said::Empty,
        Some(photo) if photo.text_content().trim().is_empty() => Said::NoPicture,
        Some(_) => Said::Picture,
    }
}

fn with_hash(payload: &Payload, hash: &str) -> Payload {
    let photo = Element::new("photo", ns::VCARD_UPDATE).text(hash);
    without_hash(payload).with(&Element::new("x", ns::VCARD_UPDATE).child(photo))
}

fn without_hash(payload: &Payload) -> Payload {
    payload.without(|child| child.is("x", ns::VCARD_UPDATE))
}

/// Another picture, or none: everyone who gets presence learns of it.
fn changed(core: &mut Core, owner: &Jid, before: Option<&Element>, vcard: &Element) {
    let hash = |vcard: &Element| Picture::of_vcard(vcard).map(|picture| picture.sha1()).unwrap_or_default();
    let new = hash(vcard);
    if before.map(hash).unwrap_or_default() == new {
        return;
    }
    let sessions: Vec<SessionId> = core.available_sessions(owner).map(|session| session.id).collect();
    for id in sessions {
        let Some(session) = core.session_mut(id) else { continue };
        let Some(presence) = &mut session.presence else { continue };
        if said(&presence.stanza.payload) == Said::NoPicture {
            continue;
        }
        let payload = with_hash(&presence.stanza.payload, &new);
        // That there is no picture any more is news only now; and what says so is the client's word later on.
        presence.stanza.payload = match new.is_empty() {
            true => without_hash(&payload),
            false => payload.clone(),
        };
        let (jid, told) = (session.jid.clone(), Stanza { payload, ..presence.stanza.clone() });
        core.broadcast(&jid, &told);
    }
}
