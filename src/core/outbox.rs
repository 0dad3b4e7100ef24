//! What waits for one session, in order: bytes to be written, stanzas that are held back while nobody looks (XEP-0352),
//! and stanzas that have been written and not been acknowledged (XEP-0198 §4).
//!
//! The bound is the caller's. A stanza that does not fit is refused, and with it the session: whoever sent it is told,
//! or it goes where messages to nobody go, and the slow client is disconnected.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::urgency::{Topic, Urgency};

#[derive(Default)]
pub(super) struct Outbox {
    /// To be written to the connection.
    ready: Vec<u8>,
    held: Vec<Entry>,
    sent: Option<Box<Sent>>,
    /// Of the entries in `held` and `sent`.
    cost: usize,
}

/// A stanza that is kept until it is written, or until it is acknowledged.
pub(super) struct Entry {
    /// When it came, in milliseconds.
    pub at: u64,
    pub bytes: Box<[u8]>,
    pub delivery: Option<Rc<Delivery>>,
    topic: Option<Topic>,
}

/// A message on its way to an account: all sessions that have a copy share one. While none of them has taken it, the
/// last one that goes must pass it on.
#[derive(Default)]
pub struct Delivery {
    taken: Cell<bool>,
    /// The key by which it waits in the store (XEP-0160), until somebody has taken it.
    waiting: Option<u64>,
}

impl Delivery {
    pub fn new() -> Rc<Delivery> {
        Rc::default()
    }

    /// Of a message that waits in the store.
    pub fn of_waiting(key: u64) -> Rc<Delivery> {
        Rc::new(Delivery { waiting: Some(key), ..Delivery::default() })
    }

    pub fn is_taken(&self) -> bool {
        self.taken.get()
    }

    /// Somebody has it, or somebody else sees to it.
    pub fn take(&self) {
        self.taken.set(true);
    }
}

/// What a client has been sent since it enabled XEP-0198.
#[derive(Default)]
struct Sent {
    unacked: VecDeque<Entry>,
    /// How many of these, at the end, have not been written.
    unwritten: usize,
    /// The client's last `h`.
    acked: u32,
    /// Where the client stands with what it is asked: see [`Outbox::ask`].
    asked: Asked,
    /// There is no connection to write to.
    detached: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Asked {
    #[default]
    No,
    /// It has been asked for its `h` and has not answered.
    Yes,
    /// It has not acknowledged everything, and there is a reason to ask (again).
    Due,
}

/// What a client's `h` has brought about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Acknowledged {
    /// It is to be asked again, since it does not have all.
    pub again: bool,
    /// Messages that need not wait in the store any more, by their keys.
    pub waiting: Vec<u64>,
}

/// The client says it has more than it was sent, which is this much.
#[derive(Debug, PartialEq, Eq)]
pub struct TooHigh(pub u32);

impl Entry {
    fn cost(&self) -> usize {
        self.bytes.len() + size_of::<Entry>()
    }

    /// Whether nobody but the session that had it can still see to it that the account gets it.
    pub fn is_orphan(&self) -> bool {
        self.delivery.as_ref().is_some_and(|delivery| {
            !delivery.taken.get() && delivery.waiting.is_none() && Rc::strong_count(delivery) == 1
        })
    }

    /// The key by which it still waits in the store.
    pub fn waiting(&self) -> Option<u64> {
        self.delivery.as_ref().filter(|delivery| !delivery.is_taken())?.waiting
    }
}

impl Outbox {
    /// Lets `write` append a stanza, unless what is there already fills `bound`.
    pub fn append(
        &mut self,
        bound: usize,
        at: u64,
        urgency: Urgency,
        delivery: Option<&Rc<Delivery>>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        let before = self.total();
        if before >= bound {
            return false;
        }
        if self.sent.is_none()
            && let Some(delivery) = delivery.filter(|delivery| delivery.waiting.is_some())
        {
            // Nobody will say that it has arrived.
            delivery.take();
        }
        let topic = match urgency {
            Urgency::Now => {
                self.release();
                if self.sent.is_none() {
                    return self.append_ready(bound, before, delivery, write);
                }
                None
            }
            Urgency::Later(topic) => Some(topic),
        };
        let mut bytes = Vec::new();
        write(&mut bytes);
        let (held, topic) = (topic.is_some(), topic.flatten());
        let entry = Entry { at, bytes: bytes.into(), delivery: delivery.cloned(), topic };
        if before > 0 && before + entry.cost() > bound {
            return false;
        }
        self.cost += entry.cost();
        if held {
            self.hold(entry)
        } else {
            self.send(entry)
        }
        true
    }

    fn append_ready(
        &mut self,
        bound: usize,
        before: usize,
        delivery: Option<&Rc<Delivery>>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        let length = self.ready.len();
        write(&mut self.ready);
        if before > 0 && self.ready.len() > bound {
            self.ready.truncate(length);
            return false;
        }
        // What is written to a client that does not acknowledge is all that can be done.
        if let Some(delivery) = delivery {
            delivery.take();
        }
        true
    }

    /// Of several with the same topic only the last is of interest.
    fn hold(&mut self, entry: Entry) {
        if entry.topic.is_some()
            && let Some(at) = self.held.iter().position(|held| held.topic == entry.topic)
        {
            self.cost -= self.held.remove(at).cost();
        }
        self.held.push(entry);
    }

    /// Lets go what was held back. `true`: there was something.
    pub fn release(&mut self) -> bool {
        let held = std::mem::take(&mut self.held);
        let some = !held.is_empty();
        held.into_iter().for_each(|entry| self.send(entry));
        some
    }

    fn send(&mut self, entry: Entry) {
        match &mut self.sent {
            None => {
                self.cost -= entry.cost();
                self.ready.extend_from_slice(&entry.bytes);
                if let Some(delivery) = &entry.delivery {
                    delivery.take();
                }
            }
            Some(sent) => {
                if !sent.detached {
                    self.ready.extend_from_slice(&entry.bytes);
                }
                sent.unwritten += 1;
                sent.unacked.push_back(entry);
            }
        }
    }

    /// Moves what is to be written into `out`. `true`: the client is to be asked for its `h`.
    pub fn drain_into(&mut self, out: &mut Vec<u8>) -> bool {
        if out.is_empty() {
            std::mem::swap(out, &mut self.ready);
        } else {
            out.append(&mut self.ready);
        }
        if self.ready.capacity() > 0 && self.ready.is_empty() {
            self.ready = Vec::new();
        }
        let Some(sent) = &mut self.sent else { return false };
        if sent.detached {
            return false;
        }
        let news = std::mem::take(&mut sent.unwritten) > 0 && sent.asked == Asked::No;
        if news || sent.asked == Asked::Due {
            sent.asked = Asked::Yes;
            return true;
        }
        false
    }

    /// Bytes that are to be written.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// All that is there, in bytes, and what it takes to remember it.
    pub fn total(&self) -> usize {
        if self.sent.is_some() { self.cost } else { self.ready.len() + self.cost }
    }

    /// How many bytes are held back.
    pub fn held(&self) -> usize {
        self.held.iter().map(Entry::cost).sum()
    }

    /// From here on everything is kept until it is acknowledged. What was there before must have been drained.
    pub fn track(&mut self) {
        self.release();
        self.sent = Some(Box::default());
    }

    /// §4: the client has everything up to here.
    pub fn acknowledge(&mut self, h: u32) -> Result<Acknowledged, TooHigh> {
        let Some(sent) = &mut self.sent else { return Ok(Acknowledged::default()) };
        let written = sent.unacked.len() - sent.unwritten;
        let count = h.wrapping_sub(sent.acked) as usize;
        if count > written {
            return Err(TooHigh(sent.acked.wrapping_add(written as u32)));
        }
        let mut waiting = Vec::new();
        for entry in sent.unacked.drain(..count) {
            self.cost -= entry.cost();
            waiting.extend(entry.waiting());
            if let Some(delivery) = &entry.delivery {
                delivery.take();
            }
        }
        sent.acked = h;
        // It may have answered before it had the rest: that is worth another question, unless it said nothing new.
        let again = written > count && count > 0 && sent.asked == Asked::Yes;
        sent.asked = if again { Asked::Due } else { Asked::No };
        if sent.unacked.is_empty() {
            sent.unacked = VecDeque::new();
        }
        Ok(Acknowledged { again, waiting })
    }

    /// The client is to be asked for its `h` whatever it has.
    pub fn ask(&mut self) {
        if let Some(sent) = &mut self.sent {
            sent.asked = Asked::Due;
        }
    }

    /// There is no connection any more.
    pub fn detach(&mut self) {
        self.ready = Vec::new();
        if let Some(sent) = &mut self.sent {
            (sent.detached, sent.asked) = (true, Asked::No);
        }
    }

    /// There is a new connection, whose client has everything up to `h`: the rest is written to it.
    pub fn attach(&mut self, h: u32) -> Result<Acknowledged, TooHigh> {
        let acknowledged = self.acknowledge(h)?;
        if let Some(sent) = &mut self.sent {
            (sent.detached, sent.unwritten, sent.asked) = (false, sent.unacked.len(), Asked::No);
            self.ready = sent.unacked.iter().flat_map(|entry| &entry.bytes[..]).copied().collect();
        }
        self.release();
        Ok(acknowledged)
    }

    /// What may not have reached the client.
    pub fn unacknowledged(&self) -> impl Iterator<Item = &Entry> {
        self.sent.iter().flat_map(|sent| &sent.unacked)
    }

    /// The session is over. What is still to be said to its client goes into `out`, but for messages that others get
    /// instead; what its client may not have is given back.
    pub fn end(mut self, out: Option<&mut Vec<u8>>) -> Vec<Entry> {
        let Some(sent) = &mut self.sent else {
            self.release();
            if let Some(out) = out {
                out.append(&mut self.ready);
            }
            return Vec::new();
        };
        if let Some(out) = out {
            let written = sent.unacked.len() - sent.unwritten;
            let unwritten = sent.unacked.iter().skip(written).filter(|entry| entry.delivery.is_none());
            unwritten.for_each(|entry| out.extend_from_slice(&entry.bytes));
        }
        std::mem::take(&mut sent.unacked).into_iter().chain(self.held).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(outbox: &mut Outbox, bound: usize, text: &[u8]) -> bool {
        outbox.append(bound, 0, Urgency::Now, None, |out| out.extend_from_slice(text))
    }

    fn drained(outbox: &mut Outbox) -> Vec<u8> {
        let mut out = Vec::new();
        outbox.drain_into(&mut out);
        out
    }

    #[test]
    fn what_does_not_fit_is_refused_whole_and_leaves_the_rest() {
        let mut outbox = Outbox::default();
        assert!(append(&mut outbox, 10, b"<message/>"));
        assert!(!append(&mut outbox, 10, b"<iq/>"));
        assert_eq!(drained(&mut outbox), b"<message/>");
        assert_eq!(outbox.total(), 0);
    }

    #[test]
    fn one_stanza_larger_than_the_bound_still_fits_into_an_empty_outbox() {
        assert!(append(&mut Outbox::default(), 4, b"<message/>"));
    }

    #[test]
    fn what_is_tracked_stays_until_it_is_acknowledged_and_counts() {
        let mut outbox = Outbox::default();
        outbox.track();
        for _ in 0..3 {
            assert!(append(&mut outbox, 10_000, b"<iq/>"));
        }
        let all = outbox.total();
        assert_eq!(drained(&mut outbox), b"<iq/><iq/><iq/>");
        assert_eq!(outbox.total(), all);
        assert!(outbox.acknowledge(2).is_ok_and(|acknowledged| acknowledged.again));
        assert_eq!(outbox.total(), all / 3);
        assert_eq!(outbox.acknowledge(4), Err(TooHigh(3)));
        assert!(outbox.acknowledge(3).is_ok_and(|acknowledged| !acknowledged.again));
        assert_eq!(outbox.total(), 0);
    }

    #[test]
    fn what_has_not_been_written_cannot_be_acknowledged() {
        let mut outbox = Outbox::default();
        outbox.track();
        append(&mut outbox, 10_000, b"<iq/>");
        assert_eq!(outbox.acknowledge(1), Err(TooHigh(0)));
    }

    #[test]
    fn a_new_connection_gets_what_the_old_one_did_not_acknowledge_and_what_came_since() {
        let mut outbox = Outbox::default();
        outbox.track();
        append(&mut outbox, 10_000, b"<a/>");
        append(&mut outbox, 10_000, b"<b/>");
        drained(&mut outbox);
        outbox.detach();
        append(&mut outbox, 10_000, b"<c/>");
        assert_eq!(drained(&mut outbox), b"");
        assert!(outbox.attach(1).is_ok());
        assert_eq!(drained(&mut outbox), b"<b/><c/>");
    }

    #[test]
    fn h_wraps_around_at_two_to_the_power_of_32() {
        let mut outbox = Outbox::default();
        outbox.track();
        if let Some(sent) = &mut outbox.sent {
            sent.acked = u32::MAX;
        }
        append(&mut outbox, 10_000, b"<a/>");
        append(&mut outbox, 10_000, b"<b/>");
        drained(&mut outbox);
        assert!(outbox.acknowledge(1).is_ok());
        assert_eq!(outbox.total(), 0);
    }
}
