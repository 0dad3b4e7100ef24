//! Push notifications (XEP-0357): a phone whose client is not there is woken through the push service that the
//! client has named.
//!
//! Told is how many messages there are since the client was last there, and nothing else: not who has written, not
//! what, nor for which account (§9). What wakes is what a person would want to be woken by: something to read, an
//! invitation, a call. [`crate::core`]'s `push` has the registrations, their bounds, and what becomes of errors.

use std::rc::Rc;

use crate::core::module::{Answer, Flow, Module, Route, Spec, Target};
use crate::core::{Core, Delivery, SessionId};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, MessageType, Stanza, StanzaError};
use crate::store::record::PushRegistration;
use crate::xml::{Element, ns};

/// Bytes of a node, and of a resource.
const MAX_NODE: usize = 1023;
/// Bytes of what is sent along with each notification.
const MAX_OPTIONS: usize = 4096;

pub const MODULE: Module = Module {
    name: "push",
    specs: &[Spec::Xep(357, "0.4.1")],
    account_features: &[ns::PUSH],
    iq: &[
        Route { ns: ns::PUSH, name: "enable", target: Target::Owner, handle: enable },
        Route { ns: ns::PUSH, name: "disable", target: Target::Owner, handle: disable },
    ],
    inbound: Some(disabled_by_service),
    delivered: Some(delivered),
    unheard: Some(unheard),
    answered: Some(Core::push_answered),
    available: Some(came),
    ..Module::NONE
};

// §5
fn enable(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (owner, request) = request(stanza)?;
    let resource = stanza.from.as_ref().and_then(Jid::resource).ok_or(Condition::BadRequest)?;
    let registration = PushRegistration {
        service: service(&request)?,
        node: node(&request)?,
        resource: resource.to_owned(),
        options: options(&request)?,
    };
    core.writable()?;
    core.add_push(&owner, registration)?;
    Ok(Answer::Kept(None))
}

// §6
fn disable(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (owner, request) = request(stanza)?;
    let (service, node) = (service(&request)?, node(&request)?);
    core.writable()?;
    core.remove_pushes(&owner, |known| known.service == service && (node.is_none() || known.node == node))?;
    Ok(Answer::Kept(None))
}

fn request(stanza: &Stanza) -> Result<(Jid, Element), StanzaError> {
    match (stanza.kind, &stanza.to, stanza.request()) {
        (Kind::Iq(IqType::Set), Some(owner), Some(request)) => Ok((owner.bare(), request.to_element())),
        _ => Err(Condition::BadRequest.into()),
    }
}

fn service(request: &Element) -> Result<String, StanzaError> {
    let jid = request.get_attr("jid").ok_or(Condition::BadRequest)?;
    Ok(Jid::parse(jid).map_err(|_| StanzaError::from(Condition::JidMalformed))?.to_string())
}

fn node(request: &Element) -> Result<Option<String>, StanzaError> {
    match request.get_attr("node") {
        Some(node) if node.len() > MAX_NODE => {
            Err(StanzaError::new(Condition::NotAcceptable, "The node's name is too long."))
        }
        node => Ok(node.map(str::to_owned)),
    }
}

/// The form for the service, which is none of our business but for its kind and size.
fn options(request: &Element) -> Result<Vec<u8>, StanzaError> {
    let mut forms = request.children();
    let Some(form) = forms.next() else { return Ok(Vec::new()) };
    if forms.next().is_some()
        || !form.is("x", ns::DATA_FORMS)
        || form_type(form).as_deref() != Some(ns::PUBSUB_PUBLISH_OPTIONS)
    {
        return Err(Condition::BadRequest.into());
    }
    let bytes = form.to_bytes(ns::CLIENT);
    if bytes.len() > MAX_OPTIONS {
        return Err(StanzaError::new(Condition::NotAcceptable, "The publish options are too long."));
    }
    Ok(bytes)
}

fn form_type(form: &Element) -> Option<String> {
    let field = form.children().find(|field| field.get_attr("var") == Some("FORM_TYPE"))?;
    Some(field.find("value", ns::DATA_FORMS)?.text_content())
}

/// A message that nobody has been shown.
fn unheard(core: &mut Core, stanza: &Stanza, session: Option<SessionId>) {
    let Some(owner) = owner(core, stanza) else { return };
    let session = session.and_then(|id| core.session(id)).map(|session| session.jid.clone());
    let resource = session.as_ref().and_then(Jid::resource);
    wake(core, stanza, &owner, |core, known| match resource {
        Some(resource) => known.resource == resource,
        None => !core.is_watched(&owner, &known.resource),
    });
}

/// Others of the account have it; clients that have no session at all can't have heard of it.
fn delivered(core: &mut Core, stanza: &Stanza, sessions: &[SessionId], _: &Rc<Delivery>) {
    if sessions.is_empty() {
        return;
    }
    let Some(owner) = owner(core, stanza) else { return };
    // What a room says, it says to one occupant.
    if stanza.kind != Kind::Message(MessageType::Groupchat) {
        wake(core, stanza, &owner, |core, known| {
            !core.sessions_of(&owner).any(|session| session.jid.resource() == Some(&known.resource))
        });
    }
}

/// Whose a message is, if it is somebody with a push service. Most have none, and each message comes by here.
fn owner(core: &mut Core, stanza: &Stanza) -> Option<Jid> {
    let to = stanza.to.as_ref()?;
    let known = core.push_registrations(to).ok()?;
    (!known.is_empty()).then(|| to.bare())
}

/// Tells the services that `asleep` picks, if the message is worth it.
fn wake(core: &mut Core, stanza: &Stanza, owner: &Jid, asleep: impl Fn(&Core, &PushRegistration) -> bool) {
    let known = core.push_registrations(owner).map(<[_]>::to_vec).unwrap_or_default();
    let sleepers: Vec<u64> =
        known.iter().filter(|(_, known)| asleep(core, known)).map(|(number, _)| *number).collect();
    if sleepers.is_empty() || !is_worth_waking_for(stanza, owner) {
        return;
    }
    for number in sleepers {
        core.push(owner, number);
    }
}

/// Something to read, to decrypt, to join or to answer; of others, and not only about a conversation (chat states,
/// receipts, markers) or for a program.
fn is_worth_waking_for(stanza: &Stanza, owner: &Jid) -> bool {
    let Kind::Message(MessageType::Chat | MessageType::Normal | MessageType::Groupchat) = stanza.kind else {
        return false;
    };
    if stanza.from.as_ref().is_some_and(|from| from.same_bare(owner)) {
        return false;
    }
    stanza.payload.children().any(|child| match (child.name(), child.ns()) {
        ("body", ns::CLIENT) => !child.to_element().text_content().is_empty(),
        // XEP-0384: without a payload it only carries a key.
        ("encrypted", ns::OMEMO | ns::OMEMO_LEGACY) => {
            let encrypted = child.to_element();
            encrypted.find("payload", &encrypted.ns).is_some()
        }
        ("openpgp", ns::OPENPGP) | ("x", ns::OPENPGP_LEGACY) => true,
        ("propose", ns::JINGLE_MESSAGE) => true,
        ("x", ns::CONFERENCE) => true,
        ("mentions", ns::MENTIONS) => true,
        ("x", ns::MUC_USER) => child.to_element().find("invite", ns::MUC_USER).is_some(),
        _ => false,
    })
}

/// The client is there and will see what waits.
fn came(core: &mut Core, session: SessionId, _: bool) {
    core.stop_pushing(session);
}

// §8
fn disabled_by_service(core: &mut Core, stanza: &mut Stanza) -> Result<Flow, StanzaError> {
    let (Kind::Message(_), Some(service), Some(owner)) = (stanza.kind, &stanza.from, &stanza.to) else {
        return Ok(Flow::Continue);
    };
    let Some(pubsub) = stanza.payload.find("pubsub", ns::PUBSUB) else { return Ok(Flow::Continue) };
    let (owner, pubsub) = (owner.bare(), pubsub.to_element());
    let ends = pubsub.children().any(|affiliation| {
        affiliation.is("affiliation", ns::PUBSUB)
            && affiliation.get_attr("jid").is_some_and(|jid| Jid::parse(jid).is_ok_and(|jid| jid == owner))
            && affiliation.get_attr("affiliation") == Some("none")
    });
    let node = pubsub.get_attr("node");
    let closed =
        |known: &PushRegistration| ends && known.service == service.as_str() && known.node.as_deref() == node;
    if !core.push_registrations(&owner)?.iter().any(|(_, known)| closed(known)) {
        return Ok(Flow::Continue);
    }
    if core.writable().is_ok() {
        core.remove_pushes(&owner, closed)?;
    }
    Ok(Flow::Done)
}
