//! Exchanging presence (RFC 6121 §4): initial, subsequent, unavailable and directed presence, and probes.
//!
//! Nothing is stored. A resource that has sent directed presence to [`MAX_DIRECTED`] others has to take some back
//! before it can send it to more.

use crate::core::module::{Flow, Module, Spec};
use crate::core::{Core, Presence, Session, SessionId};
use crate::jid::Jid;
use crate::stanza::{Condition, Kind, PresenceType, Stanza, StanzaError};
use crate::xep;
use crate::xml::ns;

/// Rooms are joined by directed presence, so this is also a bound of the rooms that a client is in.
const MAX_DIRECTED: usize = 1000;

/// Bytes of a presence for everyone. It is kept and sent again to whoever comes: with more, a contact could fill
/// somebody's outbox at every login.
const MAX_PRESENCE: usize = 8 * 1024;

/// Bytes of a last status that are remembered for XEP-0012.
const MAX_FAREWELL: usize = 1024;

pub const MODULE: Module = Module {
    name: "presence",
    specs: &[Spec::Rfc(6121, "§4")],
    presence_out: Some(outbound),
    presence_in: Some(probed),
    session_ended: Some(ended),
    ..Module::NONE
};

fn outbound(core: &mut Core, session: SessionId, stanza: &Stanza) -> Result<Flow, StanzaError> {
    let Kind::Presence(kind) = stanza.kind else { return Ok(Flow::Continue) };
    match (kind, &stanza.to) {
        (PresenceType::Available, None) => available(core, session, stanza)?,
        (PresenceType::Unavailable, None) => unavailable(core, session, stanza),
        (PresenceType::Available | PresenceType::Unavailable, Some(to)) => {
            directed(core, session, to, kind)?;
            core.route(stanza.clone());
        }
        (PresenceType::Error | PresenceType::Probe, Some(_)) => core.route(stanza.clone()),
        (PresenceType::Error, None) => {}
        _ => return Err(Condition::BadRequest.into()),
    }
    Ok(Flow::Done)
}

// §4.2, §4.4
fn available(core: &mut Core, id: SessionId, stanza: &Stanza) -> Result<(), StanzaError> {
    if stanza.payload.bytes().len() > MAX_PRESENCE {
        return Err(StanzaError::new(Condition::PolicyViolation, "This presence is too large."));
    }
    let presence = Presence::new(stanza.clone()).ok_or(Condition::BadRequest)?;
    let Some(session) = core.session_mut(id) else { return Ok(()) };
    let takes_messages = presence.priority >= 0;
    let before = session.presence.replace(presence);
    let jid = session.jid.clone();
    core.broadcast(&jid, stanza);
    if before.is_none() {
        learn_of_others(core, &jid);
    }
    for tell in xep::ALL.iter().filter_map(|module| module.present) {
        tell(core, id, before.is_none());
    }
    let took_messages = before.as_ref().is_some_and(|presence| presence.priority >= 0);
    if before.is_none() || takes_messages && !took_messages {
        for tell in xep::ALL.iter().filter_map(|module| module.available) {
            tell(core, id, before.is_none());
        }
    }
    Ok(())
}

/// §4.2.2, §4.3.1: a new resource gets the presence of the account's other resources and of its contacts.
fn learn_of_others(core: &mut Core, jid: &Jid) {
    let own: Vec<Stanza> = (core.available_sessions(jid))
        .filter(|session| session.jid != *jid)
        .filter_map(|session| session.presence.as_ref())
        .map(|presence| presence.stanza.clone().to(jid))
        .collect();
    let Some(account) = core.loaded(jid) else { return };
    let seen: Vec<Jid> = (account.roster.iter())
        .filter(|(contact, item)| item.subscription.to() && !account.blocks(contact))
        .map(|(contact, _)| contact.clone())
        // One of ours who is not there has nothing to answer.
        .filter(|contact| {
            !core.is_local(contact.domain()) || core.available_sessions(contact).next().is_some()
        })
        .collect();
    for presence in own {
        core.route(presence);
    }
    for contact in seen {
        core.route(Stanza::presence(PresenceType::Probe).from(jid).to(&contact));
    }
}

// §4.5
fn unavailable(core: &mut Core, id: SessionId, stanza: &Stanza) {
    let Some(session) = core.session_mut(id) else { return };
    let status = stanza.payload.find("status", ns::CLIENT).map(|child| child.to_element().text_content());
    session.farewell = status.filter(|status| status.len() <= MAX_FAREWELL);
    let was_available = session.presence.take().is_some();
    let directed = std::mem::take(&mut session.directed);
    let jid = session.jid.clone();
    if was_available {
        core.broadcast(&jid, stanza);
        // The resource itself is no longer among those that are available.
        core.route(stanza.clone().to(&jid));
    }
    tell_directed(core, &jid, directed.into_iter(), was_available, stanza);
}

/// §4.6.3: those who were told by directed presence and get no broadcast, if there was one.
fn tell_directed(
    core: &mut Core,
    jid: &Jid,
    directed: impl Iterator<Item = Jid>,
    broadcast: bool,
    gone: &Stanza,
) {
    for to in directed {
        let told = core.loaded(jid).is_some_and(|account| {
            broadcast && (to.same_bare(jid) || account.roster.is_subscriber(&to)) || account.blocks(&to)
        });
        if !told {
            core.route(gone.clone().to(&to));
        }
    }
}

// §4.6
fn directed(core: &mut Core, id: SessionId, to: &Jid, kind: PresenceType) -> Result<(), StanzaError> {
    let Some(session) = core.session_mut(id) else { return Ok(()) };
    if kind == PresenceType::Unavailable {
        session.directed.remove(to);
    } else if !session.directed.contains(to) {
        if session.directed.len() >= MAX_DIRECTED {
            return Err(StanzaError::new(
                Condition::ResourceConstraint,
                "Too many have your directed presence.",
            ));
        }
        session.directed.insert(to.clone());
    }
    Ok(())
}

// §4.3.2
fn probed(core: &mut Core, stanza: &Stanza) -> Result<Flow, StanzaError> {
    let (Kind::Presence(PresenceType::Probe), Some(from), Some(to)) = (stanza.kind, &stanza.from, &stanza.to)
    else {
        return Ok(Flow::Continue);
    };
    let owner = to.bare();
    if !owner.same_bare(from) && !core.account(&owner)?.roster.is_subscriber(from) {
        core.route(Stanza::presence(PresenceType::Unsubscribed).from(&owner).to(&from.bare()));
        return Ok(Flow::Done);
    }
    let shown: Vec<Stanza> = (core.available_sessions(&owner))
        .filter(|session| to.is_bare() || session.jid == *to)
        .filter_map(|session| session.presence.as_ref())
        .map(|presence| presence.stanza.clone().to(from))
        .collect();
    if shown.is_empty() {
        core.route(Stanza::presence(PresenceType::Unavailable).from(to).to(from));
    }
    for presence in shown {
        core.route(presence);
    }
    Ok(Flow::Done)
}

/// A session that has gone without saying so (§4.5.2).
fn ended(core: &mut Core, session: &Session) {
    let gone = session.unavailable();
    let was_available = session.presence.is_some();
    if was_available {
        core.broadcast(&session.jid, &gone);
    }
    tell_directed(core, &session.jid, session.directed.iter().cloned(), was_available, &gone);
}
