//! The archive of messages (XEP-0313): what is in whose, before it is on disk and after.
//!
//! All archives are one log of messages in the order in which they came, and an index of it for each account and each room
//! (tables `archive` and `archive_index`). A message between two accounts of ours is there once: whoever sends it begins an
//! entry ([`Core::archive`]), whoever gets it shares it, and when the event is over the entry goes to the store with all
//! its owners. What is said in a room is there once, too, and in no account's archive (`rooms`). Until its rows in the index are on disk, queries find it in memory (`tail`). While the store can't write,
//! nothing is archived.
//!
//! A place in the log is the time in milliseconds with a counter behind it, and always greater than the one before,
//! even if the clock was set back. What others see of it is an id in disguise (`ids`).
//!
//! `query` answers questions of sessions and `elsewhere` those of other domains, `results` writes what they find; `upkeep`
//! removes what is too old and what belonged to accounts that are gone.

mod elsewhere;
mod ids;
mod query;
mod results;
mod rooms;
mod tail;
mod upkeep;

pub use query::{Queries, Query, QueryKind, View};
pub use tail::stamp;

use self::elsewhere::Elsewhere;
use self::ids::Ids;
use self::query::Turns;
use self::tail::Tail;
use self::upkeep::Upkeep;
use super::{Core, SessionId, time};
use crate::jid::Jid;
use crate::stanza::{Condition, Stanza, StanzaError};
use crate::store::record::{ArchiveClients, ArchiveDefault, ArchiveOwners, Archived};
use crate::store::schema::{self, Table};
use crate::store::{ReadError, Reader};
use crate::xml::{Element, ns, writer};

/// Bits of a place in the log behind its milliseconds.
const COUNTER_BITS: u32 = 20;

/// Clients of an account that are remembered to read its archive.
const MOST_CLIENTS: usize = 32;

pub(super) struct Archive {
    ids: Ids,
    pub tail: Tail,
    turns: Turns,
    elsewhere: Elsewhere,
    upkeep: Upkeep,
}

/// Whether an account has sent a message or got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Sender,
    Receiver,
}

impl Archive {
    /// `leap` is random: places that were given and not written before a power cut have been seen by clients, and must not
    /// be given to other messages, even if the clock has been set back by it.
    pub fn new(store: &Reader, secret: &[u8; 32], leap: u32, now: u64) -> Result<Archive, ReadError> {
        let leap = u64::from(leap) % (1 << (COUNTER_BITS - 1));
        Ok(Archive {
            ids: Ids::new(secret),
            tail: Tail::new(store, leap, now)?,
            turns: Turns::default(),
            elsewhere: Elsewhere::default(),
            upkeep: Upkeep::new(store.archive_remains()?, now),
        })
    }
}

/// The first place in the log that a moment has, in milliseconds.
pub fn first_place(moment: u64) -> u64 {
    moment.saturating_mul(1 << COUNTER_BITS)
}

impl Core {
    /// Puts a message into the archive of the account that has sent it or got it, and says so in the stanza. The
    /// caller has found that it belongs there.
    pub fn archive(&mut self, account: u32, side: Side, stanza: &mut Stanza) {
        let Some(entry) = self.archive.tail.open(stanza.archived, stanza, self.now) else { return };
        if let ArchiveOwners::Accounts { sender, receiver } = &mut entry.owners {
            match side {
                Side::Sender => *sender = Some(account),
                Side::Receiver => *receiver = Some(account),
            }
        }
        stanza.archived = Some(entry.place);
        self.touched = true;
    }

    /// Takes a message back out of the archive of its receiver or its room: it was not accepted after all.
    pub fn unarchive(&mut self, stanza: &mut Stanza) {
        let Some(place) = stanza.archived.take() else { return };
        self.archive.tail.withdraw_receiver(place);
    }

    /// Whether messages are archived at all now.
    pub fn archives(&self) -> bool {
        self.config.archive.enabled && self.writable().is_ok()
    }

    /// Whether an account wants to have messages with this address archived (XEP-0441 §2.3).
    pub fn wants_archived(&self, account: &Jid, with: &Jid) -> bool {
        let Some(account) = self.loaded(account) else { return false };
        let default = match &account.archive_preferences {
            None => self.archive_default(),
            Some(preferences) => {
                let listed =
                    |list: &[String]| list.iter().any(|jid| jid == with.as_str() || jid == with.bare_str());
                if listed(&preferences.never) {
                    return false;
                }
                if listed(&preferences.always) {
                    return true;
                }
                preferences.default
            }
        };
        match default {
            ArchiveDefault::Always => true,
            ArchiveDefault::Never => false,
            ArchiveDefault::Roster => account.roster.get(&with.bare()).is_some_and(|item| !item.removed),
        }
    }

    /// What is archived for an account that has not said what it wants.
    pub fn archive_default(&self) -> ArchiveDefault {
        match self.config.archive.default {
            crate::config::ArchiveDefault::Always => ArchiveDefault::Always,
            crate::config::ArchiveDefault::Roster => ArchiveDefault::Roster,
            crate::config::ArchiveDefault::Never => ArchiveDefault::Never,
        }
    }

    /// The id of a message that is archived, as its owners know it.
    pub fn archive_id(&self, place: u64) -> String {
        self.archive.ids.text(place)
    }

    /// Tells the owner of an archive which id a message has there, if it is archived (XEP-0359 §2.1).
    pub fn add_stanza_id(&self, stanza: &mut Stanza, owner: &Jid) {
        if let Some(place) = stanza.archived {
            self.add_id_of(place, stanza, owner);
        }
    }

    fn add_id_of(&self, place: u64, stanza: &mut Stanza, owner: &Jid) {
        let by = owner.bare_str();
        stanza.payload = stanza.payload.with_written(80 + by.len(), |out| {
            out.extend_from_slice(b"<stanza-id");
            writer::attr("xmlns", ns::STANZA_ID, out);
            writer::attr("by", by, out);
            writer::attr("id", &self.archive_id(place), out);
            out.extend_from_slice(b"/>");
        });
    }

    /// The place in the log of a message of an account or a room by its id; `None`: its archive has no such message.
    pub fn archived_place(&self, owner: u32, id: &str) -> Result<Option<u64>, StanzaError> {
        let Some(place) = self.archive.ids.place(id) else { return Ok(None) };
        if place >= self.archive.tail.memory_starts() {
            return Ok(self.archive.tail.entry(place).filter(|entry| entry.is_in(owner)).map(|_| place));
        }
        match self.store.is_archived(owner, place) {
            Ok(archived) => Ok(archived.then_some(place)),
            Err(error) => Err(unreadable(&error)),
        }
    }

    /// A message of the log and when it came, in milliseconds.
    pub fn archived_message(&self, place: u64) -> Result<Option<(u64, Stanza)>, StanzaError> {
        if let Some(stanza) = self.archive.tail.entry(place).and_then(|entry| entry.stanza.as_ref()) {
            return Ok(Some((stamp(place), Stanza { archived: Some(place), ..Stanza::clone(stanza) })));
        }
        let stanza = Stanza::from_bytes(&self.body(place)?);
        Ok(stanza.map(|stanza| (stamp(place), Stanza { archived: Some(place), ..stanza })))
    }

    /// The bytes of a message of the log; none: there is none with this place.
    fn body(&self, place: u64) -> Result<Vec<u8>, StanzaError> {
        let stored: Option<Archived> = self.value(Table::Archive, &schema::archive::body_key(place))?;
        Ok(stored.map(|archived| archived.stanza).unwrap_or_default())
    }

    /// The first and the last message of an archive (XEP-0313 §5, and in XEP-0386).
    pub fn archive_metadata(&self, owner: u32) -> Result<Element, StanzaError> {
        let mut metadata = Element::new("metadata", ns::ARCHIVE);
        let ends = self.archive_ends(owner).map_err(|error| unreadable(&error))?;
        for (name, place) in ends.iter().flat_map(|(first, last)| [("start", *first), ("end", *last)]) {
            let end = Element::new(name, ns::ARCHIVE).attr("id", self.archive_id(place));
            metadata = metadata.child(end.attr("timestamp", time::datetime(stamp(place))));
        }
        Ok(metadata)
    }

    /// A session has shown that it reads the archive: it needs nothing of it a second time, now or when the same
    /// resource comes back.
    pub fn reads_archive(&mut self, session: SessionId) {
        let Some(session) = self.session_mut(session) else { return };
        if std::mem::replace(&mut session.syncs, true) {
            return;
        }
        let jid = session.jid.clone();
        let (Some(resource), Ok(account)) = (jid.resource(), self.account(&jid)) else { return };
        let id = account.record.id;
        let Ok(mut clients) = self.archive_clients(id) else { return };
        if self.writable().is_ok() && !clients.resources.iter().any(|known| known == resource) {
            clients.resources.push(resource.to_owned());
            let too_many = clients.resources.len().saturating_sub(MOST_CLIENTS);
            clients.resources.drain(..too_many);
            self.write(&jid.bare(), [schema::archive::put_clients(id, &clients)]);
        }
    }

    /// Whether what is in the archive need not be sent to a session: it has read it, or its resource did before.
    pub fn has_archive(&mut self, session: SessionId) -> bool {
        let Some(session) = self.session(session) else { return false };
        if session.syncs {
            return true;
        }
        let jid = session.jid.clone();
        let Ok(id) = self.account(&jid).map(|account| account.record.id) else { return false };
        let clients = self.archive_clients(id).unwrap_or_default();
        clients.resources.iter().any(|known| Some(known.as_str()) == jid.resource())
    }

    fn archive_clients(&self, account: u32) -> Result<ArchiveClients, StanzaError> {
        let clients = self.value(Table::ArchiveClients, &schema::archive::clients_key(account))?;
        Ok(clients.unwrap_or_default())
    }
}

fn unreadable(error: &ReadError) -> StanzaError {
    log::error!("the archive cannot be read: {error}");
    Condition::InternalServerError.into()
}
