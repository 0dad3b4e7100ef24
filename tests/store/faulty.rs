//! A disk in memory that can be full, refuse a sync, fail a read or panic, and that loses at a power cut what was
//! not synced: any part of it, as page caches write in no order.

use crate::chance::Chance;
use redb::StorageBackend;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

#[derive(Debug, Clone, Default)]
pub struct Faulty(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What programs see.
    current: Vec<u8>,
    /// What a power cut leaves for sure.
    durable: Vec<u8>,
    unsynced: Vec<Change>,
    faults: Faults,
    /// Changes and syncs until the end whose image is kept.
    fuse: Option<(u64, Ending)>,
    image: Option<Vec<u8>>,
    chance: u64,
}

/// How a process can end without having its say.
#[derive(Debug, Clone, Copy)]
pub enum Ending {
    /// What was written is there, synced or not.
    Kill,
    /// What was not synced is there in part; chance, which the seed names, says what.
    PowerCut(u64),
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    pub full: bool,
    pub no_sync: bool,
    pub no_read: bool,
    pub panic: bool,
    /// One in so many changes and syncs fails; 0 for none.
    pub flaky: usize,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

impl Faulty {
    pub fn new() -> Faulty {
        Faulty::default()
    }

    /// A disk that holds what another left.
    pub fn holding(image: Vec<u8>) -> Faulty {
        let state = State { current: image.clone(), durable: image, ..State::default() };
        Faulty(Arc::new(Mutex::new(state)))
    }

    pub fn set(&self, faults: Faults) {
        self.state().faults = faults;
    }

    pub fn seed(&self, seed: u64) {
        self.state().chance = seed;
    }

    /// Ends after so many changes and syncs; life goes on, but the image of that moment is kept.
    pub fn end_after(&self, steps: u64, ending: Ending) {
        self.state().fuse = Some((steps, ending));
    }

    /// What that end has left, if it has come.
    pub fn take_image(&self) -> Option<Vec<u8>> {
        self.state().image.take()
    }

    /// What an end at this moment leaves.
    pub fn after(&self, ending: Ending) -> Vec<u8> {
        self.state().after(ending)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl State {
    /// One change or sync is about to happen: perhaps the power goes, perhaps it fails.
    fn step(&mut self, full: bool) -> io::Result<()> {
        if let Some((steps, ending)) = self.fuse {
            self.fuse = steps.checked_sub(1).map(|left| (left, ending));
            if steps == 0 {
                self.image = Some(self.after(ending));
            }
        }
        assert!(!self.faults.panic, "the disk caught fire");
        let mut chance = Chance::new(self.chance);
        self.chance = chance.next();
        if full || (self.faults.flaky > 0 && chance.one_in(self.faults.flaky)) {
            return Err(ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn after(&self, ending: Ending) -> Vec<u8> {
        match ending {
            Ending::Kill => self.current.clone(),
            Ending::PowerCut(seed) => self.after_power_cut(&mut Chance::new(seed)),
        }
    }

    /// Of what was not synced, each 512 bytes are there or not, in the version of any write; so is a new length.
    fn after_power_cut(&self, chance: &mut Chance) -> Vec<u8> {
        let mut disk = self.durable.clone();
        for change in &self.unsynced {
            match change {
                Change::SetLen(_) if chance.one_in(3) => {}
                Change::SetLen(length) => disk.resize(*length, 0),
                Change::Write(offset, data) => {
                    for (index, block) in data.chunks(512).enumerate() {
                        if !chance.one_in(3) {
                            put(&mut disk, offset + index * 512, block);
                        }
                    }
                }
            }
        }
        disk
    }
}

fn put(disk: &mut Vec<u8>, offset: usize, data: &[u8]) {
    if disk.len() < offset + data.len() {
        disk.resize(offset + data.len(), 0);
    }
    disk[offset..offset + data.len()].copy_from_slice(data);
}

impl StorageBackend for Faulty {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let start = offset as usize;
        match state.current.get(start..start + out.len()) {
            _ if state.faults.no_read => Err(io::Error::other("bad sector")),
            Some(data) => {
                out.copy_from_slice(data);
                Ok(())
            }
            None => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut state = self.state();
        let grows = length as usize > state.current.len();
        let full = state.faults.full && grows;
        state.step(full)?;
        state.current.resize(length as usize, 0);
        state.unsynced.push(Change::SetLen(length as usize));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        let refused = state.faults.no_sync;
        if let Err(error) = state.step(refused) {
            // The kernel forgets which pages were dirty, and half of them were not written.
            let mut chance = Chance::new(state.chance);
            let written: Vec<Change> = state.unsynced.drain(..).filter(|_| chance.one_in(2)).collect();
            let mut durable = std::mem::take(&mut state.durable);
            replay(&mut durable, &written);
            state.durable = durable;
            return Err(error);
        }
        let changes = std::mem::take(&mut state.unsynced);
        let mut durable = std::mem::take(&mut state.durable);
        replay(&mut durable, &changes);
        state.durable = durable;
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let full = state.faults.full;
        if let Err(error) = state.step(full) {
            // Part of it got through.
            let partial = data[..data.len() / 2].to_vec();
            put(&mut state.current, offset as usize, &partial);
            state.unsynced.push(Change::Write(offset as usize, partial));
            return Err(error);
        }
        put(&mut state.current, offset as usize, data);
        state.unsynced.push(Change::Write(offset as usize, data.to_vec()));
        Ok(())
    }
}

fn replay(disk: &mut Vec<u8>, changes: &[Change]) {
    for change in changes {
        match change {
            Change::SetLen(length) => disk.resize(*length, 0),
            Change::Write(offset, data) => put(disk, *offset, data),
        }
    }
}
