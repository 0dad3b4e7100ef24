//! Blocking (XEP-0191): whoever is blocked finds nobody there, and the account sends them nothing.
//!
//! Stored: table `blocklist`, at most `blocklist_items` addresses. Blocking leaves subscriptions alone ("polite
//! blocking", §4). An account can't block its own resources or its own server.

use crate::core::module::{Answer, Flow, Module, Route, Spec, Target};
use crate::core::{Core, SessionId};
use crate::jid::Jid;
use crate::stanza::{Condition, IqType, Kind, MessageType, Stanza, StanzaError};
use crate::store::schema;
use crate::xep;
use crate::xml::Element;
use crate::xml::ns;

pub const MODULE: Module = Module {
    name: "blocking",
    specs: &[Spec::Xep(191, "1.3")],
    features: &[ns::BLOCKING],
    iq: &[
        Route { ns: ns::BLOCKING, name: "blocklist", target: Target::Owner, handle: list },
        Route { ns: ns::BLOCKING, name: "block", target: Target::Owner, handle: block },
        Route { ns: ns::BLOCKING, name: "unblock", target: Target::Owner, handle: unblock },
    ],
    outbound: Some(outbound),
    inbound: Some(inbound),
    ..Module::NONE
};

// §3.2
fn list(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    if stanza.kind != Kind::Iq(IqType::Get) {
        return Err(Condition::BadRequest.into());
    }
    let owner = owner(stanza)?;
    let asker = stanza.from.as_ref().and_then(|from| core.session_of(from)).map(|session| session.id);
    if let Some(session) = asker.and_then(|id| core.session_mut(id)) {
        session.blocklist = true;
    }
    let blocked = core.account(&owner)?.blocked.iter();
    Ok(Answer::Result(Some(with_items("blocklist", blocked))))
}

// §3.3
fn block(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let (owner, elements) = (owner(stanza)?, items(stanza)?);
    if elements.is_empty() {
        return Err(Condition::BadRequest.into());
    }
    let items: Vec<Jid> = elements.iter().map(|(jid, _)| jid.clone()).collect();
    core.writable()?;
    let max = core.config.limits.blocklist_items.max_len();
    let account = core.account(&owner)?;
    let new: Vec<Jid> = items.iter().filter(|jid| !account.blocked.contains(*jid)).cloned().collect();
    if account.blocked.len() + new.len() > max {
        return Err(StanzaError::new(Condition::ResourceConstraint, "The block list is full."));
    }
    // Before it is blocked: afterwards nothing gets there.
    for contact in subscribers(core, &owner, &new) {
        core.hide_presence(&owner, &contact);
    }
    for gone in directed(core, &owner, &new) {
        core.route(gone);
    }
    let account = core.account(&owner)?;
    let id = account.record.id;
    account.blocked.extend(new.iter().cloned());
    core.write(&owner, new.iter().map(|jid| schema::blocklist::put(id, jid.as_str())).collect::<Vec<_>>());
    push(core, &owner, with_items("block", items.iter()));
    for tell in xep::ALL.iter().filter_map(|module| module.blocked) {
        elements.iter().for_each(|(jid, item)| tell(core, &owner, jid, item));
    }
    Ok(Answer::Kept(None))
}

// §3.4, §3.5
fn unblock(core: &mut Core, stanza: &Stanza) -> Result<Answer, StanzaError> {
    let owner = owner(stanza)?;
    let items: Vec<Jid> = items(stanza)?.into_iter().map(|(jid, _)| jid).collect();
    core.writable()?;
    let account = core.account(&owner)?;
    let id = account.record.id;
    let freed: Vec<Jid> = match items.is_empty() {
        true => account.blocked.iter().cloned().collect(),
        false => items.iter().filter(|jid| account.blocked.contains(*jid)).cloned().collect(),
    };
    account.blocked.retain(|jid| !freed.contains(jid));
    core.write(
        &owner,
        freed.iter().map(|jid| schema::blocklist::delete(id, jid.as_str())).collect::<Vec<_>>(),
    );
    push(core, &owner, with_items("unblock", items.iter()));
    for contact in subscribers(core, &owner, &freed) {
        core.show_presence(&owner, &contact);
    }
    Ok(Answer::Kept(None))
}

/// Who gets the account's presence by subscription and is meant by one of `items`: contacts, or resources of theirs.
fn subscribers(core: &Core, owner: &Jid, items: &[Jid]) -> Vec<Jid> {
    let Some(account) = core.loaded(owner) else { return Vec::new() };
    let meant = |contact| items.iter().filter_map(move |item| meant(item, contact));
    let mut subscribers: Vec<Jid> = account.audience().flat_map(meant).collect();
    subscribers.sort();
    subscribers.dedup();
    subscribers
}

/// The ends of directed presence to others who are meant by one of `items`.
fn directed(core: &Core, owner: &Jid, items: &[Jid]) -> Vec<Stanza> {
    let Some(account) = core.loaded(owner) else { return Vec::new() };
    let ends = |to: &Jid| {
        !account.roster.is_subscriber(to) && items.iter().any(|item| meant(item, to).as_ref() == Some(to))
    };
    let told =
        core.sessions_of(owner).flat_map(|session| session.directed.iter().map(move |to| (session, to)));
    told.filter(|(_, to)| ends(to)).map(|(session, to)| session.unavailable().to(to)).collect()
}

/// What of a contact an item means (§5): without resource every resource, without localpart everyone there.
fn meant(item: &Jid, contact: &Jid) -> Option<Jid> {
    if item.domain() != contact.domain() || item.local().is_some() && item.local() != contact.local() {
        return None;
    }
    match item.resource() {
        Some(resource) if contact.is_bare() => contact.with_resource(resource).ok(),
        Some(resource) => (contact.resource() == Some(resource)).then(|| contact.clone()),
        None => Some(contact.clone()),
    }
}

fn push(core: &mut Core, owner: &Jid, change: Element) {
    let watching: Vec<SessionId> =
        core.sessions_of(owner).filter(|session| session.blocklist).map(|session| session.id).collect();
    for session in watching {
        let id = core.random_word();
        core.send_from_server(session, Stanza::iq(IqType::Set, &id).with(&change));
    }
}

// §3.3: what the account sends to someone it has blocked
fn outbound(core: &mut Core, stanza: &mut Stanza) -> Result<Flow, StanzaError> {
    let (Some(from), Some(to)) = (&stanza.from, &stanza.to) else { return Ok(Flow::Continue) };
    if core.loaded(from).is_some_and(|account| account.blocks(to)) {
        let blocked = Element::new("blocked", ns::BLOCKING_ERRORS);
        return Err(StanzaError::from(Condition::NotAcceptable)
            .with_type(crate::stanza::ErrorType::Cancel)
            .with_detail(blocked));
    }
    Ok(Flow::Continue)
}

// §3.3: what someone blocked sends to the account
fn inbound(core: &mut Core, stanza: &mut Stanza) -> Result<Flow, StanzaError> {
    let (Some(from), Some(to)) = (&stanza.from, &stanza.to) else { return Ok(Flow::Continue) };
    let Some(account) = core.loaded(to).filter(|account| !account.blocked.is_empty()) else {
        return Ok(Flow::Continue);
    };
    if !account.blocks(from) {
        return match through_room(stanza).is_some_and(|sender| account.blocks(&sender)) {
            true => Err(Condition::ServiceUnavailable.into()),
            false => Ok(Flow::Continue),
        };
    }
    match stanza.kind {
        Kind::Presence(_) | Kind::Message(MessageType::Error) | Kind::Iq(IqType::Result | IqType::Error) => {
            Ok(Flow::Done)
        }
        // The user appears offline, and a headline to someone offline has no answer (RFC 6121 §8.5.2.2.1).
        Kind::Message(MessageType::Headline) => Ok(Flow::Done),
        // A room takes an error for the end of the user's presence there: whoever blocks an occupant would leave.
        Kind::Message(MessageType::Groupchat) => Ok(Flow::Done),
        Kind::Message(_) if stanza.payload.find("x", ns::MUC_USER).is_some() => Ok(Flow::Done),
        Kind::Message(_) | Kind::Iq(_) => Err(Condition::ServiceUnavailable.into()),
    }
}

/// Who invites the account through a room, or declines its invitation (XEP-0045 §7.8.2): the message is from the room.
fn through_room(stanza: &Stanza) -> Option<Jid> {
    let content = stanza.payload.find("x", ns::MUC_USER).filter(|_| !stanza.is_error())?.to_element();
    let what = content.children().find(|child| matches!(child.name.as_str(), "invite" | "decline"))?;
    Jid::parse(what.get_attr("from")?).ok()
}

fn owner(stanza: &Stanza) -> Result<Jid, StanzaError> {
    stanza.to.as_ref().map(Jid::bare).ok_or_else(|| Condition::BadRequest.into())
}

/// The addresses in a request, each once, and the elements that name them.
fn items(stanza: &Stanza) -> Result<Vec<(Jid, Element)>, StanzaError> {
    if stanza.kind != Kind::Iq(IqType::Set) {
        return Err(Condition::BadRequest.into());
    }
    let request = stanza.request().map(|child| child.to_element());
    let mut items: Vec<(Jid, Element)> = Vec::new();
    for item in request.iter().flat_map(Element::children) {
        if !item.is("item", ns::BLOCKING) {
            return Err(Condition::BadRequest.into());
        }
        let jid = item.get_attr("jid").ok_or(Condition::BadRequest)?;
        let jid = Jid::parse(jid).map_err(|_| StanzaError::from(Condition::JidMalformed))?;
        items.push((jid, item.clone()));
    }
    items.sort_by(|(one, _), (other, _)| one.cmp(other));
    items.dedup_by(|(one, _), (other, _)| one == other);
    Ok(items)
}

fn with_items<'a>(name: &'static str, items: impl Iterator<Item = &'a Jid>) -> Element {
    items.fold(Element::new(name, ns::BLOCKING), |list, jid| {
        list.child(Element::new("item", ns::BLOCKING).attr("jid", jid.as_str()))
    })
}
