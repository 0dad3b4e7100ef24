//! Values that the store has been given but has not committed: who reads one must not see the old one.
//!
//! Only tables that Core reads from the store each time are noted; what it keeps in memory (rosters, block lists,
//! credentials) it already has, and messages that wait have an account's own queue. The store's bound on what
//! waits to be written bounds this too.

use std::collections::HashMap;

use crate::store::schema::{Op, Table};

#[derive(Default)]
pub(super) struct Unwritten(HashMap<(Table, Vec<u8>), Pending>);

/// A batch, and the value that it puts or deletes.
type Pending = (u64, Option<Vec<u8>>);

impl Unwritten {
    pub fn note(&mut self, seq: u64, op: &Op) {
        let (table, key, value) = match op {
            Op::Put { table, key, value } => (*table, key, Some(value)),
            Op::Delete { table, key } => (*table, key, None),
            Op::DeletePrefix { .. } => return,
        };
        if matches!(
            table,
            Table::Private
                | Table::Vcard
                | Table::Activity
                | Table::Announcements
                | Table::Clients
                | Table::Reports
                | Table::PubsubItems
                | Table::ArchiveClients
                | Table::GivenBookmarks
                // Only what is retracted, since all else is written past this.
                | Table::Archive
        ) {
            self.0.insert((table, key.clone()), (seq, value.cloned()));
        }
    }

    pub fn get(&self, table: Table, key: &[u8]) -> Option<Option<&Vec<u8>>> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&(table, key.to_vec())).map(|(_, value)| value.as_ref())
    }

    pub fn forget_until(&mut self, committed: u64) {
        self.0.retain(|_, (seq, _)| *seq > committed);
        // Many may have said goodbye at once.
        if self.0.is_empty() && self.0.capacity() > 1000 {
            self.0 = HashMap::new();
        }
    }
}
