//! Stream management (XEP-0198): what Core knows of a stream that counts its stanzas.
//!
//! Two promises. *Acknowledged means on disk*: our `h` counts a stanza only when everything that it asked to be stored has
//! been committed, or it needed no storing. *Nothing is lost between two connections*: a session whose connection has gone
//! stays for `resume_seconds`, with all that its client has not acknowledged; when it ends, each message that nobody else
//! has goes to the account's other sessions, or where messages to nobody go.
//!
//! A session without connection holds at most `hibernating_bytes`; with more it ends.

use std::collections::VecDeque;

use super::derive::DeriveId;
use super::outbox::{Entry, TooHigh};
use super::{Core, Kept, LinkId, SessionId, time};
use crate::jid::Jid;
use crate::stanza::{Condition, Stanza, StreamError};
use crate::store::schema;
use crate::xep;
use crate::xml::{Element, ns, writer};

/// Ended sessions of which the last `h` is remembered (§5).
const MAX_PAST: usize = 1000;

/// A session's side of XEP-0198, beside what its outbox keeps.
pub(super) struct Management {
    /// The SM-ID, where the session can be resumed.
    id: Option<Box<str>>,
    /// For how long it can be, in milliseconds from the loss of its connection.
    patience: u64,
    /// Stanzas that have come, modulo 2³².
    handled: u32,
    /// Those of them that wait for something, and for what, in order.
    open: VecDeque<(u32, Needs)>,
    /// A link that wants to go on with the session and waits for work to be done.
    resuming: Option<LinkId>,
}

/// What must have happened before a stanza may be acknowledged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Batch(u64),
    Work(DeriveId),
}

/// What is known of a session that is over.
pub(super) struct Past {
    account: Jid,
    id: Box<str>,
    h: u32,
}

/// What became of a wish to resume.
#[derive(Debug, PartialEq)]
pub enum Resumed {
    /// There is no such session of this account any more; perhaps its last `h` is known.
    NotFound(Option<u32>),
    TooHigh(TooHigh),
    /// What would be acknowledged is not on disk yet; the link is woken when it is.
    Waiting,
    Done {
        session: SessionId,
        h: u32,
    },
}

impl Management {
    /// §4: how many stanzas have been handled.
    fn h(&mut self, committed: u64) -> u32 {
        while matches!(self.open.front(), Some((_, Needs::Batch(seq))) if *seq <= committed) {
            self.open.pop_front();
        }
        if self.open.is_empty() {
            self.open = VecDeque::new();
        }
        self.open.front().map_or(self.handled, |(ordinal, _)| ordinal.wrapping_sub(1))
    }

    /// Counts on from here, as the client does.
    fn rewind(&mut self, h: u32) {
        if self.handled != h {
            (self.handled, self.open) = (h, VecDeque::new());
        }
    }

    fn needs(&mut self, ordinal: u32, needs: Needs) {
        if self.open.back().is_none_or(|(_, last)| *last != needs) {
            self.open.push_back((ordinal, needs));
        }
    }
}

impl Core {
    /// §3: begins to count. The SM-ID and the milliseconds for which it is good, if it is to be resumable and can be;
    /// `None`: it counts already.
    pub fn manage(&mut self, id: SessionId, resume: bool, max: Option<u64>) -> Option<Option<(String, u64)>> {
        let most = self.config.sessions.resume_seconds.saturating_mul(1000);
        let word = self.random_word();
        let session = self.sessions.get_mut(id).filter(|session| session.management.is_none())?;
        let patience = max.map_or(most, |max| max.saturating_mul(1000).min(most));
        let resumable = (resume && patience > 0).then_some((word, patience));
        session.outbox.track();
        session.management = Some(Box::new(Management {
            id: resumable.as_ref().map(|(word, _)| word.as_str().into()),
            patience,
            handled: 0,
            open: VecDeque::new(),
            resuming: None,
        }));
        Some(resumable)
    }

    /// A stanza of a session has been dealt with, as far as that can be done at once.
    pub(crate) fn handled(&mut self, id: SessionId) {
        let seq = self.now_seq();
        let touched = std::mem::take(&mut self.touched) && seq > self.committed;
        let Some(management) =
            self.sessions.get_mut(id).and_then(|session| session.management.as_deref_mut())
        else {
            return;
        };
        management.handled = management.handled.wrapping_add(1);
        if touched {
            management.needs(management.handled, Needs::Batch(seq));
        }
    }

    /// A stanza that is being dealt with waits for password work.
    pub(super) fn waits_for_work(&mut self, asker: Option<&Jid>, work: DeriveId) {
        if let Some(management) = asker.and_then(|jid| self.management_of(jid)) {
            management.needs(management.handled.wrapping_add(1), Needs::Work(work));
        }
    }

    /// The work is done; what came of it is in the batch that is being made.
    pub(super) fn work_done(&mut self, asker: Option<&Jid>, work: DeriveId) {
        let seq = self.now_seq();
        if let Some(management) = asker.and_then(|jid| self.management_of(jid)) {
            for (_, needs) in management.open.iter_mut().filter(|(_, needs)| *needs == Needs::Work(work)) {
                *needs = Needs::Batch(seq);
            }
            if let Some(link) = management.resuming.take() {
                self.keep(Kept::Wake(link));
            }
        }
    }

    fn management_of(&mut self, jid: &Jid) -> Option<&mut Management> {
        let id = self.session_of(jid)?.id;
        self.sessions.get_mut(id)?.management.as_deref_mut()
    }

    /// §4: the client wants an `<a/>`. It gets one when what it has sent is on disk, which is soon; if the disk refuses,
    /// at once, with less. `false`: the session doesn't count.
    pub fn ack_requested(&mut self, id: SessionId) -> bool {
        let (committed, stalled) = (self.committed, self.stalled.is_some());
        let Some(management) =
            self.sessions.get_mut(id).and_then(|session| session.management.as_deref_mut())
        else {
            return false;
        };
        management.h(committed);
        let waits_for_disk = matches!(management.open.back(), Some((_, Needs::Batch(_))));
        if waits_for_disk && !stalled {
            self.keep(Kept::Ack(id))
        } else {
            self.write_ack(id)
        }
        true
    }

    /// The disk refuses: nobody waits for it to know how far it has come.
    pub(super) fn release_waiting(&mut self) {
        let (waiting, kept) = std::mem::take(&mut self.kept)
            .into_iter()
            .partition::<VecDeque<_>, _>(|(_, kept)| matches!(kept, Kept::Ack(_) | Kept::Wake(_)));
        self.kept = kept;
        waiting.into_iter().for_each(|(_, kept)| self.release(kept));
    }

    pub(super) fn write_ack(&mut self, id: SessionId) {
        let committed = self.committed;
        let Some(session) = self.sessions.get_mut(id) else { return };
        let (link, Some(management)) = (session.link, &mut session.management) else { return };
        let h = management.h(committed);
        if let Some(link) = self.links.get_mut(link) {
            link.rest.extend_from_slice(b"<a");
            writer::attr("xmlns", ns::STREAM_MANAGEMENT, &mut link.rest);
            writer::attr("h", &h.to_string(), &mut link.rest);
            link.rest.extend_from_slice(b"/>");
        }
        self.wake(link);
    }

    /// §4: the client has everything up to here.
    pub fn acknowledged(&mut self, id: SessionId, h: u32) -> Result<(), TooHigh> {
        let Some(session) = self.sessions.get_mut(id) else { return Ok(()) };
        let (link, has_more) = (session.link, session.has_more());
        let acknowledged = session.outbox.acknowledge(h)?;
        if acknowledged.again || has_more {
            self.wake(link);
        }
        self.need_not_wait(id, acknowledged.waiting);
        Ok(())
    }

    /// A client has messages that have waited in the store (XEP-0160).
    fn need_not_wait(&mut self, id: SessionId, keys: Vec<u64>) {
        let Some(account) = self.session(id).map(|session| session.jid.bare()).filter(|_| !keys.is_empty())
        else {
            return;
        };
        if let Some(id) = self.loaded(&account).map(|account| account.record.id) {
            self.write(&account, keys.into_iter().map(|key| schema::offline::delete(id, key)));
        }
    }

    /// Asks the client what it has. `false`: it doesn't count.
    pub fn ask_for_ack(&mut self, id: SessionId) -> bool {
        let Some(session) = self.sessions.get_mut(id).filter(|session| session.management.is_some()) else {
            return false;
        };
        session.outbox.ask();
        true
    }

    /// The connection of a session is gone, and nobody has said goodbye (§7).
    pub fn suspend(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let patience = match &session.management {
            Some(management) if management.id.is_some() => management.patience,
            _ => return self.end_session(id),
        };
        let until = self.now.saturating_add(patience);
        session.detached = Some(until);
        session.active = false;
        session.outbox.detach();
        let link = session.link;
        let unheard: Vec<Stanza> = (session.outbox.unacknowledged())
            .filter(|entry| entry.delivery.is_some())
            .filter_map(|entry| Stanza::from_bytes(&entry.bytes).and_then(original))
            .collect();
        if let Some(link) = self.links.get_mut(link) {
            link.session = None;
        }
        self.suspended.insert((until, id));
        for stanza in unheard {
            self.unheard(&stanza, Some(id));
        }
    }

    /// Ends the sessions that nobody has come back to.
    pub(super) fn end_suspended(&mut self) {
        while let Some((until, id)) = self.suspended.first().copied()
            && until <= self.now
        {
            self.suspended.remove(&(until, id));
            self.end_session(id);
        }
    }

    /// §5: a link that has logged in wants to go on with a session.
    pub fn resume(&mut self, link: LinkId, account: &Jid, previous: &str, h: u32) -> Resumed {
        let is_meant = |session: &&super::Session| {
            let management = session.management.as_ref();
            management.and_then(|management| management.id.as_deref()) == Some(previous)
        };
        let Some(id) = self.sessions_of(account).find(is_meant).map(|session| session.id) else {
            let past = self.past.iter().find(|past| &*past.id == previous && past.account == *account);
            return Resumed::NotFound(past.map(|past| past.h));
        };
        // The old connection may look alive: nothing comes through it any more.
        if let Some(session) = self.session(id).filter(|session| session.detached.is_none()) {
            self.post(session.link, super::Mail::Close(StreamError::Conflict));
            self.suspend(id);
        }
        let committed = self.committed;
        let Some(session) = self.sessions.get_mut(id) else { return Resumed::NotFound(None) };
        let Some(management) = &mut session.management else { return Resumed::NotFound(None) };
        let handled = management.h(committed);
        if handled != management.handled && self.stalled.is_none() {
            if management.open.iter().any(|(_, needs)| matches!(needs, Needs::Work(_))) {
                management.resuming = Some(link);
            } else {
                self.keep(Kept::Wake(link));
            }
            return Resumed::Waiting;
        }
        let waiting = match session.outbox.attach(h) {
            Ok(acknowledged) => acknowledged.waiting,
            Err(too_high) => return Resumed::TooHigh(too_high),
        };
        // What is not on disk although nobody waits for it: the client says it again.
        management.rewind(handled);
        session.link = link;
        // XEP-0352 §5.2: what it was before does not count.
        session.active = true;
        if let Some(until) = session.detached.take() {
            self.suspended.remove(&(until, id));
        }
        if let Some(link) = self.links.get_mut(link) {
            link.session = Some(id);
        }
        self.wake(link);
        self.stop_pushing(id);
        self.need_not_wait(id, waiting);
        Resumed::Done { session: id, h: handled }
    }

    /// A session is over: remembers what it had handled, and passes on what nobody else has.
    pub(super) fn wind_up(&mut self, account: &Jid, management: Option<Box<Management>>, left: Vec<Entry>) {
        if let Some(link) = management.as_ref().and_then(|management| management.resuming) {
            self.wake(link);
        }
        if let Some(mut management) = management
            && let Some(id) = management.id.take()
        {
            self.past.truncate(MAX_PAST - 1);
            self.past.push_front(Past { account: account.clone(), id, h: management.h(self.committed) });
        }
        let back: Vec<&Entry> = left.iter().filter(|entry| entry.waiting().is_some()).collect();
        self.wait_again(account, &back);
        for entry in left {
            let orphan = entry.is_orphan();
            let Some(stanza) = Stanza::from_bytes(&entry.bytes) else { continue };
            if orphan {
                self.pass_on(stanza, entry.at);
            } else if stanza.is_request() {
                // RFC 6121 §8.5.3.2.3: as if it had never been there
                if let Some(reply) = stanza.error(&Condition::ServiceUnavailable.into()) {
                    self.route(reply);
                }
            }
        }
    }

    /// Messages that wait in the store have not reached their client: somebody else may have them.
    fn wait_again(&mut self, account: &Jid, back: &[&Entry]) {
        let first = back.iter().filter_map(|entry| entry.waiting()).min();
        let queue = self.loaded_mut(account).and_then(|account| account.offline.as_mut());
        let (Some(first), Some(queue)) = (first, queue) else { return };
        queue.floor = queue.floor.min(first - 1);
        queue.messages += back.len() as u64;
        queue.bytes += back.iter().map(|entry| entry.bytes.len() as u64).sum::<u64>();
        if let Some(other) = self.takers(account).first().copied() {
            for tell in xep::ALL.iter().filter_map(|module| module.available) {
                tell(self, other, false);
            }
        }
    }

    /// Gives a message that its session may not have to the account's others, or lets it wait for one.
    fn pass_on(&mut self, stanza: Stanza, came: u64) {
        let Some(mut stanza) = original(stanza) else { return };
        let (Some(from), Some(to)) = (stanza.from.clone(), stanza.to.clone()) else { return };
        // Who has been blocked meanwhile is not heard any more (XEP-0191 §3.3).
        if self.loaded(&to).is_some_and(|account| account.blocks(&from)) {
            return;
        }
        if stanza.payload.find("delay", ns::DELAY).is_none() {
            let delay = Element::new("delay", ns::DELAY)
                .attr("from", to.domain())
                .attr("stamp", time::datetime(came));
            stanza = stanza.with(&delay);
        }
        if let Err(error) = self.deliver_to_account(&stanza, &to)
            && let Some(reply) = stanza.error(&error)
        {
            self.route(reply);
        }
    }
}

/// The message itself, where this is a copy of it (XEP-0280 §7). Copies of what the account has sent need no second try.
fn original(stanza: Stanza) -> Option<Stanza> {
    let Some(copy) = stanza.payload.children().find(|child| child.ns() == ns::CARBONS) else {
        return Some(stanza);
    };
    let own =
        matches!((&stanza.from, &stanza.to), (Some(from), Some(to)) if from.is_bare() && from.same_bare(to));
    match (own, copy.name()) {
        (true, "received") => {
            let copy = copy.to_element();
            let message = copy.find("forwarded", ns::FORWARD)?.find("message", ns::CLIENT)?;
            Stanza::from_bytes(&message.to_bytes(ns::CLIENT))
        }
        (true, "sent") => None,
        _ => Some(stanza),
    }
}
