//! The committer: batches in, one transaction, one fsync. No thread and no clock, so that tests and the world
//! simulation can drive it step by step; [`super::Store`] is the thread around it.
//!
//! An error leaves everything as it was before, or durable without having been acknowledged. Either way the same
//! batches are given again: puts and deletes say what should be, so doing them twice does no harm.

use super::disk::Disk;
use super::open::Options;
use super::read::{Reader, definition};
use super::schema::{Batch, Op, Table};
use super::shared::Shared;
use redb::WriteTransaction;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

pub struct Committer {
    pub(super) shared: Arc<Shared>,
    pub(super) disk: Arc<Disk>,
    pub(super) options: Options,
}

impl Committer {
    pub fn reader(&self) -> Reader {
        Reader(self.shared.clone())
    }

    /// Makes the batches durable, all or none. The error is for people; nothing was acknowledged.
    pub fn apply(&mut self, batches: &[Batch]) -> Result<(), String> {
        self.mend()?;
        if let Err(error) = self.commit(batches) {
            self.shared.report_broken();
            return Err(error.to_string());
        }
        self.durable()
    }

    /// Brings the file up to date after a failure, and opens the database anew if it has given up.
    pub fn mend(&mut self) -> Result<(), String> {
        if self.disk.is_failing() {
            self.disk.flush().map_err(|error| error.to_string())?;
        }
        if self.shared.is_broken() {
            let database =
                super::open::database(&self.disk, &self.options).map_err(|error| error.to_string())?;
            self.shared.exchange(database);
        }
        Ok(())
    }

    /// Closes the file, so that it opens without a repair. Readers that are left fail from now on.
    pub fn close(self) {
        self.shared.close();
    }

    pub(super) fn is_broken(&self) -> bool {
        self.shared.is_broken()
    }

    fn durable(&self) -> Result<(), String> {
        match self.disk.is_failing() {
            false => Ok(()),
            true => Err(self.disk.failure().unwrap_or_default()),
        }
    }

    fn commit(&self, batches: &[Batch]) -> Result<(), redb::Error> {
        let database = self.shared.database()?;
        let mut transaction = database.begin_write()?;
        // One phase, one sync: what a power cut left half-done a repair finds by its checksums. They are not
        // cryptographic, but to abuse that a peer would have to choose bytes and cut the power in one commit.
        transaction.set_quick_repair(self.options.quick_repair);
        write(&transaction, batches.iter().flat_map(|batch| &batch.ops))?;
        transaction.commit()?;
        Ok(())
    }
}

/// Does what the ops say, within a transaction.
pub(super) fn write<'a>(
    transaction: &WriteTransaction,
    ops: impl IntoIterator<Item = &'a Op>,
) -> Result<(), redb::Error> {
    plan(ops).into_iter().try_for_each(|(table, writes)| writes.run(table, transaction))
}

/// What a transaction does to one table, in the order of the keys: neighbours share pages.
#[derive(Default)]
struct Writes<'a> {
    /// Emptied first.
    prefixes: Vec<&'a [u8]>,
    /// Then written; `None` deletes.
    rows: BTreeMap<&'a [u8], Option<&'a [u8]>>,
}

/// Only the last change of a key matters, and only changes behind it matter to an emptied prefix.
fn plan<'a>(ops: impl IntoIterator<Item = &'a Op>) -> BTreeMap<Table, Writes<'a>> {
    let mut plan = BTreeMap::<Table, Writes>::new();
    for op in ops {
        let writes = plan.entry(op.table()).or_default();
        match op {
            Op::Put { key, value, .. } => {
                writes.rows.insert(key, Some(value));
            }
            Op::Delete { key, .. } => {
                writes.rows.insert(key, None);
            }
            Op::DeletePrefix { prefix, .. } => {
                writes.rows.retain(|key, _| !key.starts_with(prefix));
                writes.prefixes.push(prefix);
            }
        }
    }
    plan
}

impl Writes<'_> {
    fn run(self, table: Table, transaction: &WriteTransaction) -> Result<(), redb::Error> {
        let mut table = transaction.open_table(definition(table))?;
        for prefix in self.prefixes {
            let end = successor(prefix);
            let end = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            table.retain_in::<&[u8], _>((Bound::Included(prefix), end), |_, _| false)?;
        }
        for (key, value) in self.rows {
            match value {
                Some(value) => drop(table.insert(key, value)?),
                None => drop(table.remove(key)?),
            }
        }
        Ok(())
    }
}

/// The first key behind all that begin with `prefix`; none if there is nothing behind them.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let kept = prefix.iter().rposition(|&byte| byte != 0xff)?;
    let mut successor = prefix.get(..=kept)?.to_vec();
    *successor.last_mut()? += 1;
    Some(successor)
}
