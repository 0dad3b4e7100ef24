//! Offline messages (XEP-0160): a chat or normal message for an account that has no resource to take it waits in
//! the store, and is given to the first resource that becomes available with a non-negative priority, marked with
//! when it came (XEP-0203).
//!
//! Stored: table `offline`; of a message that is in the account's archive, only where. Such messages are given with
//! the id that they have there, and not at all to a client that reads the archive: it has them already, or will. An
//! account has room for `offline_messages` and `offline_bytes`; whoever sends one more gets `<service-unavailable/>`.
//! What waits is given in pieces, as fast as the client reads.

use crate::core::hints::Hints;
use crate::core::module::{Flow, Module, Spec};
use crate::core::{Core, Delivery, OfflineQueue, SessionId, time};
use crate::jid::Jid;
use crate::stanza::{Condition, Kind, MessageType, Stanza, StanzaError};
use crate::store::record::Offline;
use crate::store::{ReadError, Reader, schema};
use crate::xml::ns;
use crate::xml::{Child, Element};

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
    let hints = Hints::of(stanza);
    if !hints.store && !is_worth_keeping(stanza) {
        return Ok(Flow::Done);
    }
    // XEP-0334 §4.2
    if hints.no_store {
        return Err(Condition::ServiceUnavailable.into());
    }
    core.writable()?;
    let (max_messages, max_bytes) =
        (core.config.limits.offline_messages.max(), core.config.limits.offline_bytes.max());
    let (now, seq) = (core.now(), core.next_seq());
    let bytes = stanza.to_bytes();
    let message = match archived(core, &owner, stanza)? {
        Some(id) => Offline::Archived { id, bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX) },
        None => Offline::Copy { stamp: now, stanza: bytes },
    };
    let (id, queue) = queue(core, &owner)?;
    if queue.messages >= max_messages || queue.bytes + message.len() as u64 > max_bytes {
        return Err(StanzaError::new(
            Condition::ServiceUnavailable,
            "Too many messages wait for this person.",
        ));
    }
    let key = (queue.last_key + 1).max(now);
    queue.last_key = key;
    queue.messages += 1;
    queue.bytes += message.len() as u64;
    let op = schema::offline::put(id, key, &message);
    queue.unwritten.push_back((seq, key, message));
    core.write(&owner, [op]);
    core.unheard(stanza, None);
    Ok(Flow::Done)
}

/// The place of a message in its receiver's archive. One that a session has had and not acknowledged comes with the id
/// that it has there, which nobody else can have given it.
fn archived(core: &mut Core, owner: &Jid, stanza: &Stanza) -> Result<Option<u64>, StanzaError> {
    if stanza.archived.is_some() {
        return Ok(stanza.archived);
    }
    let ids = stanza.payload.children().filter(|child| child.is("stanza-id", ns::STANZA_ID));
    let own = ids.map(|id| id.to_element()).find(|id| id.get_attr("by") == Some(owner.as_str()));
    let account = core.account(owner)?.record.id;
    match own.as_ref().and_then(|id| id.get_attr("id")) {
        Some(id) => core.archived_place(account, id),
        None => Ok(None),
    }
}

/// Not so: nothing at all, a chat message with nothing but chat states (XEP-0085) and what goes with any message, and what
/// an archive has answered to a session that is gone.
fn is_worth_keeping(stanza: &Stanza) -> bool {
    let chat = stanza.kind == Kind::Message(MessageType::Chat);
    let is_trifle = |child: &Child<'_>| match child.ns() {
        ns::CHAT_STATES | ns::STANZA_ID | ns::HINTS => true,
        ns::CLIENT => child.name() == "thread",
        _ => false,
    };
    let is_answer = stanza.payload.find("result", ns::ARCHIVE).is_some();
    !is_answer && stanza.payload.children().any(|child| !(chat && is_trifle(&child)))
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
    let Some(jid) =
        core.session(session).filter(|session| session.backlog).map(|session| session.jid.clone())
    else {
        return;
    };
    let owner = jid.bare();
    let has_archive = core.has_archive(session);
    loop {
        let (piece, more) = next_piece(core, &owner).unwrap_or_else(|why| {
            log::error!("the messages that wait for {owner} cannot be read: {why}");
            (Vec::new(), false)
        });
        let mut given = false;
        for (key, message) in &piece {
            let wanted = !(has_archive && matches!(message, Offline::Archived { .. }));
            // What can't be read any more would be in the way for ever.
            if wanted && let Some(stanza) = unpack(core, &owner, message) {
                // To wait for the client to read is better than to overwhelm it.
                let bytes = stanza.payload.bytes().len();
                let delivery = Delivery::of_waiting(*key);
                if !core.has_room(session, bytes) || !core.send_copy(session, &stanza, &delivery) {
                    return;
                }
                given = true;
                // A client that acknowledges (XEP-0198) has it when it says so.
                if !delivery.is_taken() {
                    passed(core, &owner, *key, message.len() as u64);
                    continue;
                }
            }
            delivered(core, &owner, *key, message.len() as u64);
        }
        if !more && let Some(session) = core.session_mut(session) {
            session.backlog = false;
        }
        if !more || given {
            return;
        }
    }
}

/// What a client gets. Nobody is heard who was blocked meanwhile (XEP-0191 §3.3).
fn unpack(core: &Core, owner: &Jid, message: &Offline) -> Option<Stanza> {
    let (stamp, stanza) = match message {
        Offline::Copy { stamp, stanza } => (*stamp, Stanza::from_bytes(stanza)?),
        Offline::Archived { id, .. } => {
            let (stamp, mut stanza) = core.archived_message(*id).ok()??;
            core.add_stanza_id(&mut stanza, owner);
            (stamp, stanza)
        }
    };
    if is_blocked(core, owner, &stanza) {
        return None;
    }
    // A copy that has been with a session before says so already.
    if matches!(message, Offline::Copy { .. }) && has_waited(&stanza, owner) {
        return Some(stanza);
    }
    let delay = Element::new("delay", ns::DELAY).attr("from", owner.domain());
    Some(stanza.with(&delay.attr("stamp", time::datetime(stamp)).text("Offline Storage")))
}

fn has_waited(stanza: &Stanza, owner: &Jid) -> bool {
    let mut delays = stanza.payload.children().filter(|child| child.is("delay", ns::DELAY));
    delays.any(|delay| delay.to_element().get_attr("from") == Some(owner.domain()))
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
    let mut bytes = piece.iter().map(|(_, message)| message.len()).sum::<usize>();
    // With less than that, the store has no more; behind that comes what it has not written yet.
    let last = piece.last().map_or(queue.floor, |(key, _)| *key);
    for (_, key, message) in queue.unwritten.iter().filter(|(_, key, _)| *key > last) {
        if bytes >= PIECE {
            break;
        }
        bytes += message.len();
        piece.push((*key, message.clone()));
    }
    Ok((piece, bytes >= PIECE))
}

fn delivered(core: &mut Core, owner: &Jid, key: u64, bytes: u64) {
    if let Some(id) = passed(core, owner, key, bytes) {
        core.write(owner, [schema::offline::delete(id, key)]);
    }
}

/// A message is on its way to a client; the account's id.
fn passed(core: &mut Core, owner: &Jid, key: u64, bytes: u64) -> Option<u32> {
    let (id, queue) = queue(core, owner).ok()?;
    queue.floor = key;
    queue.messages = queue.messages.saturating_sub(1);
    queue.bytes = queue.bytes.saturating_sub(bytes);
    Some(id)
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
