//! Message carbons (XEP-0280): an account's clients get copies of what its other clients send and receive.
//!
//! Nothing is stored. A copy of a message that came in shares the message's delivery: if nobody else has taken the
//! message, it is passed on from there. Whoever is blocked causes no copies, since blocking comes first.
//!
//! Which error answers a message that was eligible can't be known, so every error counts as one; therefore
//! `urn:xmpp:carbons:rules:0` is not announced.

use std::rc::Rc;

use crate::core::module::{Answer, Flow, Module, Route, Spec, Target};
use crate::core::{Core, Delivery, SessionId, is_own};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, MessageType, Stanza, StanzaError};
use crate::xml::{Element, Node, ns};

pub const MODULE: Module = Module {
    name: "carbons",
    specs: &[Spec::Xep(280, "1.0.1"), Spec::Xep(297, "1.0")],
    features: &[ns::CARBONS],
    account_features: &[ns::CARBONS],
    iq: &[
        Route { ns: ns::CARBONS, name: "enable", target: Target::Account, handle: enable },
        Route { ns: ns::CARBONS, name: "disable", target: Target::Account, handle: disable },
    ],
    outbound: Some(sent),
    delivered: Some(received),
    ..Module::NONE
};

// §4
fn enable(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    switch(core, stanza, true)
}

// §5
fn disable(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    switch(core, stanza, false)
}

fn switch(core: &mut Core, stanza: &Stanza, on: bool) -> Result<Answer, StanzaError> {
    if stanza.kind != Kind::Iq(IqType::Set) {
        return Err(Condition::BadRequest.into());
    }
    // §4.1, §5.1
    let session = stanza.from.as_ref().filter(|_| is_own(stanza)).and_then(|from| core.session_of(from));
    let session = session.map(|session| session.id).ok_or(Condition::NotAllowed)?;
    if let Some(session) = core.session_mut(session) {
        session.carbons = on;
    }
    Ok(Answer::Result(None))
}

// §8
fn sent(core: &mut Core, stanza: &mut Stanza) -> Result<Flow, StanzaError> {
    let (Kind::Message(kind), Some(from)) = (stanza.kind, &stanza.from) else { return Ok(Flow::Continue) };
    let others = others(core, from, |session| session != from);
    // What an account sends to itself comes back to all of it anyway.
    if others.is_empty() || is_own(stanza) || !is_eligible(stanza, kind) {
        return Ok(Flow::Continue);
    }
    let mut known = stanza.clone();
    core.add_stanza_id(&mut known, from); // XEP-0313 §3.5
    let copy = wrap("sent", &known, &from.bare());
    for (session, jid) in others {
        core.send(session, &copy.clone().to(&jid));
    }
    Ok(Flow::Continue)
}

// §7
fn received(core: &mut Core, stanza: &Stanza, takers: &[SessionId], delivery: &Rc<Delivery>) {
    let (Kind::Message(kind), Some(to)) = (stanza.kind, &stanza.to) else { return };
    let others: Vec<(SessionId, Jid)> =
        others(core, to, |_| true).into_iter().filter(|(session, _)| !takers.contains(session)).collect();
    if others.is_empty() || !is_eligible(stanza, kind) || is_from_room(stanza) {
        return;
    }
    let copy = wrap("received", stanza, &to.bare());
    for (session, jid) in others {
        core.send_copy(session, &copy.clone().to(&jid), delivery);
        if core.session(session).is_some_and(|session| !session.is_awake()) {
            core.unheard(stanza, Some(session));
        }
    }
}

/// The sessions of an account that want copies.
fn others(core: &Core, account: &Jid, wanted: impl Fn(&Jid) -> bool) -> Vec<(SessionId, Jid)> {
    let sessions = core.sessions_of(account).filter(|session| session.carbons && wanted(&session.jid));
    sessions.map(|session| (session.id, session.jid.clone())).collect()
}

// §6.1
fn is_eligible(stanza: &Stanza, kind: MessageType) -> bool {
    let payload = &stanza.payload;
    // §9; a copy is not copied (§11 of XEP-0297's security: nothing is wrapped twice).
    let excluded = payload.children().any(|child| match child.ns() {
        ns::CARBONS => true,
        ns::HINTS => child.name() == "no-copy",
        _ => false,
    });
    if excluded {
        return false;
    }
    match kind {
        MessageType::Chat | MessageType::Error => true,
        MessageType::Normal => payload.children().any(|child| match child.ns() {
            ns::CLIENT => child.name() == "body",
            ns::RECEIPTS | ns::CHAT_STATES | ns::CHAT_MARKERS => true,
            // Invitations to rooms: XEP-0249, and XEP-0045 §7.8.2.
            ns::CONFERENCE => true,
            ns::MUC_USER => child.to_element().find("invite", ns::MUC_USER).is_some(),
            _ => false,
        }),
        MessageType::Groupchat | MessageType::Headline => false,
    }
}

/// §6.1: a private message from a room's occupant goes to each client that is in the room by itself.
fn is_from_room(stanza: &Stanza) -> bool {
    stanza.from.as_ref().is_some_and(Jid::is_full)
        && stanza
            .payload
            .find("x", ns::MUC_USER)
            .is_some_and(|x| x.to_element().find("invite", ns::MUC_USER).is_none())
}

fn wrap(direction: &'static str, stanza: &Stanza, account: &Jid) -> Stanza {
    let message = Element::parse(&stanza.to_bytes(), ns::CLIENT).unwrap_or_default();
    let forwarded =
        Element { children: vec![Node::Element(message)], ..Element::new("forwarded", ns::FORWARD) };
    Stanza::new(stanza.kind).from(account).with(&Element::new(direction, ns::CARBONS).child(forwarded))
}
