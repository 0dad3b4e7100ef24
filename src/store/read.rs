//! Reading: committed snapshots, from any thread, while the store thread writes.
//!
//! Each call opens a read transaction of its own and closes it before it returns, so none keeps old pages alive.
//! A call never waits for a commit. It fails if a page can't be read or a value not be understood; after a disk
//! error the store thread opens the database anew, and readers go on with that one.

mod archive;

use super::codec::Malformed;
use super::record::{
    Account, Activity, Blob, Clients, Offline, PubsubItem, PubsubNode, PubsubPeople, PushRegistration,
    Record, Report, Room, RoomPerson, RosterItem,
};
use super::schema::{self, Table};
use super::shared::Shared;
use redb::{ReadableDatabase, TableDefinition, TableError};
use std::fmt;
use std::ops::{Bound, ControlFlow};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub use archive::{ArchiveSearch, Verdict};

pub(super) const fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}

/// A cheap handle on what is committed.
#[derive(Clone)]
pub struct Reader(pub(super) Arc<Shared>);

impl Reader {
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.reading(|transaction| {
            let table = match transaction.open_table(definition(table)) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(None),
                opened => opened?,
            };
            Ok(redb::ReadableTable::get(&table, key)?.map(|value| value.value().to_vec()))
        })
    }

    /// Calls `each` with the keys that begin with `prefix`, in order, starting at the key `from` (empty: at the
    /// first), until it breaks.
    pub fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        mut each: impl FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        self.reading(|transaction| {
            let table = match transaction.open_table(definition(table)) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(()),
                opened => opened?,
            };
            let range = (Bound::Included(from.max(prefix)), Bound::Unbounded);
            for row in redb::ReadableTable::range::<&[u8]>(&table, range)? {
                let (key, value) = row?;
                if !key.value().starts_with(prefix) || each(key.value(), value.value()).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    pub fn account(&self, domain: &str, localpart: &str) -> Result<Option<Account>, ReadError> {
        self.record(Table::Accounts, &schema::account::key(domain, localpart))
    }

    /// The localparts of a domain, in order, and their accounts.
    pub fn accounts(&self, domain: &str) -> Result<Vec<(String, Account)>, ReadError> {
        self.records(Table::Accounts, &schema::account::of_domain(domain), &[], |_| false, text)
    }

    /// How many accounts a domain has, without decoding them.
    pub fn count_accounts(&self, domain: &str) -> Result<usize, ReadError> {
        let mut count = 0;
        self.scan(Table::Accounts, &schema::account::of_domain(domain), &[], |_, _| {
            count += 1;
            ControlFlow::Continue(())
        })?;
        Ok(count)
    }

    pub fn activity(&self, id: u32) -> Result<Option<Activity>, ReadError> {
        self.record(Table::Activity, &schema::activity::key(id))
    }

    pub fn clients(&self, id: u32) -> Result<Option<Clients>, ReadError> {
        self.record(Table::Clients, &schema::clients::key(id))
    }

    /// Contacts by bare JID, removed ones included.
    pub fn roster(&self, id: u32) -> Result<Vec<(String, RosterItem)>, ReadError> {
        self.records(Table::Roster, &schema::owned(id), &[], |_| false, text)
    }

    pub fn roster_item(&self, id: u32, contact: &str) -> Result<Option<RosterItem>, ReadError> {
        self.record(Table::Roster, &schema::roster::key(id, contact))
    }

    /// Who asked, by bare JID, and the presence stanza that they asked with.
    pub fn subscription_requests(&self, id: u32) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
        let requests = self.records(Table::SubscriptionRequests, &schema::owned(id), &[], |_| false, text)?;
        Ok(requests.into_iter().map(|(contact, Blob(presence))| (contact, presence)).collect())
    }

    pub fn blocklist(&self, id: u32) -> Result<Vec<String>, ReadError> {
        let blocked = self.records(Table::Blocklist, &schema::owned(id), &[], |_| false, text)?;
        Ok(blocked.into_iter().map(|(jid, Blob(_))| jid).collect())
    }

    pub fn private(&self, id: u32, namespace: &str, name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.bytes(Table::Private, &schema::private::key(id, namespace, name))
    }

    pub fn vcard(&self, id: u32) -> Result<Option<Vec<u8>>, ReadError> {
        self.bytes(Table::Vcard, &schema::vcard::key(id))
    }

    /// Waiting stanzas in order, those behind the key `after` if there is one: all of them, or as many as it takes to
    /// have `enough` bytes.
    pub fn offline(
        &self,
        id: u32,
        after: Option<u64>,
        enough: usize,
    ) -> Result<Vec<(u64, Offline)>, ReadError> {
        let from = match after.map(|key| key.checked_add(1)) {
            None => Vec::new(),
            Some(Some(next)) => schema::offline::key(id, next),
            Some(None) => return Ok(Vec::new()),
        };
        let mut bytes = 0;
        let is_last = |message: &Offline| {
            bytes += message.len();
            bytes >= enough
        };
        self.records(Table::Offline, &schema::owned(id), &from, is_last, number)
    }

    /// How many stanzas wait, their bytes, and the last one's key: what a quota and the next key need.
    pub fn offline_usage(&self, id: u32) -> Result<OfflineUsage, ReadError> {
        let mut usage = OfflineUsage::default();
        let prefix = schema::owned(id);
        self.scan(Table::Offline, &prefix, &[], |key, value| {
            usage.count += 1;
            // What can't be read is there all the same.
            usage.bytes += Offline::decode(value).map_or(value.len(), |message| message.len());
            usage.last_key = number(key.get(prefix.len()..).unwrap_or_default()).ok().or(usage.last_key);
            ControlFlow::Continue(())
        })?;
        Ok(usage)
    }

    /// The push services that an account's clients have enabled, oldest first.
    pub fn push_registrations(&self, id: u32) -> Result<Vec<(u64, PushRegistration)>, ReadError> {
        self.records(Table::PushRegistrations, &schema::owned(id), &[], |_| false, number)
    }

    /// What users have reported, oldest first.
    pub fn reports(&self) -> Result<Vec<(u64, Report)>, ReadError> {
        self.records(Table::Reports, &[], &[], |_| false, number)
    }

    pub fn announcement(&self, name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.bytes(Table::Announcements, &schema::announcement::key(name))
    }

    /// The id under which a service keeps what it owns; `None` if it has never had anything.
    pub fn service(&self, address: &str) -> Result<Option<u32>, ReadError> {
        let key = schema::meta::service(address);
        let id =
            self.bytes(Table::Meta, &key)?.map(|bytes| bytes.as_slice().try_into().map(u32::from_be_bytes));
        id.transpose().map_err(|_| ReadError::value(Table::Meta, &key, Malformed::Truncated))
    }

    /// Nodes by name.
    pub fn pubsub_nodes(&self, owner: u32) -> Result<Vec<(String, PubsubNode)>, ReadError> {
        self.records(Table::PubsubNodes, &schema::owned(owner), &[], |_| false, text)
    }

    /// Who has to do with nodes, by the nodes' numbers.
    pub fn pubsub_people(&self, owner: u32) -> Result<Vec<(u32, PubsubPeople)>, ReadError> {
        let number = |key: &[u8]| key.try_into().map(u32::from_be_bytes).map_err(|_| Malformed::Truncated);
        self.records(Table::PubsubPeople, &schema::owned(owner), &[], |_| false, number)
    }

    /// Calls `each` with a node's items and their keys, oldest first.
    pub fn pubsub_items(
        &self,
        owner: u32,
        node: u32,
        mut each: impl FnMut(u64, PubsubItem),
    ) -> Result<(), ReadError> {
        let prefix = schema::pubsub::people_key(owner, node);
        let mut damaged = None;
        self.scan(Table::PubsubItems, &prefix, &[], |key, value| {
            let order = number(key.get(prefix.len()..).unwrap_or_default());
            match order.and_then(|order| Ok((order, PubsubItem::decode(value)?))) {
                Ok((order, item)) => {
                    each(order, item);
                    ControlFlow::Continue(())
                }
                Err(what) => {
                    damaged = Some(ReadError::value(Table::PubsubItems, key, what));
                    ControlFlow::Break(())
                }
            }
        })?;
        damaged.map_or(Ok(()), Err)
    }

    /// The rooms of a service by their localparts: at most so many, in order, from this name on.
    pub fn rooms(&self, domain: &str, from: &str, most: usize) -> Result<Vec<(String, Room)>, ReadError> {
        let mut left = most;
        let from = schema::room::key(domain, from);
        let is_last = |_: &Room| {
            left = left.saturating_sub(1);
            left == 0
        };
        self.records(Table::Rooms, &schema::room::of_service(domain), &from, is_last, text)
    }

    pub fn room(&self, domain: &str, localpart: &str) -> Result<Option<Room>, ReadError> {
        self.record(Table::Rooms, &schema::room::key(domain, localpart))
    }

    /// Those whom a room knows, by their bare addresses.
    pub fn room_people(&self, id: u32) -> Result<Vec<(String, RoomPerson)>, ReadError> {
        self.records(Table::RoomPeople, &schema::owned(id), &[], |_| false, text)
    }

    /// The 32 random bytes that were made with the file.
    pub fn secret(&self) -> Result<[u8; 32], ReadError> {
        self.meta(schema::meta::SECRET)
    }

    /// The id that the next account gets.
    pub fn next_account(&self) -> Result<u32, ReadError> {
        self.meta(schema::meta::NEXT_ACCOUNT).map(u32::from_be_bytes)
    }

    /// An entry that every database has, with a length that is always the same.
    pub(super) fn meta<const N: usize>(&self, name: &str) -> Result<[u8; N], ReadError> {
        let key = schema::meta::key(name);
        let entry = self.bytes(Table::Meta, &key)?.unwrap_or_default();
        entry.as_slice().try_into().map_err(|_| ReadError::value(Table::Meta, &key, Malformed::Truncated))
    }

    fn bytes(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.record(table, key)?.map(|Blob(bytes)| bytes))
    }

    fn record<R: Record>(&self, table: Table, key: &[u8]) -> Result<Option<R>, ReadError> {
        let value = self.get(table, key)?;
        value.map(|value| R::decode(&value).map_err(|what| ReadError::value(table, key, what))).transpose()
    }

    /// The records under a prefix up to the one that `is_last`, each with what its key says behind the prefix.
    fn records<K, R: Record>(
        &self,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        mut is_last: impl FnMut(&R) -> bool,
        name: impl Fn(&[u8]) -> Result<K, Malformed>,
    ) -> Result<Vec<(K, R)>, ReadError> {
        let mut records = Vec::new();
        let mut damaged = None;
        self.scan(table, prefix, from, |key, value| {
            let name = name(key.get(prefix.len()..).unwrap_or_default());
            match name.and_then(|name| Ok((name, R::decode(value)?))) {
                Ok((name, record)) => {
                    let done = is_last(&record);
                    records.push((name, record));
                    if done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                }
                Err(what) => {
                    damaged = Some(ReadError::value(table, key, what));
                    ControlFlow::Break(())
                }
            }
        })?;
        damaged.map_or(Ok(records), Err)
    }

    fn reading<T>(
        &self,
        work: impl FnOnce(&redb::ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, ReadError> {
        // redb panics where a page makes no sense to it. Who needs that page gets an error, others go on.
        let read = catch_unwind(AssertUnwindSafe(|| work(&self.0.database()?.begin_read()?)));
        let read = read.map_err(|_| ReadError::Database("a page makes no sense".into()))?;
        read.map_err(|error| {
            // redb refuses everything after an error of the disk: the store thread must open it anew.
            if matches!(error, redb::Error::Io(_) | redb::Error::PreviousIo) {
                self.0.report_broken();
            }
            ReadError::Database(error.to_string())
        })
    }
}

fn text(key: &[u8]) -> Result<String, Malformed> {
    String::from_utf8(key.to_vec()).map_err(|_| Malformed::NotUtf8)
}

fn number(key: &[u8]) -> Result<u64, Malformed> {
    key.try_into().map(u64::from_be_bytes).map_err(|_| Malformed::Truncated)
}

/// What waits for one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OfflineUsage {
    pub count: usize,
    pub bytes: usize,
    pub last_key: Option<u64>,
}

/// Why something could not be read. The caller answers `<internal-server-error/>` and logs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// The disk or the database failed; a later try may succeed.
    Database(String),
    /// A value is there but means nothing to this stube.
    Value { table: &'static str, key: String, what: Malformed },
}

impl ReadError {
    fn value(table: Table, key: &[u8], what: Malformed) -> ReadError {
        ReadError::Value { table: table.name(), key: key.escape_ascii().to_string(), what }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Database(reason) => write!(f, "the database can't be read: {reason}"),
            ReadError::Value { table, key, what } => {
                write!(f, "the value of \"{key}\" in the table {table} is damaged: {what}")
            }
        }
    }
}

impl std::error::Error for ReadError {}
