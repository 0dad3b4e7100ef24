//! Offline messages (XEP-0160): a chat or normal message for an account that has no resource to take it waits in
//! the store, and is given to the first resource that becomes available with a non-negative priority, marked with
//! when it came (XEP-0203).
//!
//! Stored: table `offline`. An account has room for `offline_messages` and `offline_bytes`; whoever sends one
//! more gets `<service-unavailable/>`. What waits is given in pieces, as fast as the client reads.

use crate::core::module::{Flow, Module, Spec};
use crate::core::{Core, Delivery, OfflineQueue, SessionId, time};
use crate::jid::Jid;
use crate::stanza::{Condition, Kind, MessageType, Stanza, StanzaError};
use crate::store::record::Offline;
use crate::store::{ReadError, Reader, schema};
use crate::xml::Element;
use crate::xml::ns;

/// Bytes of messages that are read from the store and given to a session at a time.
const PIECE: usize = 32 * 1024;

pub const MODULE: Module = Module {
    name: "offline",
    specs: &[Spec::Xep(160, "1.0.1"), Spec::Xep(203, "2.0")],
    features: &["msgoffline"],
    undelivered: Some(store),
    available: Some(begin),
    drained: Some(deliver),
    ..Module::NONE
};

// "Handling of Message Types"
fn store(core: &mut Core, stanza: &Stanza) -> Result<Flow, StanzaError> {
    let Some(owner) = stanza.to.as_ref().map(Jid::bare) else { return Ok(Flow::Continue) };
    if !is_worth_keeping(stanza) {
        return Ok(Flow::Done);
    }
    core.writable()?;
    let (max_messages, max_bytes) =
        (core.config.limits.offline_messages.max(), core.config.limits.offline_bytes.max());
    let (now, seq) = (core.now(), core.next_seq());
    let bytes = stanza.to_bytes();
    let (id, queue) = queue(core, &owner)?;
    if queue.messages >= max_messages || queue.bytes + bytes.len() as u64 > max_bytes {
        return Err(StanzaError::new(
            Condition::ServiceUnavailable,
            "Too many messages wait for this person.",
        ));
    }
    let key = (queue.last_key + 1).max(now);
    queue.last_key = key;
    queue.messages += 1;
    queue.bytes += bytes.len() as u64;
    let op = schema::offline::put(id, key, now, &bytes);
    queue.unwritten.push_back((seq, key, Offline { stamp: now, stanza: bytes }));
    core.write(&owner, [op]);
    core.unheard(stanza, None);
    Ok(Flow::Done)
}

/// Not so: nothing at all, and a chat message with nothing but chat states (XEP-0085).
fn is_worth_keeping(stanza: &Stanza) -> bool {
    let chat = stanza.kind == Kind::Message(MessageType::Chat);
    stanza.payload.children().any(|child| {
        !(chat && (child.ns() == ns::CHAT_STATES || child.ns() == ns::CLIENT && child.name() == "thread"))
    })
}

fn begin(core: &mut Core, session: SessionId, _: bool) {
    match core.session_mut(session) {
        Some(session) if session.has_priority() => session.backlog = true,
        _ => return,
    }
    deliver(core, session);
}

/// Gives the next piece of what waits; the rest follows when that has been written.
fn deliver(core: &mut Core, session: SessionId) {
    let Some(jid) = core.session(session).map(|session| session.jid.clone()) else { return };
    let owner = jid.bare();
    let (piece, more) = next_piece(core, &owner).unwrap_or_else(|why| {
        log::error!("the messages that wait for {owner} cannot be read: {why}");
        (Vec::new(), false)
    });
    let delay = Element::new("delay", ns::DELAY).attr("from", owner.domain());
    for (key, message) in &piece {
        // What can't be read any more would be in the way for ever; nor is anybody heard who was blocked meanwhile
        // (XEP-0191 §3.3).
        if let Some(stanza) =
            Stanza::from_bytes(&message.stanza).filter(|stanza| !is_blocked(core, &owner, stanza))
        {
            let delay = delay.clone().attr("stamp", time::datetime(message.stamp)).text("Offline Storage");
            let stanza = stanza.with(&delay);
            // To wait for the client to read is better than to overwhelm it.
            let bytes = stanza.payload.bytes().len();
            if !core.has_room(session, bytes) || !core.send_copy(session, &stanza, &Delivery::new()) {
                return;
            }
        }
        delivered(core, &owner, *key, message.stanza.len() as u64);
    }
    if !more && let Some(session) = core.session_mut(session) {
        session.backlog = false;
    }
}

fn is_blocked(core: &Core, owner: &Jid, stanza: &Stanza) -> bool {
    let sender = stanza.from.as_ref();
    sender.is_some_and(|sender| core.loaded(owner).is_some_and(|account| account.blocks(sender)))
}

/// The first messages that wait, and whether there may be more.
fn next_piece(core: &mut Core, owner: &Jid) -> Result<(Vec<(u64, Offline)>, bool), ReadError> {
    let reader = core.store().clone();
    let Ok((id, queue)) = queue(core, owner) else { return Ok((Vec::new(), false)) };
    if queue.messages == 0 {
        return Ok((Vec::new(), false));
    }
    let after = (queue.floor > 0).then_some(queue.floor);
    let mut piece = reader.offline(id, after, PIECE)?;
    let mut bytes = piece.iter().map(|(_, message)| message.stanza.len()).sum::<usize>();
    // With less than that, the store has no more; behind that comes what it has not written yet.
    let last = piece.last().map_or(queue.floor, |(key, _)| *key);
    for (_, key, message) in queue.unwritten.iter().filter(|(_, key, _)| *key > last) {
        if bytes >= PIECE {
            break;
        }
        bytes += message.stanza.len();
        piece.push((*key, message.clone()));
    }
    Ok((piece, bytes >= PIECE))
}

fn delivered(core: &mut Core, owner: &Jid, key: u64, bytes: u64) {
    let Ok((id, queue)) = queue(core, owner) else { return };
    queue.floor = key;
    queue.messages = queue.messages.saturating_sub(1);
    queue.bytes = queue.bytes.saturating_sub(bytes);
    core.write(owner, [schema::offline::delete(id, key)]);
}

/// What waits for an account; counted when it is first needed.
fn queue<'a>(core: &'a mut Core, owner: &Jid) -> Result<(u32, &'a mut OfflineQueue), StanzaError> {
    let (reader, committed) = (core.store().clone(), core.committed_seq());
    let account = core.account(owner)?;
    let id = account.record.id;
    if account.offline.is_none() {
        account.offline =
            Some(count(&reader, id).map_err(|_| StanzaError::from(Condition::InternalServerError))?);
    }
    let queue = account.offline.get_or_insert_default();
    while queue.unwritten.front().is_some_and(|(seq, ..)| *seq <= committed) {
        queue.unwritten.pop_front();
    }
    Ok((id, queue))
}

fn count(reader: &Reader, id: u32) -> Result<OfflineQueue, ReadError> {
    let usage = reader.offline_usage(id)?;
    Ok(OfflineQueue {
        messages: usage.count as u64,
        bytes: usage.bytes as u64,
        last_key: usage.last_key.unwrap_or_default(),
        ..OfflineQueue::default()
    })
}
