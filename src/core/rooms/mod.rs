//! Rooms (XEP-0045) as data: what they are, whom they know, who is in them, and how something gets to all of these. What is
//! asked for over the wire is read and answered in `xep/`.
//!
//! A room is in memory while somebody is in it or asks for it, and [`REMEMBERED`] after; its record and its people are
//! written behind. Who is in it is nowhere but in memory: after a restart everyone comes anew.

mod activity;
mod broadcast;
mod configured;
mod directory;
mod history;
pub mod lines;
mod looks;
mod occupants;
mod pace;
mod picture;
mod rates;
mod relayed;
mod requests;
mod retraction;
mod upkeep;
mod voices;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use broadcast::Shown;
pub use directory::{Listed, Listing};
pub use history::{History, Said};
pub use occupants::{Device, Occupant, Occupants};
pub use relayed::Relayed;
pub use retraction::Found;

use self::activity::Activity;
use self::directory::{Directory, Searches};
use self::looks::Looks;
use self::pace::Pace;
use self::rates::Rates;
use self::relayed::RelayedRequests;
use self::requests::Requests;
use self::upkeep::Upkeep;
use self::voices::Voices;
use super::Core;
use crate::config::Limit;
use crate::jid::Jid;
use crate::password::Hash;
use crate::stanza::{Condition, StanzaError};
use crate::store::ReadError;
use crate::store::record::{self, RoomAffiliation, RoomConfig, RoomPerson};
use crate::store::schema::{self, Op};

/// How long rooms that nobody is in and nobody asks for stay in memory, in milliseconds.
const REMEMBERED: u64 = 60_000;

/// Rooms in memory that nobody is in, roughly: whoever asks for one after the other must not fill it.
const MOST_REMEMBERED: usize = 200;

/// Occupants with whom a room is a big one: it costs something to tell them all.
const BIG: usize = 100;

/// People whom one room knows.
pub const MAX_PEOPLE: usize = 2000;

#[derive(Default)]
pub(super) struct Rooms {
    loaded: HashMap<Jid, Room>,
    /// Rooms that are gone, and whose removal is not on disk yet: by when it will be.
    removed: HashMap<Jid, u64>,
    upkeep: Upkeep,
    directory: Directory,
    searches: Searches,
    activity: Activity,
    /// Requests between occupants that wait for their answers.
    relayed: RelayedRequests,
    /// With so many in memory, those that nobody needs go at once.
    enough: usize,
}

pub struct Room {
    pub address: Jid,
    pub record: record::Room,
    /// Those who are more to it than others, or less, or have a nick of their own, by their bare addresses.
    pub people: BTreeMap<Jid, RoomPerson>,
    pub occupants: Occupants,
    pub history: History,
    /// The nicks that are reserved, by how they look.
    reserved: Looks,
    pub voices: Voices,
    rates: Rates,
    /// The hashes of its pictures, once somebody has asked for them.
    pictures: Option<Arc<[String]>>,
    pace: Pace,
    requests: Requests,
    /// When somebody last asked for it, in milliseconds.
    used: u64,
    /// The batch of the last change.
    written: u64,
}

impl Room {
    fn new(address: &Jid, record: record::Room, people: BTreeMap<Jid, RoomPerson>) -> Room {
        let mut reserved = Looks::default();
        for (who, person) in people.iter().filter(|(_, person)| !person.nick.is_empty()) {
            reserved.insert(&person.nick, who.as_str());
        }
        Room {
            address: address.clone(),
            record,
            people,
            occupants: Occupants::default(),
            history: History::default(),
            reserved,
            voices: Voices::default(),
            rates: Rates::default(),
            pictures: None,
            pace: Pace::default(),
            requests: Requests::default(),
            used: 0,
            written: 0,
        }
    }

    pub fn config(&self) -> &RoomConfig {
        &self.record.config
    }

    /// What somebody is to the room, whether in it or not; of a full address the bare one counts. What is said of a whole
    /// domain holds for whoever in it is nothing else (§9.2).
    pub fn affiliation(&self, who: &Jid) -> RoomAffiliation {
        let of = |who: &str| self.people.get(who).map_or(RoomAffiliation::None, |person| person.affiliation);
        match of(who.bare_str()) {
            RoomAffiliation::None => of(who.domain()),
            affiliation => affiliation,
        }
    }

    /// Whether somebody would be let in now, if there is a place and a nick: who has given the password is in.
    pub fn lets_in(&self, who: &Jid) -> bool {
        let (affiliation, config) = (self.affiliation(who), self.config());
        let knows_password = || self.occupants.of_person(who).next().is_some();
        match affiliation {
            RoomAffiliation::Outcast => false,
            RoomAffiliation::Owner => true,
            _ => {
                !self.record.locked
                    && (!config.members_only || affiliation >= RoomAffiliation::Member)
                    && (config.password.is_empty() || knows_password())
            }
        }
    }

    /// Whether somebody may know the real addresses of the others, in the room or not.
    pub fn shows_people_to(&self, who: &Jid) -> bool {
        self.config().non_anonymous
            || self.affiliation(who) >= RoomAffiliation::Admin
            || self.occupants.of_person(who).any(|occupant| self.shows_addresses_to(occupant.role))
    }

    /// Those with this affiliation.
    pub fn with_affiliation(
        &self,
        affiliation: RoomAffiliation,
    ) -> impl Iterator<Item = (&Jid, &RoomPerson)> {
        self.people.iter().filter(move |(_, person)| person.affiliation == affiliation)
    }

    /// Whether a nick could be taken for one that somebody else has or has reserved.
    pub fn is_confusable(&self, nick: &str, who: &Jid) -> bool {
        self.reserved.of_others(nick).iter().any(|other| *other != who.bare_str())
            || self.occupants.alike(nick).any(|other| !other.real.same_bare(who))
    }

    /// Counts one more that somebody, by their occupant-id, sends; `false`: that is faster than the room takes.
    pub fn admit(&mut self, id: &Arc<str>, per_minute: Limit, now: u64) -> bool {
        self.rates.admit(id, per_minute.get().unwrap_or_default(), now)
    }

    /// Anyone can find it and walk in, and it stays.
    pub fn is_public_place(&self) -> bool {
        self.config().public && self.config().persistent && self.record.is_open()
    }

    /// The same for a request that changes so many people, of which everyone in the room is told: beside what a message
    /// costs, each costs as much again, or less in a small room. It is admitted whole and paid for later.
    pub fn admit_changes(&mut self, id: &Arc<str>, per_minute: Limit, now: u64, people: usize) -> bool {
        let more = people * self.occupants.len().min(BIG) / BIG;
        self.rates.admit_with(id, per_minute.get().unwrap_or_default(), now, more as u64)
    }

    /// Whether somebody may ask those who decide for something; then they have.
    pub fn may_ask(&mut self, who: &Jid, now: u64) -> bool {
        self.requests.admit(who, now)
    }

    /// Whether somebody is in it, belongs to it, or could walk in: they may know what goes on inside.
    pub fn is_open_to(&self, who: &Jid) -> bool {
        let affiliation = self.affiliation(who);
        affiliation >= RoomAffiliation::Member
            || affiliation == RoomAffiliation::None && self.record.is_open()
            || self.occupants.of_person(who).next().is_some()
    }

    /// The same, or it can be found by anyone: they may know what it says of itself.
    pub fn shows_itself_to(&self, who: &Jid) -> bool {
        self.is_open_to(who) || self.config().public && !self.record.locked
    }

    /// The real addresses of occupants are shown to who has this role (§5.1, §15.5.3).
    pub fn shows_addresses_to(&self, role: record::Role) -> bool {
        self.config().non_anonymous || role == record::Role::Moderator
    }
}

impl Rooms {
    pub fn forget_unused(&mut self, now: u64, committed: u64) {
        self.directory.forget_unused(now);
        self.activity.forget_silent(now);
        let since = (now + 1).saturating_sub(REMEMBERED);
        self.forget(|room| room.written <= committed && room.used < since && !room.makes_wait(now));
    }

    fn make_room(&mut self, now: u64, committed: u64) {
        if self.loaded.len() >= self.enough.max(MOST_REMEMBERED) {
            self.forget(|room| room.written <= committed && room.used < now);
            self.enough = self.loaded.len() + MOST_REMEMBERED;
        }
    }

    fn forget(&mut self, needless: impl Fn(&Room) -> bool) {
        self.loaded.retain(|_, room| !room.occupants.is_empty() || !needless(room));
        if self.loaded.capacity() > 4 * self.loaded.len() {
            self.loaded.shrink_to_fit();
        }
    }

    pub fn committed(&mut self, committed: u64) {
        self.removed.retain(|_, seq| *seq > committed);
    }
}

impl Core {
    /// The room with this address, of which a resource is ignored; `<item-not-found/>` if there is none.
    pub fn room(&mut self, address: &Jid) -> Result<&mut Room, StanzaError> {
        let now = self.now;
        if !self.rooms.loaded.contains_key(address.bare_str()) {
            let room = self.load_room(&address.bare())?;
            self.rooms.make_room(now, self.committed);
            self.rooms.loaded.insert(room.address.clone(), room);
        }
        let room = self.rooms.loaded.get_mut(address.bare_str()).ok_or(Condition::ItemNotFound)?;
        room.used = now;
        Ok(room)
    }

    /// The same, if it is in memory already: one with occupants always is.
    pub fn loaded_room(&self, address: &Jid) -> Option<&Room> {
        self.rooms.loaded.get(address.bare_str())
    }

    pub fn loaded_room_mut(&mut self, address: &Jid) -> Option<&mut Room> {
        self.rooms.loaded.get_mut(address.bare_str())
    }

    fn load_room(&self, address: &Jid) -> Result<Room, StanzaError> {
        let local = address.local().filter(|_| self.is_room(address)).ok_or(Condition::ItemNotFound)?;
        if self.rooms.removed.contains_key(address) {
            return Err(Condition::ItemNotFound.into());
        }
        let record = self.store.room(address.domain(), local).map_err(unreadable)?;
        let record = record.ok_or(Condition::ItemNotFound)?;
        let people = self.store.room_people(record.id).map_err(unreadable)?.into_iter();
        let people = people.filter_map(|(jid, person)| Some((Jid::parse(&jid).ok()?, person))).collect();
        Ok(Room::new(address, record, people))
    }

    /// Makes a room that belongs to `creator`; `None`: to the server's configuration. `<conflict/>` if there is one.
    pub fn create_room(
        &mut self,
        address: &Jid,
        creator: Option<&Jid>,
        locked: bool,
        config: RoomConfig,
    ) -> Result<(), StanzaError> {
        self.writable()?;
        let local = address.local().filter(|_| self.is_room(address) && address.is_bare());
        let local = local.ok_or(Condition::ItemNotFound)?;
        match self.room(address) {
            Ok(_) => return Err(Condition::Conflict.into()),
            Err(error) if error.condition == Condition::ItemNotFound => {}
            Err(error) => return Err(error),
        }
        let id = self.next_account;
        self.next_account += 1;
        let created = self.now / 1000;
        let creator_text = creator.map(|creator| creator.bare_str().to_owned()).unwrap_or_default();
        let record =
            record::Room { id, created, creator: creator_text, locked, config, ..record::Room::default() };
        let ops = schema::room::created(address.domain(), local, &record);
        let mut room = Room::new(address, record, BTreeMap::new());
        room.used = self.now;
        self.rooms.removed.remove(address);
        self.rooms.upkeep.made(creator);
        self.rooms.loaded.insert(address.clone(), room);
        self.write_room(address, ops);
        if let Some(creator) = creator {
            let owner = RoomPerson { affiliation: RoomAffiliation::Owner, ..RoomPerson::default() };
            self.set_person(address, creator, owner)?;
        }
        Ok(())
    }

    /// Changes what a room is.
    pub fn change_room(
        &mut self,
        address: &Jid,
        change: impl FnOnce(&mut record::Room),
    ) -> Result<(), StanzaError> {
        self.writable()?;
        let room = self.room(address)?;
        change(&mut room.record);
        let (address, op) = (room.address.clone(), put(room));
        self.write_room(&address, op);
        Ok(())
    }

    /// Changes what a person, by their bare address, is to a room; the default: nothing. Whether they are in it is not
    /// looked at.
    pub fn set_person(&mut self, room: &Jid, who: &Jid, person: RoomPerson) -> Result<(), StanzaError> {
        self.writable()?;
        let room = self.room(room)?;
        let (address, id, who) = (room.address.clone(), room.record.id, who.bare());
        let known = room.people.get(&who);
        if let Some(known) = known.filter(|known| !known.nick.is_empty()) {
            room.reserved.remove(&known.nick, who.as_str());
        }
        let op = if person == RoomPerson::default() {
            room.people.remove(&who);
            schema::room::delete_person(id, who.as_str())
        } else {
            if room.people.len() >= MAX_PEOPLE && known.is_none() {
                return Err(StanzaError::new(
                    Condition::ResourceConstraint,
                    "This room knows too many people.",
                ));
            }
            if !person.nick.is_empty() {
                room.reserved.insert(&person.nick, who.as_str());
            }
            let op = schema::room::put_person(id, who.as_str(), &person);
            room.people.insert(who, person);
            op
        };
        self.write_room(&address, [op]);
        Ok(())
    }

    /// Removes a room with everything that it has. Its occupants must have been told.
    pub fn remove_room(&mut self, address: &Jid) -> Result<(), StanzaError> {
        self.writable()?;
        let room = self.room(address)?;
        let (address, id) = (room.address.clone(), room.record.id);
        if let Some(room) = self.rooms.loaded.remove(&address) {
            self.rooms.upkeep.removed(&room);
        }
        let local = address.local().unwrap_or_default();
        self.write_room(&address, schema::room::removed(address.domain(), local, id));
        self.remove_archive(id);
        self.rooms.removed.insert(address, self.now_seq());
        Ok(())
    }

    /// The rooms of a service in the order of their addresses, with what is not on disk yet: at most so many, behind
    /// the one with the localpart `after`.
    pub fn list_rooms(
        &self,
        service: &str,
        after: &str,
        most: usize,
    ) -> Result<Vec<(Jid, record::Room)>, StanzaError> {
        // One of these may be `after`, others may have been removed.
        let extra = 1 + self.rooms.removed.len();
        let stored = self.store.rooms(service, after, most.saturating_add(extra)).map_err(unreadable)?;
        let complete = stored.len() < most.saturating_add(extra);
        let last = stored.last().map(|(local, _)| local.clone()).filter(|_| !complete);
        let stored = stored.into_iter().filter_map(|(local, record)| {
            Some((local.clone(), (Jid::from_parts(Some(&local), service, None).ok()?, record)))
        });
        let mut all: BTreeMap<String, (Jid, record::Room)> = stored
            .filter(|(local, (jid, _))| local.as_str() > after && !self.rooms.removed.contains_key(jid))
            .collect();
        for room in self.rooms.loaded.values().filter(|room| room.address.domain() == service) {
            let local = room.address.local().unwrap_or_default();
            if local > after && last.as_deref().is_none_or(|last| local <= last) {
                all.insert(local.to_owned(), (room.address.clone(), room.record.clone()));
            }
        }
        Ok(all.into_values().take(most).collect())
    }

    /// What somebody who is online is known by to others in a room, whatever their nick (XEP-0421 §4.1). An account of ours
    /// that is made after another of the same name was deleted is somebody else.
    pub fn occupant_id(&self, room: &Jid, who: &Jid) -> String {
        let account = self.loaded(who).map_or(0, |account| account.record.id);
        let label = format!("occupant {}\0{}\0{account}", room.bare_str(), who.bare_str());
        let hash = Hash::Sha256.hmac(&self.secret, label.as_bytes());
        hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Writes changes of a room, which must be in memory if it is not gone.
    pub fn write_room(&mut self, address: &Jid, ops: impl IntoIterator<Item = Op>) {
        let seq = self.next_seq();
        self.write(address, ops);
        let room = self.rooms.loaded.get_mut(address);
        self.rooms.directory.note(address, room.as_deref());
        if let Some(room) = room {
            room.written = seq;
        }
    }
}

fn put(room: &Room) -> [Op; 1] {
    [schema::room::put(room.address.domain(), room.address.local().unwrap_or_default(), &room.record)]
}

fn unreadable(error: ReadError) -> StanzaError {
    log::error!("rooms cannot be read: {error}");
    Condition::InternalServerError.into()
}
