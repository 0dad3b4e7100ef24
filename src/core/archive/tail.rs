//! The end of the log, as far as it must be in memory: what this event has archived, what is not on disk yet, and what
//! has no rows in the index yet.
//!
//! A message's body is written at once, its rows in the index only after [`INTERVAL`], or when there are [`MOST`] of
//! them: rows of one account lie together, so that many of them at once cost hardly more than one. After a crash the
//! rows that are missing are made from the bodies, from the place on that the table `meta` names.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::{COUNTER_BITS, first_place};
use crate::jid::Jid;
use crate::stanza::Stanza;
use crate::store::record::ArchiveOwners;
use crate::store::schema::{self, Op};
use crate::store::{ReadError, Reader};

/// Milliseconds that rows of the index wait for more.
const INTERVAL: u64 = 60_000;
/// Messages without rows in the index, at most.
const MOST: usize = 4000;

pub struct Tail {
    /// The last place that was given.
    last: u64,
    /// What this event has archived; it can still be taken back.
    fresh: Vec<Entry>,
    /// What has been given to the store and has no rows in the index there, oldest first, each with its batch.
    recent: VecDeque<(u64, Entry)>,
    /// Up to this place the rows of the index have been given to the store.
    indexed: u64,
    /// Batches with such rows that are not on disk yet, and the last place of each.
    indexing: VecDeque<(u64, u64)>,
    /// When the next rows are to be written.
    due: u64,
}

/// A message without rows in the index.
pub struct Entry {
    pub place: u64,
    pub owners: ArchiveOwners,
    from: Jid,
    to: Jid,
    /// Until its body is on disk.
    pub stanza: Option<Box<Stanza>>,
}

impl Entry {
    pub fn is_in(&self, owner: u32) -> bool {
        self.owners.list().any(|other| other == owner)
    }

    /// What the index says of it, if it is in this archive.
    pub fn with(&self, owner: u32) -> Option<Cow<'_, str>> {
        match self.owners {
            ArchiveOwners::Accounts { sender, .. } if sender == Some(owner) => Some(self.to.as_str().into()),
            ArchiveOwners::Accounts { receiver, .. } if receiver == Some(owner) => {
                Some(self.from.as_str().into())
            }
            ArchiveOwners::Room(room) if room == owner => Some(format!("{}\0{}", self.from, self.to).into()),
            _ => None,
        }
    }
}

impl Tail {
    /// After a `leap` over places that may have been given before a power cut.
    pub fn new(store: &Reader, leap: u64, now: u64) -> Result<Tail, ReadError> {
        let indexed = store.archive_indexed()?;
        let mut recent = VecDeque::new();
        store.archived_after(indexed, |place, owners, stanza| {
            if let Some(Stanza { from: Some(from), to: Some(to), .. }) = Stanza::from_bytes(stanza) {
                recent.push_back((0, Entry { place, owners, from, to, stanza: None }));
            }
        })?;
        Ok(Tail {
            last: store.last_archived()?.unwrap_or_default().saturating_add(leap),
            fresh: Vec::new(),
            due: if recent.is_empty() { u64::MAX } else { now },
            recent,
            indexed,
            indexing: VecDeque::new(),
        })
    }

    /// The entry of this event with this place, or a new one.
    pub fn open(&mut self, place: Option<u64>, stanza: &Stanza, now: u64) -> Option<&mut Entry> {
        let known = place.and_then(|place| self.fresh.iter().rposition(|entry| entry.place == place));
        let at = match known {
            Some(at) => at,
            None => {
                let (from, to) = (stanza.from.clone()?, stanza.to.clone()?);
                let (place, owners) = (self.skip(now), ArchiveOwners::default());
                let stanza = Some(Box::new(stanza.clone()));
                self.fresh.push(Entry { place, owners, from, to, stanza });
                self.fresh.len() - 1
            }
        };
        self.fresh.get_mut(at)
    }

    /// Takes a share back that was given in this event.
    pub fn withdraw_receiver(&mut self, place: u64) {
        let Some(at) = self.fresh.iter().rposition(|entry| entry.place == place) else { return };
        if let ArchiveOwners::Accounts { sender: Some(_), receiver } = &mut self.fresh[at].owners {
            *receiver = None;
        } else {
            self.fresh.remove(at);
        }
    }

    /// A place for a message that is in no archive: its own, whatever else is said.
    pub fn skip(&mut self, now: u64) -> u64 {
        self.last = (self.last + 1).max(first_place(now));
        self.last
    }

    /// Has another stanza stand where one was, as far as it is in memory.
    pub fn replace(&mut self, place: u64, stanza: &Stanza) {
        let entry = match self.recent.binary_search_by_key(&place, |(_, entry)| entry.place) {
            Ok(at) => self.recent.get_mut(at).map(|(_, entry)| entry),
            Err(_) => self.fresh.iter_mut().find(|entry| entry.place == place),
        };
        if let Some(body) = entry.and_then(|entry| entry.stanza.as_mut()) {
            **body = stanza.clone();
        }
    }

    /// Whether this event has archived something.
    pub fn has_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// What this event has archived becomes part of its batch, and if it is time the index too.
    pub fn close(&mut self, seq: u64, now: u64, ops: &mut Vec<Op>) {
        for entry in self.fresh.drain(..) {
            if let Some(stanza) = &entry.stanza {
                ops.push(schema::archive::put_body(entry.place, entry.owners, |out| stanza.write(out)));
            }
            self.recent.push_back((seq, entry));
            self.due = self.due.min(now + INTERVAL);
        }
        if self.due <= now || self.recent.len() >= MOST && self.indexing.is_empty() {
            self.index(seq, ops);
        }
    }

    fn index(&mut self, seq: u64, ops: &mut Vec<Op>) {
        self.due = u64::MAX;
        let without = self.recent.iter().map(|(_, entry)| entry).filter(|entry| entry.place > self.indexed);
        let mut last = None;
        for entry in without {
            last = Some(entry.place);
            ops.extend(entry.owners.list().filter_map(|owner| {
                Some(schema::archive::put_index(owner, entry.place, &entry.with(owner)?))
            }));
        }
        if let Some(last) = last {
            ops.push(schema::meta::put_archive_indexed(last));
            self.indexed = last;
            self.indexing.push_back((seq, last));
        }
    }

    /// When the index is to be written.
    pub fn due(&self) -> u64 {
        self.due
    }

    /// Has the index written when this event is over.
    pub fn index_now(&mut self) {
        if self.recent.back().is_some_and(|(_, entry)| entry.place > self.indexed) || self.has_fresh() {
            self.due = 0;
        }
    }

    /// Everything up to this batch is on disk.
    pub fn committed(&mut self, seq: u64) {
        while let Some((_, last)) = self.indexing.front().copied().filter(|(batch, _)| *batch <= seq) {
            self.indexing.pop_front();
            while self.recent.front().is_some_and(|(_, entry)| entry.place <= last) {
                self.recent.pop_front();
            }
        }
        let on_disk = self.recent.iter_mut().rev().skip_while(|(batch, _)| *batch > seq);
        for (_, entry) in on_disk.take_while(|(_, entry)| entry.stanza.is_some()) {
            entry.stanza = None;
        }
        if self.recent.is_empty() {
            self.recent.shrink_to(64);
        }
    }

    /// What is in memory, oldest first: all of it comes behind everything that only the store has.
    pub fn in_memory(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.recent.iter().map(|(_, entry)| entry).chain(&self.fresh)
    }

    /// From this place on, all is in memory.
    pub fn memory_starts(&self) -> u64 {
        self.in_memory().next().map_or(u64::MAX, |entry| entry.place)
    }

    pub fn entry(&self, place: u64) -> Option<&Entry> {
        match self.recent.binary_search_by_key(&place, |(_, entry)| entry.place) {
            Ok(at) => self.recent.get(at).map(|(_, entry)| entry),
            Err(_) => self.fresh.iter().find(|entry| entry.place == place),
        }
    }
}

/// When a message came, in milliseconds.
pub fn stamp(place: u64) -> u64 {
    place >> COUNTER_BITS
}
