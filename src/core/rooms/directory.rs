//! The directory of a service: its public rooms, for whoever looks for one.
//!
//! It is made when somebody asks, kept true while it is there, and forgotten [`REMEMBERED`] after nobody asks any more:
//! looking for a room costs no walk through those that nobody may find. It has [`MAX_LISTED`] rooms at most; beyond
//! these, the ones with the first addresses are found.

use std::collections::{BTreeMap, HashMap};

use super::{REMEMBERED, Room};
use crate::core::Core;
use crate::jid::Jid;
use crate::stanza::StanzaError;
use crate::store::record;

/// Rooms of one service that can be found.
const MAX_LISTED: usize = 5000;

/// Bytes of a description that are looked through and shown; many rooms can be listed.
const MAX_DESCRIPTION: usize = 1000;

/// Rooms that are read at once to make the list.
const READ: usize = 500;

/// Searches a minute, by one account of ours or one other domain, and those who can search within one minute.
const MAX_SEARCHES: u32 = 30;
const MAX_SEARCHERS: usize = 1000;

const MINUTE: u64 = 60_000;

/// What can be found of a room.
#[derive(Clone, Debug)]
pub struct Listed {
    pub title: String,
    pub description: String,
    pub language: String,
    pub non_anonymous: bool,
    /// Anyone may walk in.
    pub open: bool,
}

/// The public rooms of a service by their addresses.
pub type Listing = BTreeMap<Jid, Listed>;

/// How often people have searched within this minute.
#[derive(Default)]
pub struct Searches {
    minute: u64,
    /// By bare addresses; of other domains, by the domain.
    counts: HashMap<Jid, u32>,
}

/// The lists that somebody has asked for, by the service's address, and when that was last.
#[derive(Default)]
pub struct Directory(HashMap<String, (u64, Listing)>);

impl Listed {
    fn of(record: &record::Room) -> Option<Listed> {
        let config = &record.config;
        (config.public && !record.locked).then(|| Listed {
            title: config.title.clone(),
            description: beginning(&config.description),
            language: config.language.clone(),
            non_anonymous: config.non_anonymous,
            open: record.is_open(),
        })
    }
}

fn beginning(text: &str) -> String {
    if text.len() <= MAX_DESCRIPTION {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(MAX_DESCRIPTION)])
}

impl Directory {
    /// What a room is has changed; `None`: it is gone.
    pub fn note(&mut self, address: &Jid, room: Option<&Room>) {
        let Some((_, listing)) = self.0.get_mut(address.domain()) else { return };
        match room.and_then(|room| Listed::of(&room.record)) {
            Some(listed) if listing.contains_key(address) || listing.len() < MAX_LISTED => {
                listing.insert(address.clone(), listed);
            }
            Some(_) => {}
            None => {
                listing.remove(address);
            }
        }
    }

    pub fn forget_unused(&mut self, now: u64) {
        self.0.retain(|_, (used, _)| *used + REMEMBERED > now);
    }
}

impl Core {
    /// The public rooms of a service.
    pub fn public_rooms(&mut self, service: &str) -> Result<&Listing, StanzaError> {
        if !self.rooms.directory.0.contains_key(service) {
            let listing = self.read_directory(service)?;
            self.rooms.directory.0.insert(service.to_owned(), (self.now, listing));
        }
        let (used, listing) = self.rooms.directory.0.entry(service.to_owned()).or_default();
        *used = self.now;
        Ok(listing)
    }

    fn read_directory(&self, service: &str) -> Result<Listing, StanzaError> {
        let (mut listing, mut after) = (Listing::new(), String::new());
        while listing.len() < MAX_LISTED {
            let rooms = self.list_rooms(service, &after, READ)?;
            let Some((last, _)) = rooms.last() else { break };
            after = last.local().unwrap_or_default().to_owned();
            let public = rooms.iter().filter_map(|(jid, record)| Some((jid.clone(), Listed::of(record)?)));
            listing.extend(public);
        }
        Ok(listing)
    }

    /// Counts a search of somebody's; `Err`: there have been enough, and in so many seconds there may be more.
    pub fn admit_search(&mut self, who: &Jid) -> Result<(), u64> {
        let who = if self.is_local(who.domain()) { who.bare() } else { who.domain_jid() };
        let (now, searches) = (self.now, &mut self.rooms.searches);
        if searches.minute != now / MINUTE {
            *searches = Searches { minute: now / MINUTE, counts: HashMap::new() };
        }
        let is_new = !searches.counts.contains_key(&who);
        let full = is_new && searches.counts.len() >= MAX_SEARCHERS;
        let count = if full { MAX_SEARCHES } else { *searches.counts.entry(who.clone()).or_default() };
        if count >= MAX_SEARCHES {
            return Err((MINUTE - now % MINUTE).div_ceil(1000));
        }
        searches.counts.insert(who, count + 1);
        Ok(())
    }

    /// How many are in a room now.
    pub fn occupancy(&self, room: &Jid) -> usize {
        self.loaded_room(room).map_or(0, |room| room.occupants.len())
    }
}
