//! Entity capabilities (XEP-0115): a hash of what the server says of itself, in the features of a stream, so that
//! a client that knows the hash need not ask.
//!
//! The hash changes with the configuration only, so it is computed once and kept. What clients say of themselves
//! in their presence goes on as it is (§8.4); the server itself learns from it which notifications they want.

use std::sync::Arc;

use crate::core::caps::{self, Subject};
use crate::core::disco::{Entity, Info};
use crate::core::module::{Flow, Module, Spec, Stage};
use crate::core::pubsub::Interests;
use crate::core::{Core, SessionId};
use crate::jid::Jid;
use crate::password::Hash;
use crate::stanza::{Kind, PresenceType, Stanza, StanzaError};
use crate::xml::Element;
use crate::xml::ns;

/// §4: which software this is.
const NODE: &str = "urn:stube";

pub const MODULE: Module = Module {
    name: "caps",
    specs: &[Spec::Xep(115, "1.6.0")],
    features: &[ns::CAPS],
    stream_features: Some(offer),
    info: Some(describe),
    present: Some(present),
    inbound: Some(inbound),
    answered: Some(|core, answer| core.caps_answered(answer)),
    ..Module::NONE
};

// §6.3
fn offer(core: &mut Core, stage: Stage, host: &Jid) -> Option<Element> {
    (stage == Stage::AfterLogin).then(|| {
        Element::new("c", ns::CAPS).attr("hash", "sha-1").attr("node", NODE).attr("ver", &*ver(core, host))
    })
}

/// §6.2: the server itself, by the node that its hash makes.
fn describe(core: &mut Core, entity: &Entity<'_>, info: &mut Info) {
    let asked = entity.node.and_then(|node| node.strip_prefix(NODE)?.strip_prefix('#'));
    let (true, Some(asked)) = (entity.is_of_server(core), asked) else { return };
    if *asked == *ver(core, entity.address) {
        *info = core.info(&Entity::new(core, entity.address, None, entity.asker));
    }
}

/// The verification string of one of our domains, as its users see it.
fn ver(core: &mut Core, host: &Jid) -> Arc<str> {
    if let Some(known) = core.caps.get(host) {
        return Arc::clone(known);
    }
    let info = core.info(&Entity::new(core, host, None, host)).to_element(None);
    let ver: Arc<str> = caps::verification_string(&info, Hash::Sha1).unwrap_or_default().into();
    core.caps.insert(host.clone(), Arc::clone(&ver));
    ver
}

/// A session of ours has said what it can do.
fn present(core: &mut Core, id: SessionId, first: bool) {
    let Some(session) = core.session_mut(id) else { return };
    let caps = session.presence.as_ref().and_then(|presence| presence.stanza.payload.find("c", ns::CAPS));
    let fingerprint = caps::fingerprint(caps.as_ref());
    if first {
        session.interests = Interests::default();
    } else if session.caps == fingerprint {
        return;
    }
    let caps = caps.map(|caps| caps.to_element());
    session.caps = fingerprint;
    let interests = match &caps {
        None => Some(Interests::default()),
        Some(caps) => core.interests_of(Subject::Session(id), caps),
    };
    if let Some(interests) = interests {
        core.session_interested(id, interests);
    }
}

/// Presence for an account from a resource that is found neither through its roster nor among its own sessions:
/// of another domain, or of somebody here who is no contact.
fn inbound(core: &mut Core, stanza: &mut Stanza) -> Result<Flow, StanzaError> {
    let Kind::Presence(kind @ (PresenceType::Available | PresenceType::Unavailable)) = stanza.kind else {
        return Ok(Flow::Continue);
    };
    let (Some(from), Some(to)) = (&stanza.from, &stanza.to) else { return Ok(Flow::Continue) };
    if to.is_full() || from.is_bare() || from.same_bare(to) {
        return Ok(Flow::Continue);
    }
    let is_here = core.is_host(from.domain());
    if kind == PresenceType::Unavailable {
        core.elsewhere_gone(to, from);
    } else if is_here {
        let is_contact = core.loaded(to).is_some_and(|account| account.roster.is_subscriber(from));
        if let Some(interests) = core.session_of(from).map(|session| session.interests.clone())
            && !is_contact
        {
            core.elsewhere_present(to, from);
            core.elsewhere_interested(to, from, &interests);
        }
    } else if let Some(caps) = stanza.payload.find("c", ns::CAPS) {
        core.elsewhere_present(to, from);
        let subject = Subject::Elsewhere { account: to.clone(), resource: from.clone() };
        if let Some(interests) = core.interests_of(subject, &caps.to_element()) {
            core.elsewhere_interested(to, from, &interests);
        }
    }
    Ok(Flow::Continue)
}
