//! Reading the archive: pages of an account's index with their bodies, in one transaction each.

use std::ops::{ControlFlow, Range};

use redb::{ReadableTable, TableError};

use super::{Malformed, ReadError, Reader, definition};
use crate::store::record::{ArchiveIndex, ArchiveOwners, ArchivePreferences, Archived, Blob};
use crate::store::schema::{self, Table};

/// What is to become of a row of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Skip,
    /// It is to be read with its body.
    Take,
    Stop,
}

/// Who looks for messages in an archive.
pub trait ArchiveSearch {
    /// Is shown a message's id and the full address of the other party.
    fn look(&mut self, id: u64, with: &str) -> Verdict;
    /// Gets the stanza of a message that it wants.
    fn take(&mut self, id: u64, stanza: &[u8]);
}

impl Reader {
    /// Shows `search` an account's messages with ids in `range`, from the last one if `backwards`.
    pub fn archive(
        &self,
        account: u32,
        range: Range<u64>,
        backwards: bool,
        search: &mut impl ArchiveSearch,
    ) -> Result<(), ReadError> {
        let Range { start, end } = range;
        if start >= end {
            return Ok(());
        }
        let (from, until) =
            (schema::archive::index_key(account, start), schema::archive::index_key(account, end));
        self.reading(|transaction| {
            let (index, bodies) = match transaction.open_table(definition(Table::ArchiveIndex)) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(Ok(())),
                opened => (opened?, transaction.open_table(definition(Table::Archive))?),
            };
            let mut rows = index.range::<&[u8]>(from.as_slice()..until.as_slice())?;
            while let Some(row) = if backwards { rows.next_back() } else { rows.next() } {
                let (key, value) = row?;
                let (id, with) = match (log_id(key.value()), ArchiveIndex::with(value.value())) {
                    (Ok(id), Ok(with)) => (id, with),
                    (Err(what), _) | (_, Err(what)) => {
                        return Ok(Err(ReadError::value(Table::ArchiveIndex, key.value(), what)));
                    }
                };
                match search.look(id, with) {
                    Verdict::Skip => continue,
                    Verdict::Stop => break,
                    Verdict::Take => {}
                }
                let key = schema::archive::body_key(id);
                let Some(body) = bodies.get(key.as_slice())? else { continue };
                match Archived::decode_parts(body.value()) {
                    Ok((_, stanza)) => search.take(id, stanza),
                    Err(what) => return Ok(Err(ReadError::value(Table::Archive, &key, what))),
                }
            }
            Ok(Ok(()))
        })?
    }

    /// The ids of an account's first or last messages, at most so many, in the order in which they are found.
    pub fn archived_ids(&self, account: u32, backwards: bool, most: usize) -> Result<Vec<u64>, ReadError> {
        let mut ids = Ids { found: Vec::new(), most };
        self.archive(account, 0..u64::MAX, backwards, &mut ids)?;
        Ok(ids.found)
    }

    /// Whether a message is in an account's archive.
    pub fn is_archived(&self, account: u32, id: u64) -> Result<bool, ReadError> {
        Ok(self.get(Table::ArchiveIndex, &schema::archive::index_key(account, id))?.is_some())
    }

    pub fn archived(&self, id: u64) -> Result<Option<Archived>, ReadError> {
        self.record(Table::Archive, &schema::archive::body_key(id))
    }

    /// The greatest id there is.
    pub fn last_archived(&self) -> Result<Option<u64>, ReadError> {
        self.reading(|transaction| {
            let bodies = match transaction.open_table(definition(Table::Archive)) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(None),
                opened => opened?,
            };
            Ok(bodies.last()?.and_then(|(key, _)| key.value().try_into().ok()).map(u64::from_be_bytes))
        })
    }

    /// Up to this place in the log all messages have their rows in the index.
    pub fn archive_indexed(&self) -> Result<u64, ReadError> {
        let key = schema::meta::key(schema::meta::ARCHIVE_INDEXED);
        match self.bytes(Table::Meta, &key)? {
            None => Ok(0),
            Some(place) => super::number(&place).map_err(|what| ReadError::value(Table::Meta, &key, what)),
        }
    }

    /// Calls `each` with the messages behind a place in the log, their owners and their stanzas.
    pub fn archived_after(
        &self,
        place: u64,
        mut each: impl FnMut(u64, ArchiveOwners, &[u8]),
    ) -> Result<(), ReadError> {
        let Some(next) = place.checked_add(1) else { return Ok(()) };
        let mut damaged = None;
        self.scan(Table::Archive, &[], &schema::archive::body_key(next), |key, value| {
            match (super::number(key), Archived::decode_parts(value)) {
                (Ok(id), Ok((owners, stanza))) => {
                    each(id, owners, stanza);
                    ControlFlow::Continue(())
                }
                (Err(what), _) | (_, Err(what)) => {
                    damaged = Some(ReadError::value(Table::Archive, key, what));
                    ControlFlow::Break(())
                }
            }
        })?;
        damaged.map_or(Ok(()), Err)
    }

    /// The oldest messages and their owners, at most so many.
    pub fn oldest_archived(&self, most: usize) -> Result<Vec<(u64, ArchiveOwners)>, ReadError> {
        let mut oldest = Vec::new();
        let mut damaged = None;
        self.scan(Table::Archive, &[], &[], |key, value| {
            if oldest.len() == most {
                return ControlFlow::Break(());
            }
            match (super::number(key), Archived::decode_parts(value)) {
                (Ok(id), Ok((owners, _))) => {
                    oldest.push((id, owners));
                    ControlFlow::Continue(())
                }
                (Err(what), _) | (_, Err(what)) => {
                    damaged = Some(ReadError::value(Table::Archive, key, what));
                    ControlFlow::Break(())
                }
            }
        })?;
        damaged.map_or(Ok(oldest), Err)
    }

    /// The accounts that are gone and whose archives are not empty yet.
    pub fn archive_remains(&self) -> Result<Vec<u32>, ReadError> {
        let account = |key: &[u8]| key.try_into().map(u32::from_be_bytes).map_err(|_| Malformed::Truncated);
        let rows = self.records(Table::ArchiveRemains, &[], &[], |_: &Blob| false, account)?;
        Ok(rows.into_iter().map(|(account, Blob(_))| account).collect())
    }

    pub fn archive_preferences(&self, account: u32) -> Result<Option<ArchivePreferences>, ReadError> {
        self.record(Table::ArchivePreferences, &schema::archive::preferences_key(account))
    }
}

/// Looks for nothing but ids.
struct Ids {
    found: Vec<u64>,
    most: usize,
}

impl ArchiveSearch for Ids {
    fn look(&mut self, id: u64, _: &str) -> Verdict {
        if self.found.len() == self.most {
            return Verdict::Stop;
        }
        self.found.push(id);
        Verdict::Skip
    }

    fn take(&mut self, _: u64, _: &[u8]) {}
}

/// The second part of a key of the index.
fn log_id(key: &[u8]) -> Result<u64, Malformed> {
    super::number(key.get(4..).unwrap_or_default())
}
