//! What goes out of the archive: messages older than `keep_days`, and everything of accounts and rooms
//! that are gone.
//!
//! It goes in steps of [`STEP`] messages, from the oldest, with a pause after each and only when the step before is on
//! disk: neither the network thread nor a memory card notices. Which accounts are gone stands in the table
//! `archive_remains` until nothing of theirs is left, so a restart changes nothing. An account's id is never given
//! twice, so nobody can meet what is left of one.

use std::collections::VecDeque;

use super::tail::stamp;
use crate::core::Core;
use crate::store::ReadError;
use crate::store::schema::{self, Op};

/// Messages of one step.
const STEP: usize = 200;
/// Milliseconds between two steps.
const PAUSE: u64 = 100;
/// Milliseconds between two looks for what is too old; after the start, the first one.
const REST: u64 = 10 * 60 * 1000;
/// And before the next try when something is wrong with the disk.
const TROUBLE: u64 = 60 * 1000;

pub(super) struct Upkeep {
    /// When the next step is due.
    next: u64,
    /// Accounts that are gone, by id.
    remains: VecDeque<u32>,
    /// The batch of the last step.
    written: u64,
}

impl Upkeep {
    pub fn new(remains: Vec<u32>, now: u64) -> Upkeep {
        let rest = if remains.is_empty() { REST } else { PAUSE };
        Upkeep { next: now + rest, remains: remains.into(), written: 0 }
    }
}

impl Core {
    /// An account is gone whose archive is still there.
    pub(in crate::core) fn remove_archive(&mut self, account: u32) {
        let seq = self.next_seq();
        let upkeep = &mut self.archive.upkeep;
        upkeep.remains.push_back(account);
        upkeep.next = upkeep.next.min(self.now + PAUSE);
        // Not before the account's own removal, and what it still wrote, is on disk.
        upkeep.written = upkeep.written.max(seq);
    }

    pub(in crate::core) fn next_upkeep(&self) -> u64 {
        self.archive.upkeep.next
    }

    pub(in crate::core) fn keep_archive_up(&mut self) {
        if self.archive.upkeep.next > self.now {
            return;
        }
        let pause = if self.writable().is_err() {
            TROUBLE
        } else if self.archive.upkeep.written > self.committed {
            PAUSE
        } else {
            self.upkeep_step().unwrap_or_else(|error| {
                log::error!("the archive cannot be cleaned up: {error}");
                TROUBLE
            })
        };
        self.archive.upkeep.next = self.now + pause;
    }

    /// Removes some of what is to go, and says when to go on.
    fn upkeep_step(&mut self) -> Result<u64, ReadError> {
        let remains = self.archive.upkeep.remains.front().copied();
        let ops = match remains {
            // What it has without rows in the index gets them first.
            Some(account) if self.archive.tail.in_memory().any(|entry| entry.is_in(account)) => {
                self.archive.tail.index_now();
                return Ok(PAUSE);
            }
            Some(account) => self.remains_of(account)?,
            None => self.expired()?,
        };
        if ops.is_empty() {
            return Ok(REST);
        }
        self.archive.upkeep.written = self.next_seq();
        self.ops.extend(ops);
        Ok(PAUSE)
    }

    /// Removes a share of an account that is gone, and the bodies that were nobody else's.
    fn remains_of(&mut self, account: u32) -> Result<Vec<Op>, ReadError> {
        let places = self.store.archived_ids(account, false, STEP)?;
        let mut ops = Vec::new();
        for &place in &places {
            ops.push(schema::archive::delete_index(account, place));
            let owners = self.store.archived(place)?.map(|archived| archived.owners).unwrap_or_default();
            let mut others = owners.list().filter(|owner| *owner != account);
            let is_shared = others
                .try_fold(false, |is_shared, owner| Ok(is_shared || self.store.is_archived(owner, place)?))?;
            if !is_shared {
                ops.push(schema::archive::delete_body(place));
            }
        }
        if places.len() < STEP {
            ops.push(schema::archive::delete_remains(account));
            self.archive.upkeep.remains.pop_front();
        }
        Ok(ops)
    }

    /// Removes some of the messages that are too old, oldest first.
    fn expired(&self) -> Result<Vec<Op>, ReadError> {
        let Some(keep) = self.config.archive.keep_days.get() else { return Ok(Vec::new()) };
        let end = self.now.saturating_sub(keep.saturating_mul(24 * 60 * 60 * 1000));
        let oldest = self.store.oldest_archived(STEP)?;
        let end = end.min(stamp(self.archive.tail.memory_starts()));
        let old = oldest.into_iter().take_while(|(place, _)| stamp(*place) < end);
        Ok(old
            .flat_map(|(place, owners)| {
                let rows = owners.list().map(move |owner| schema::archive::delete_index(owner, place));
                rows.chain([schema::archive::delete_body(place)])
            })
            .collect())
    }
}
