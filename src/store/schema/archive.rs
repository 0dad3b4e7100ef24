//! The archive's rows (XEP-0313): a log of bodies in order of time, an index of it for each account that has a share
//! in one and for each room, and what an account has said about its archive.
//!
//! A body is there once, however many of our accounts it concerns; it goes when the last of them has lost its row in
//! the index.

use super::super::record::{ArchiveClients, ArchivePreferences, Archived};
use super::{Op, Table, owned, owned_key, put, put_bytes};
use crate::store::record::{ArchiveIndex, ArchiveOwners};

pub fn body_key(id: u64) -> Vec<u8> {
    id.to_be_bytes().to_vec()
}

pub fn index_key(account: u32, id: u64) -> Vec<u8> {
    owned_key(account, &id.to_be_bytes())
}

/// What `stanza` writes concerns `owners`.
pub fn put_body(id: u64, owners: ArchiveOwners, stanza: impl FnOnce(&mut Vec<u8>)) -> Op {
    Op::Put { table: Table::Archive, key: body_key(id), value: Archived::encode_with(owners, stanza) }
}

/// `with` is as in [`ArchiveIndex`].
pub fn put_index(account: u32, id: u64, with: &str) -> Op {
    let value = ArchiveIndex::encode_parts(with);
    Op::Put { table: Table::ArchiveIndex, key: index_key(account, id), value }
}

pub fn delete_body(id: u64) -> Op {
    Op::Delete { table: Table::Archive, key: body_key(id) }
}

pub fn delete_index(account: u32, id: u64) -> Op {
    Op::Delete { table: Table::ArchiveIndex, key: index_key(account, id) }
}

/// The archive of an account that is gone: it is emptied bit by bit, with its last row this one goes.
pub fn put_remains(account: u32) -> Op {
    put_bytes(Table::ArchiveRemains, owned(account).to_vec(), &[])
}

pub fn delete_remains(account: u32) -> Op {
    Op::Delete { table: Table::ArchiveRemains, key: owned(account).to_vec() }
}

pub fn preferences_key(account: u32) -> Vec<u8> {
    owned(account).to_vec()
}

pub fn put_preferences(account: u32, preferences: &ArchivePreferences) -> Op {
    put(Table::ArchivePreferences, preferences_key(account), preferences)
}

pub fn clients_key(account: u32) -> Vec<u8> {
    owned(account).to_vec()
}

pub fn put_clients(account: u32, clients: &ArchiveClients) -> Op {
    put(Table::ArchiveClients, clients_key(account), clients)
}
