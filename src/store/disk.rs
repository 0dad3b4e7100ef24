//! What redb writes to: a storage that outlives a full disk.
//!
//! redb gives up at the first failed write: from then on it refuses even reads, until the file is opened again,
//! which in turn needs a repair, which needs to write. A server on a full disk would go blind. So this layer
//! never reports a failed write to redb. It keeps every change since the last successful sync in memory; when
//! one fails, this and all later ones are only remembered, and reads see them laid over the file. The
//! [`super::Committer`] asks after its commit whether the disk [`Disk::is_failing`], acknowledges nothing while it
//! is, and calls [`Disk::flush`] until the remembered changes are on the disk, in their order, with their syncs in
//! between. What the file holds at any moment is therefore what a power cut could have left: redb opens it.
//!
//! An fsync that failed is handled the same way: the kernel may have dropped the pages, so they are written again.
//!
//! What is remembered is one transaction at most, as none begins while the disk fails.

use super::sync::lock;
use redb::StorageBackend;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

#[derive(Debug)]
pub struct Disk {
    storage: Box<dyn StorageBackend>,
    /// Set while the file lacks changes that redb believes written. Only then do reads take the lock.
    failing: AtomicBool,
    /// While a database is being opened, failures are reported: there is an operator to tell.
    opening: AtomicBool,
    /// The handle that may still touch the file; those of databases given up are cut off.
    generation: AtomicU64,
    pending: Mutex<Pending>,
}

#[derive(Debug, Default)]
struct Pending {
    /// Everything since the last successful sync, in order.
    changes: Vec<Change>,
    failure: Option<io::Error>,
}

#[derive(Debug)]
enum Change {
    Write(u64, Box<[u8]>),
    SetLen(u64),
    Sync,
}

impl Disk {
    pub fn new(storage: impl StorageBackend) -> Arc<Disk> {
        Arc::new(Disk {
            storage: Box::new(storage),
            failing: AtomicBool::new(false),
            opening: AtomicBool::new(true),
            generation: AtomicU64::new(0),
            pending: Mutex::default(),
        })
    }

    /// A backend for a database about to be opened. Those handed out before can't reach the file any more, and
    /// what was written but not synced is forgotten: redb finds out by itself what of it is whole.
    pub fn handle(self: &Arc<Disk>) -> Handle {
        self.opening.store(true, Ordering::Release);
        lock(&self.pending).changes.clear();
        let generation = self.generation.fetch_add(1, Ordering::AcqRel) + 1;
        Handle { disk: self.clone(), generation }
    }

    /// The database is open: from now on failures are remembered, not reported.
    pub fn opened(&self) -> io::Result<()> {
        self.storage.sync_data()?;
        self.opening.store(false, Ordering::Release);
        Ok(())
    }

    /// True if the last commit is not, or not surely, on the disk.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    /// Tries to bring the file up to date. Reads wait meanwhile, which is short: a disk that is still full fails
    /// at once.
    pub fn flush(&self) -> io::Result<()> {
        let mut pending = lock(&self.pending);
        let (synced, result) = self.replay(&pending.changes);
        // What is synced is safe; what follows is repeated from there.
        pending.changes.drain(..synced);
        result?;
        pending.failure = None;
        self.failing.store(false, Ordering::Release);
        Ok(())
    }

    /// Makes the changes once more. Says how many of them the last successful sync covered.
    fn replay(&self, changes: &[Change]) -> (usize, io::Result<()>) {
        let mut synced = 0;
        for (index, change) in changes.iter().enumerate() {
            let result = match change {
                Change::Write(offset, data) => self.storage.write(*offset, data),
                Change::SetLen(length) => self.storage.set_len(*length),
                Change::Sync => self.storage.sync_data(),
            };
            if result.is_err() {
                return (synced, result);
            }
            if matches!(change, Change::Sync) {
                synced = index + 1;
            }
        }
        (synced, Ok(()))
    }

    /// Why it fails, for people.
    pub fn failure(&self) -> Option<String> {
        lock(&self.pending).failure.as_ref().map(io::Error::to_string)
    }

    fn change(&self, change: Change, attempt: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        if self.opening.load(Ordering::Acquire) {
            return attempt();
        }
        let mut pending = lock(&self.pending);
        pending.changes.push(change);
        if pending.failure.is_none() {
            self.note(&mut pending, attempt());
        }
        Ok(())
    }

    fn note(&self, pending: &mut Pending, result: io::Result<()>) {
        if let Err(failure) = result {
            pending.failure = Some(failure);
            self.failing.store(true, Ordering::Release);
        }
    }

    /// Syncs without the lock, so that no read waits for the disk.
    fn sync(&self) -> io::Result<()> {
        if self.opening.load(Ordering::Acquire) {
            return self.storage.sync_data();
        }
        let covered = {
            let mut pending = lock(&self.pending);
            if pending.failure.is_some() {
                pending.changes.push(Change::Sync);
                return Ok(());
            }
            pending.changes.len()
        };
        let result = self.storage.sync_data();
        let mut pending = lock(&self.pending);
        match result {
            Ok(()) => drop(pending.changes.drain(..covered)),
            failed => {
                pending.changes.insert(covered, Change::Sync);
                self.note(&mut pending, failed);
            }
        }
        Ok(())
    }

    /// The file with what it lacks laid over it.
    fn read_through(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let pending = lock(&self.pending);
        let on_file = self.storage.len()?.saturating_sub(offset).min(out.len() as u64) as usize;
        let (from_file, beyond) = out.split_at_mut(on_file);
        self.storage.read(offset, from_file)?;
        beyond.fill(0);
        for change in &pending.changes {
            match change {
                Change::Write(at, data) => overlay(offset, out, *at, data),
                Change::SetLen(length) => {
                    let kept = length.saturating_sub(offset).min(out.len() as u64) as usize;
                    out[kept..].fill(0);
                }
                Change::Sync => {}
            }
        }
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        if self.is_failing() {
            let pending = lock(&self.pending);
            let last = pending.changes.iter().rev().find_map(|change| match change {
                Change::SetLen(length) => Some(*length),
                _ => None,
            });
            if let Some(length) = last {
                return Ok(length);
            }
        }
        self.storage.len()
    }
}

/// Copies what `data` at `at` and `out` at `offset` have in common.
fn overlay(offset: u64, out: &mut [u8], at: u64, data: &[u8]) {
    let start = offset.max(at);
    let end = (offset + out.len() as u64).min(at + data.len() as u64);
    if start < end {
        let length = (end - start) as usize;
        let (to, from) = ((start - offset) as usize, (start - at) as usize);
        out[to..to + length].copy_from_slice(&data[from..from + length]);
    }
}

/// One database's access to the disk. It takes no locks: whoever opened the file has locked it for the process.
#[derive(Debug)]
pub struct Handle {
    disk: Arc<Disk>,
    generation: u64,
}

impl Handle {
    fn disk(&self) -> io::Result<&Disk> {
        if self.disk.generation.load(Ordering::Acquire) == self.generation {
            Ok(&self.disk)
        } else {
            Err(io::Error::other("the database was opened anew"))
        }
    }
}

impl StorageBackend for Handle {
    fn len(&self) -> io::Result<u64> {
        self.disk()?.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let disk = self.disk()?;
        if disk.is_failing() { disk.read_through(offset, out) } else { disk.storage.read(offset, out) }
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let disk = self.disk()?;
        disk.change(Change::SetLen(length), || disk.storage.set_len(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk()?.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let disk = self.disk()?;
        disk.change(Change::Write(offset, data.into()), || disk.storage.write(offset, data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redb::backends::InMemoryBackend;

    #[test]
    fn a_handle_given_up_reaches_the_disk_no_more() {
        let disk = Disk::new(InMemoryBackend::new());
        let old = disk.handle();
        old.set_len(8).expect("the current handle");
        let new = disk.handle();
        assert!(old.write(0, b"old").is_err() && old.set_len(0).is_err() && old.sync_data().is_err());
        new.write(0, b"new").expect("the current handle");
        let mut bytes = [0; 3];
        assert!(old.read(0, &mut bytes).is_err());
        new.read(0, &mut bytes).expect("the current handle");
        assert_eq!(&bytes, b"new");
    }
}
