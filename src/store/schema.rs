//! The schema: every table, what its keys and values are, and the only functions that make keys.
//!
//! Tables are bytes to bytes. Keys are big-endian and begin with their owner's account id, so that all rows of
//! one account lie together and a range can never cross into another's. Names and ids that have come out of use
//! stay in [`RETIRED`] and are never used again: an old file must not be misread.
//!
//! Addresses arrive here prepared (see [`crate::jid`]), as the strings that they compare by.

use super::record::{
    Account, Activity, Blob, Clients, GivenBookmarks, Offline, PubsubItem, PubsubNode, PubsubPeople,
    PushRegistration, Record, Report, Room, RoomPerson, RosterItem,
};
pub mod archive;

/// The layout that this stube reads and writes; a file says in `meta` which one it has.
pub const VERSION: u32 = 1;

/// Names of tables that older schemas had. No table may take one of them again.
pub const RETIRED: &[&str] = &[];

/// Declares the tables once: the enum, their list, their names in the file, and whose rows they hold.
macro_rules! tables {
    ($($(#[doc = $doc:literal])* $table:ident = $name:literal, $owner:ident;)*) => {
        /// Every table there is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Table {
            $($(#[doc = $doc])* $table,)*
        }

        impl Table {
            pub const ALL: &[Table] = &[$(Table::$table),*];

            /// Its name in the file.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Table::$table => $name),*
                }
            }

            /// Whose rows it holds; [`account::removed`] empties what an account owns.
            pub const fn owner(self) -> Owner {
                match self {
                    $(Table::$table => Owner::$owner),*
                }
            }
        }
    };
}

/// Whose the rows of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The server's.
    Server,
    /// An account's: every key begins with its id, 4 bytes big-endian.
    Account,
    /// An account's too, but too many rows to be removed with it at once: see [`archive::put_remains`].
    Archive,
}

tables! {
    /// What the file says about itself. Key: a name from [`meta`]. Value: that entry's bytes, as [`Blob`].
    Meta = "meta", Server;
    /// Who can log in. Key: domain, NUL, localpart. Value: [`Account`].
    Accounts = "accounts", Server;
    /// Last login and logout (XEP-0012). Key: account id. Value: [`Activity`].
    Activity = "activity", Account;
    /// Contacts, removed ones included (RFC 6121 §2). Key: account id, contact's bare JID. Value: [`RosterItem`].
    Roster = "roster", Account;
    /// Unanswered inbound requests (RFC 6121 §3.1.3). Key: account id, contact's bare JID.
    /// Value: the complete presence stanza, as [`Blob`].
    SubscriptionRequests = "subscription_requests", Account;
    /// Who is blocked (XEP-0191). Key: account id, JID. Value: an empty [`Blob`].
    Blocklist = "blocklist", Account;
    /// Private XML (XEP-0049). Key: account id, namespace, NUL, element name. Value: the element, as [`Blob`].
    Private = "private", Account;
    /// vCards (XEP-0054). Key: account id. Value: the element, as [`Blob`].
    Vcard = "vcard", Account;
    /// Stanzas that wait for their receiver (XEP-0160). Key: account id, then 8 bytes big-endian that rise with
    /// time and are unique within the account. Value: [`Offline`].
    Offline = "offline", Account;
    /// Messages of the day and the like (XEP-0133). Key: a name. Value: bytes, as [`Blob`].
    Announcements = "announcements", Server;
    /// The messages of all archives (XEP-0313), each once, in the order in which they came. Key: 8 bytes big-endian, the
    /// milliseconds since the Unix epoch times 2^20 and a counter; they always rise. Value:
    /// [`Archived`](super::record::Archived).
    Archive = "archive", Server;
    /// Which messages are in an account's archive. Key: account id, key in [`Table::Archive`]. Value:
    /// [`ArchiveIndex`](super::record::ArchiveIndex).
    ArchiveIndex = "archive_index", Archive;
    /// Accounts that are gone and whose archives are still being removed. Key: account id. Value: an empty [`Blob`].
    ArchiveRemains = "archive_remains", Server;
    /// What an account wants to have archived (XEP-0441). Key: account id. Value:
    /// [`ArchivePreferences`](super::record::ArchivePreferences).
    ArchivePreferences = "archive_preferences", Account;
    /// Which of an account's clients read its archive. Key: account id. Value:
    /// [`ArchiveClients`](super::record::ArchiveClients).
    ArchiveClients = "archive_clients", Account;
    /// Clients that log in with a token (XEP-0484). Key: account id. Value: [`Clients`].
    Clients = "clients", Account;
    /// Push services that clients have enabled (XEP-0357). Key: account id, then 8 bytes big-endian that rise with
    /// each that is enabled. Value: [`PushRegistration`].
    PushRegistrations = "push_registrations", Account;
    /// What users have reported (XEP-0377). Key: 8 bytes big-endian that rise with time. Value: [`Report`].
    Reports = "reports", Server;
    /// Nodes of publish-subscribe (XEP-0060). Key: owner's id, node's name. An owner is an account or a service, whose
    /// id is drawn as an account's is and kept in [`meta`]. Value: [`PubsubNode`].
    PubsubNodes = "pubsub_nodes", Account;
    /// Affiliations and subscriptions. Key: owner's id, node's number. Value: [`PubsubPeople`].
    PubsubPeople = "pubsub_people", Account;
    /// Items. Key: owner's id, node's number, then 8 bytes big-endian: when it was published, in milliseconds, and
    /// always more than the one before. Value: [`PubsubItem`].
    PubsubItems = "pubsub_items", Account;
    /// Rooms (XEP-0045). Key: domain of the service, NUL, localpart. Value: [`Room`]. What a room owns (its people, its
    /// vCard, its archive) is in the tables of accounts, under an id that is drawn as an account's is.
    Rooms = "rooms", Server;
    /// Those whom a room knows. Key: room's id, bare JID. Value: [`RoomPerson`].
    RoomPeople = "room_people", Account;
    /// Bookmarks that an account has been given of rooms of the configuration. Key: account id. Value:
    /// [`GivenBookmarks`].
    GivenBookmarks = "given_bookmarks", Account;
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    Put { table: Table, key: Vec<u8>, value: Vec<u8> },
    Delete { table: Table, key: Vec<u8> },
    DeletePrefix { table: Table, prefix: Vec<u8> },
}

impl Op {
    pub fn table(&self) -> Table {
        match self {
            Op::Put { table, .. } | Op::Delete { table, .. } | Op::DeletePrefix { table, .. } => *table,
        }
    }

    /// What it costs in the store's queue: its bytes and its own size.
    pub fn cost(&self) -> usize {
        let bytes = match self {
            Op::Put { key, value, .. } => key.len() + value.len(),
            Op::Delete { key, .. } => key.len(),
            Op::DeletePrefix { prefix, .. } => prefix.len(),
        };
        bytes + size_of::<Op>()
    }
}

/// Changes that become durable together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Rises from batch to batch; `Committed(seq)` speaks of this one and all before it.
    pub seq: u64,
    pub ops: Vec<Op>,
}

impl Batch {
    pub fn cost(&self) -> usize {
        self.ops.iter().map(Op::cost).sum::<usize>() + size_of::<Batch>()
    }
}

/// The prefix of everything that an account owns in a table.
pub fn owned(id: u32) -> [u8; 4] {
    id.to_be_bytes()
}

fn owned_key(id: u32, rest: &[u8]) -> Vec<u8> {
    [&owned(id), rest].concat()
}

/// Two strings with a NUL between them; neither a prepared address nor XML can hold one.
fn pair(first: &str, second: &str) -> Vec<u8> {
    [first.as_bytes(), &[0], second.as_bytes()].concat()
}

fn put(table: Table, key: Vec<u8>, value: &impl Record) -> Op {
    Op::Put { table, key, value: value.encode() }
}

fn put_bytes(table: Table, key: Vec<u8>, bytes: &[u8]) -> Op {
    Op::Put { table, key, value: Blob::encode_slice(bytes) }
}

/// What the file says about itself.
pub mod meta {
    use super::*;

    /// The schema's version, `u32`.
    pub const SCHEMA: &str = "schema";
    /// 32 random bytes, made with the file: the root of what must be stable but unguessable (fake salts).
    pub const SECRET: &str = "secret";
    /// The id that the next account gets, `u32`.
    pub const NEXT_ACCOUNT: &str = "next_account";
    /// Up to this place in the archive's log, `u64`, all messages have their rows in the index; none: before the first.
    pub const ARCHIVE_INDEXED: &str = "archive_indexed";

    pub fn key(name: &str) -> Vec<u8> {
        name.as_bytes().to_vec()
    }

    pub fn put_schema(version: u32) -> Op {
        put_bytes(Table::Meta, key(SCHEMA), &version.to_be_bytes())
    }

    pub fn put_secret(secret: &[u8; 32]) -> Op {
        put_bytes(Table::Meta, key(SECRET), secret)
    }

    /// The id under which a service of a domain, such as `pubsub.example.org`, keeps what it owns, `u32`.
    pub fn service(address: &str) -> Vec<u8> {
        format!("service {address}").into_bytes()
    }

    /// A new service; the id that it takes is used up in the same breath.
    pub fn put_service(address: &str, id: u32) -> Vec<Op> {
        let service = put_bytes(Table::Meta, service(address), &id.to_be_bytes());
        vec![service, put_next_account(id.saturating_add(1))]
    }

    pub fn put_archive_indexed(place: u64) -> Op {
        put_bytes(Table::Meta, key(ARCHIVE_INDEXED), &place.to_be_bytes())
    }

    pub fn put_next_account(id: u32) -> Op {
        put_bytes(Table::Meta, key(NEXT_ACCOUNT), &id.to_be_bytes())
    }
}

pub mod account {
    use super::*;

    pub fn key(domain: &str, localpart: &str) -> Vec<u8> {
        pair(domain, localpart)
    }

    /// The prefix of a domain's accounts.
    pub fn of_domain(domain: &str) -> Vec<u8> {
        pair(domain, "")
    }

    pub fn put(domain: &str, localpart: &str, account: &Account) -> Op {
        super::put(Table::Accounts, key(domain, localpart), account)
    }

    /// A new account; the id that it takes is used up in the same breath.
    pub fn created(domain: &str, localpart: &str, account: &Account) -> Vec<Op> {
        vec![put(domain, localpart, account), meta::put_next_account(account.id.saturating_add(1))]
    }

    /// Deletes the account and everything that it owns, in whatever table, but for its archive, which is removed from
    /// then on.
    pub fn removed(domain: &str, localpart: &str, id: u32) -> Vec<Op> {
        let account = Op::Delete { table: Table::Accounts, key: key(domain, localpart) };
        super::emptied(id).chain([account]).collect()
    }
}

/// Deletes everything that an id owns, but for its archive, which is removed from then on.
fn emptied(id: u32) -> impl Iterator<Item = Op> {
    let owned_tables = Table::ALL.iter().filter(|table| table.owner() == Owner::Account);
    let emptied = owned_tables.map(move |&table| Op::DeletePrefix { table, prefix: owned(id).to_vec() });
    emptied.chain([archive::put_remains(id)])
}

pub mod activity {
    use super::*;

    pub fn key(id: u32) -> Vec<u8> {
        owned(id).to_vec()
    }

    pub fn put(id: u32, activity: &Activity) -> Op {
        super::put(Table::Activity, key(id), activity)
    }
}

pub mod roster {
    use super::*;

    pub fn key(id: u32, contact: &str) -> Vec<u8> {
        owned_key(id, contact.as_bytes())
    }

    pub fn put(id: u32, contact: &str, item: &RosterItem) -> Op {
        super::put(Table::Roster, key(id, contact), item)
    }

    /// Forgets even the tombstone; to remove a contact, put an item that is `removed`.
    pub fn delete(id: u32, contact: &str) -> Op {
        Op::Delete { table: Table::Roster, key: key(id, contact) }
    }
}

pub mod subscription_request {
    use super::*;

    pub fn key(id: u32, contact: &str) -> Vec<u8> {
        owned_key(id, contact.as_bytes())
    }

    pub fn put(id: u32, contact: &str, presence: &[u8]) -> Op {
        put_bytes(Table::SubscriptionRequests, key(id, contact), presence)
    }

    pub fn delete(id: u32, contact: &str) -> Op {
        Op::Delete { table: Table::SubscriptionRequests, key: key(id, contact) }
    }
}

pub mod blocklist {
    use super::*;

    pub fn key(id: u32, jid: &str) -> Vec<u8> {
        owned_key(id, jid.as_bytes())
    }

    pub fn put(id: u32, jid: &str) -> Op {
        put_bytes(Table::Blocklist, key(id, jid), &[])
    }

    pub fn delete(id: u32, jid: &str) -> Op {
        Op::Delete { table: Table::Blocklist, key: key(id, jid) }
    }

    pub fn clear(id: u32) -> Op {
        Op::DeletePrefix { table: Table::Blocklist, prefix: owned(id).to_vec() }
    }
}

pub mod private {
    use super::*;

    pub fn key(id: u32, namespace: &str, name: &str) -> Vec<u8> {
        owned_key(id, &pair(namespace, name))
    }

    pub fn put(id: u32, namespace: &str, name: &str, element: &[u8]) -> Op {
        put_bytes(Table::Private, key(id, namespace, name), element)
    }

    pub fn delete(id: u32, namespace: &str, name: &str) -> Op {
        Op::Delete { table: Table::Private, key: key(id, namespace, name) }
    }
}

pub mod vcard {
    use super::*;

    pub fn key(id: u32) -> Vec<u8> {
        owned(id).to_vec()
    }

    pub fn put(id: u32, element: &[u8]) -> Op {
        put_bytes(Table::Vcard, key(id), element)
    }

    pub fn delete(id: u32) -> Op {
        Op::Delete { table: Table::Vcard, key: key(id) }
    }
}

pub mod offline {
    use super::*;

    pub fn key(id: u32, order: u64) -> Vec<u8> {
        owned_key(id, &order.to_be_bytes())
    }

    pub fn put(id: u32, order: u64, message: &Offline) -> Op {
        super::put(Table::Offline, key(id, order), message)
    }

    pub fn delete(id: u32, order: u64) -> Op {
        Op::Delete { table: Table::Offline, key: key(id, order) }
    }

    pub fn clear(id: u32) -> Op {
        Op::DeletePrefix { table: Table::Offline, prefix: owned(id).to_vec() }
    }
}

pub mod announcement {
    use super::*;

    pub fn key(name: &str) -> Vec<u8> {
        name.as_bytes().to_vec()
    }

    pub fn put(name: &str, bytes: &[u8]) -> Op {
        put_bytes(Table::Announcements, key(name), bytes)
    }

    pub fn delete(name: &str) -> Op {
        Op::Delete { table: Table::Announcements, key: key(name) }
    }
}

pub mod clients {
    use super::*;

    pub fn key(id: u32) -> Vec<u8> {
        owned(id).to_vec()
    }

    pub fn put(id: u32, clients: &Clients) -> Op {
        super::put(Table::Clients, key(id), clients)
    }

    pub fn delete(id: u32) -> Op {
        Op::Delete { table: Table::Clients, key: key(id) }
    }
}

pub mod push_registration {
    use super::*;

    pub fn key(id: u32, number: u64) -> Vec<u8> {
        owned_key(id, &number.to_be_bytes())
    }

    pub fn put(id: u32, number: u64, registration: &PushRegistration) -> Op {
        super::put(Table::PushRegistrations, key(id, number), registration)
    }

    pub fn delete(id: u32, number: u64) -> Op {
        Op::Delete { table: Table::PushRegistrations, key: key(id, number) }
    }
}

pub mod report {
    use super::*;

    pub fn key(number: u64) -> Vec<u8> {
        number.to_be_bytes().to_vec()
    }

    pub fn put(number: u64, report: &Report) -> Op {
        super::put(Table::Reports, key(number), report)
    }

    pub fn delete(number: u64) -> Op {
        Op::Delete { table: Table::Reports, key: key(number) }
    }
}

pub mod pubsub {
    use super::*;

    pub fn node_key(owner: u32, name: &str) -> Vec<u8> {
        owned_key(owner, name.as_bytes())
    }

    pub fn put_node(owner: u32, name: &str, node: &PubsubNode) -> Op {
        super::put(Table::PubsubNodes, node_key(owner, name), node)
    }

    /// Deletes the node with everything that it has.
    pub fn delete_node(owner: u32, name: &str, number: u32) -> Vec<Op> {
        let people = Op::Delete { table: Table::PubsubPeople, key: people_key(owner, number) };
        vec![
            clear_items(owner, number),
            people,
            Op::Delete { table: Table::PubsubNodes, key: node_key(owner, name) },
        ]
    }

    pub fn people_key(owner: u32, number: u32) -> Vec<u8> {
        owned_key(owner, &number.to_be_bytes())
    }

    pub fn put_people(owner: u32, number: u32, people: &PubsubPeople) -> Op {
        super::put(Table::PubsubPeople, people_key(owner, number), people)
    }

    pub fn item_key(owner: u32, number: u32, order: u64) -> Vec<u8> {
        [&people_key(owner, number)[..], &order.to_be_bytes()].concat()
    }

    pub fn put_item(owner: u32, number: u32, order: u64, item: &PubsubItem) -> Op {
        super::put(Table::PubsubItems, item_key(owner, number, order), item)
    }

    pub fn delete_item(owner: u32, number: u32, order: u64) -> Op {
        Op::Delete { table: Table::PubsubItems, key: item_key(owner, number, order) }
    }

    pub fn clear_items(owner: u32, number: u32) -> Op {
        Op::DeletePrefix { table: Table::PubsubItems, prefix: people_key(owner, number) }
    }
}

pub mod room {
    use super::*;

    pub fn key(domain: &str, localpart: &str) -> Vec<u8> {
        pair(domain, localpart)
    }

    /// The prefix of a service's rooms.
    pub fn of_service(domain: &str) -> Vec<u8> {
        pair(domain, "")
    }

    pub fn put(domain: &str, localpart: &str, room: &Room) -> Op {
        super::put(Table::Rooms, key(domain, localpart), room)
    }

    /// A new room; the id that it takes is used up in the same breath.
    pub fn created(domain: &str, localpart: &str, room: &Room) -> Vec<Op> {
        vec![put(domain, localpart, room), meta::put_next_account(room.id.saturating_add(1))]
    }

    /// Deletes the room and everything that it owns, but for its archive, which is removed from then on.
    pub fn removed(domain: &str, localpart: &str, id: u32) -> Vec<Op> {
        let room = Op::Delete { table: Table::Rooms, key: key(domain, localpart) };
        emptied(id).chain([room]).collect()
    }

    pub fn person_key(id: u32, jid: &str) -> Vec<u8> {
        owned_key(id, jid.as_bytes())
    }

    pub fn put_person(id: u32, jid: &str, person: &RoomPerson) -> Op {
        super::put(Table::RoomPeople, person_key(id, jid), person)
    }

    pub fn delete_person(id: u32, jid: &str) -> Op {
        Op::Delete { table: Table::RoomPeople, key: person_key(id, jid) }
    }
}

pub mod given_bookmarks {
    use super::*;

    pub fn key(id: u32) -> Vec<u8> {
        owned(id).to_vec()
    }

    pub fn put(id: u32, given: &GivenBookmarks) -> Op {
        super::put(Table::GivenBookmarks, key(id), given)
    }
}
